package rewrite_test

import (
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// picture is what became of the packets of a source's picture.
type picture struct {
	source rewrite.Source
	number int
	frames []*truth
	left   int // packets not given to Map yet
	sent   map[uint32]int
}

// tally is what a run of the world comes to.
type tally struct {
	switches, layers int // of the source; of the layers forwarded
	packets          int // sent
	empty            int
	resent           int // asked for again, and made again byte for byte
	frames           int // of which something was sent
	decoded          int
	split            int // pictures decoded in two parts, see receiver
	cut              int // of an old source, incomplete when the line left it
	held             int // see settle
	frozen           int // sent, not cut or held, and never decoded
	stalls           int // longer than the base layer's period
}

func (w *world) pictureOf(x *wire) *picture {
	for i := len(w.pictures) - 1; i >= 0; i-- {
		if p := w.pictures[i]; p.source == x.Source && p.number == x.frame.picture {
			return p
		}
	}
	return nil
}

// count watches that the pictures of the current source keep coming.
func (w *world) count(p *picture) {
	w.quiet++
	for _, f := range p.frames {
		if w.rx.decoded[f.id] {
			w.quiet = 0
		}
	}
	if period := 1 << (w.scheme.temporal - 1); w.quiet >= period {
		w.tally.stalls++
		w.rx.fault("nothing decoded of %d pictures, the last picture %d of source %d", w.quiet, p.number, p.source)
	}
}

// note notes that something of a frame was sent.
func (w *world) note(x *wire) {
	if p := w.pictureOf(x); p != nil {
		p.sent[x.frame.id]++
	}
	if w.rx.seen[x.frame.id] {
		return
	}
	w.tally.frames++
	w.rx.seen[x.frame.id] = true
}

// left notes that the line has left a source: pictures of it that are not
// complete, and those after them, are cut.
func (w *world) left(source rewrite.Source) {
	if source == 0 {
		return
	}
	cut := false
	for _, p := range w.pictures {
		if p.source != source {
			continue
		}
		if cut = cut || p.left > 0; cut {
			for _, f := range p.frames {
				w.cut[f.id] = true
			}
		}
	}
}

// seenLayers returns the highest layers sent of the latest pictures.
func (w *world) seenLayers(pictures int) (top [2]uint8) {
	for _, p := range w.pictures[max(0, len(w.pictures)-pictures*len(w.encoders)):] {
		for _, f := range p.frames {
			if p.source == w.current && p.sent[f.id] > 0 {
				top = [2]uint8{max(top[0], uint8(f.s)), max(top[1], uint8(f.t))}
			}
		}
	}
	return top
}

// settle strikes the balance of all but the newest pictures.
//

// Held are frames of VP8 that a loss before the SFU has cost: a picture that was
// missing when they were sent, and kept a picture id free, proved to be of a
// layer that the line does not have. Until the next sync frame the receiver waits
// for it with the upper layers it has; those of layer 0 go on. No number can be
// taken back, so this is not to be helped.
func (w *world) settle(keep int) {
	n := max(len(w.pictures)-keep, 0)
	var open []*picture
	for _, p := range w.pictures[:n] {
		if p.left > 0 && p.source == w.current {
			// The first packet of a key frame came after the others, and
			// nothing since: the receiver cannot tell yet that it lacks some.
			open = append(open, p)
			continue
		}
		for _, f := range p.frames {
			switch {
			case p.sent[f.id] == 0:
			case w.rx.decoded[f.id]:
				w.tally.decoded++
			case w.cut[f.id]:
				w.tally.cut++
			case w.lossy && w.scheme.codec == codec.VP8 && f.t > 0:
				w.tally.held++
			default:
				w.tally.frozen++
				if w.tally.frozen < 10 {
					w.rx.fault("frame %d (S%dT%d, picture %d of source %d) was sent (%d of %d packets) and not decoded",
						f.id, f.s, f.t, f.picture, p.source, p.sent[f.id], f.packets)
				}
			}
			delete(w.cut, f.id)
		}
	}
	w.pictures = append(open, w.pictures[n:]...)
	w.forget()
}

// forget bounds the memory of the model: nobody asks for frames that old.
func (w *world) forget() {
	const enough = 5000
	newest := *w.encoders[0].ids
	for ; w.oldest+enough < newest; w.oldest++ {
		if f := w.truths[w.oldest]; f != nil {
			f.refs = nil
		}
		delete(w.truths, w.oldest)
		delete(w.rx.decoded, w.oldest)
		delete(w.rx.seen, w.oldest)
	}
	for source, of := range w.store {
		for seq, x := range of {
			if x.frame.id+enough < newest {
				delete(of, seq)
			}
		}
		if len(of) == 0 {
			delete(w.store, source)
		}
	}
}
