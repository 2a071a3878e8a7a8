package rewrite_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// interval is the time between two pictures.
const interval = 33 * ms

// world is a line between three encodings and a receiver.
type world struct {
	t        testing.TB
	rnd      *rand.Rand
	scheme   scheme
	lossy    bool
	now      time.Duration
	encoders []*encoder
	silent   []int // pictures each encoder leaves out
	truths   map[uint32]*truth
	oldest   uint32 // of them
	next     rewrite.Source
	pending  []*wire // under way to the SFU
	store    map[rewrite.Source]map[int64]*wire
	pictures []*picture // the latest
	cut      map[uint32]bool

	r       *rewrite.Rewriter
	wanted  *encoder
	layers  [2]uint8 // wanted
	granted [2]uint8
	current rewrite.Source

	rx     *receiver
	seqs   seqno.Unwrapper
	sent   map[int64]*media
	jitter map[int64]*media // what the receiver's jitter buffer holds
	due    map[int64]time.Duration
	front  int64 // next number out of the jitter buffer

	latest struct { // sent
		*wire
		*media
	}
	quiet int // pictures of the current source since the last decoded
	tally tally
}

func newWorld(t testing.TB, sch scheme, source rand.Source, lossy bool) *world {
	w := &world{
		t: t, rnd: rand.New(source), scheme: sch, lossy: lossy,
		truths: map[uint32]*truth{}, store: map[rewrite.Source]map[int64]*wire{}, cut: map[uint32]bool{},
		sent: map[int64]*media{}, jitter: map[int64]*media{}, due: map[int64]time.Duration{},
		layers: [2]uint8{rewrite.MaxLayer, rewrite.MaxLayer},
	}
	ids := new(uint32)
	for range 3 {
		w.next++
		w.encoders = append(w.encoders, newEncoder(sch, w.next, 1, w.rnd, ids))
		w.silent = append(w.silent, 0)
	}
	var err error
	w.r, err = rewrite.New(rewrite.Config{
		Codec: sch.codec, FirstSeq: 32_000, FirstTimestamp: 1<<32 - 90_000, PictureID: 32_700, TL0PICIDX: 250,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.rx = newReceiver(sch.codec, w.truths)
	w.wanted = w.encoders[0]
	w.r.Want(w.wanted.source)
	return w
}

// run lets pictures pass until there were enough switches, and then some time
// for all to arrive.
func (w *world) run(enough int) {
	for w.tally.switches+w.tally.layers < enough && len(w.rx.faults) == 0 {
		if w.rnd.IntN(6) == 0 {
			w.act()
		}
		w.step(true)
	}
	w.end()
}

// end lets everything under way arrive, and complains.
func (w *world) end() {
	w.t.Helper()
	for range 30 {
		w.step(false)
	}
	w.settle(0)
	w.tally.split = w.rx.split
	for _, f := range w.rx.faults {
		w.t.Errorf("%+v, lossy %v: %s", w.scheme, w.lossy, f)
	}
}

// act does something at random.
func (w *world) act() {
	k := w.rnd.IntN(len(w.encoders))
	e := w.encoders[k]
	switch n := w.rnd.IntN(100); {
	case n < 40:
		w.want(e)
	case n < 80:
		w.layers = [2]uint8{uint8(w.rnd.IntN(w.scheme.spatial + 1)), uint8(w.rnd.IntN(w.scheme.temporal + 1))}
		w.r.WantLayers(w.layers[0], w.layers[1])
	case n < 84:
		w.left(w.current)
		w.current = 0
		w.r.Want(0)
	case n < 88:
		w.silent[k] = w.rnd.IntN(60)
	case n < 90:
		e.restart()
	case n < 92: // the publisher changes its SSRC
		w.next++
		e.source = w.next
		e.restart()
		w.want(w.wanted)
	case n < 94:
		e.stamped = true
	default:
		was := e.active
		e.active = 1 + w.rnd.IntN(w.scheme.spatial)
		if e.active > was && !(e.anew() && !e.keyed) || e.active < was && e.keyed {
			e.wantKey = true
		}
	}
}

func (w *world) want(e *encoder) {
	w.wanted = e
	w.r.Want(e.source)
}

// step passes the time of one picture.
func (w *world) step(acting bool) {
	w.now += interval
	if w.r.Current() != w.r.Target() || w.r.NeedsKeyframe() || w.r.Target() == 0 {
		if w.rnd.IntN(3) == 0 {
			w.wanted.wantKey = true
			w.want(w.wanted)
		}
	}
	for k, e := range w.encoders {
		if w.silent[k] > 0 || !acting {
			w.silent[k]--
			continue
		}
		w.send(e.next(w.now))
	}
	slices.SortStableFunc(w.pending, func(a, b *wire) int { return a.Arrival.Compare(b.Arrival) })
	n := 0
	for ; n < len(w.pending) && !w.pending[n].Arrival.After(t0.Add(w.now)); n++ {
		w.arrive(w.pending[n])
	}
	w.pending = slices.Delete(w.pending, 0, n)
	w.repair()
	if len(w.pictures) > 120 {
		w.settle(60)
	}
}

// send puts a picture on its way to the SFU.
func (w *world) send(packets []*wire) {
	if len(packets) == 0 {
		return
	}
	p := &picture{
		source: packets[0].Source, number: packets[0].frame.picture, left: len(packets), sent: map[uint32]int{},
	}
	w.pictures = append(w.pictures, p)
	for i, x := range packets {
		if x.index == 0 {
			p.frames = append(p.frames, x.frame)
			w.truths[x.frame.id] = x.frame
		}
		x.Arrival = x.Arrival.Add(time.Duration(i) * ms / 4)
		if w.lossy {
			switch n := w.rnd.IntN(100); {
			case n < 4: // lost, and sent again
				x.Arrival = x.Arrival.Add(time.Duration(30+w.rnd.IntN(100)) * ms)
			case n < 8: // overtaken
				x.Arrival = x.Arrival.Add(time.Duration(w.rnd.IntN(20)) * ms)
			case n < 10: // comes twice
				again := *x
				again.Arrival = x.Arrival.Add(time.Duration(w.rnd.IntN(40)) * ms)
				again.Payload, again.index = &again.read, -1
				if again.Dependency != nil {
					again.Dependency = &again.dependency
				}
				w.pending = append(w.pending, &again)
			}
		}
		w.pending = append(w.pending, x)
	}
}

// arrive takes a packet through the SFU.
func (w *world) arrive(x *wire) {
	if x.index >= 0 {
		of := w.store[x.Source]
		if of == nil {
			of = map[int64]*wire{}
			w.store[x.Source] = of
		}
		of[x.Seq] = x
	}
	drop := w.forward(x)
	p := w.pictureOf(x)
	if p == nil || x.index < 0 {
		return
	}
	if drop == rewrite.AwaitKeyframe {
		return // it may be wanted yet
	}
	if p.left--; p.left == 0 && p.source == w.current && !w.lossy {
		w.count(p)
	}
}

// forward gives a packet to the line.
func (w *world) forward(x *wire) rewrite.Drop {
	var out rewrite.Out
	drop := w.r.Map(&x.Packet, &out)
	if s, t := w.r.Layers(); [2]uint8{s, t} != w.granted && w.r.Current() != 0 {
		w.granted = [2]uint8{s, t}
		if !out.Switched {
			w.tally.layers++
		}
	}
	if drop != rewrite.Forwarded {
		return drop
	}
	if out.Switched {
		w.left(w.current)
		w.current, w.quiet = x.Source, 0
		w.tally.switches++
	}
	m := w.make(x, &out)
	n := w.seqs.Unwrap(out.Seq)
	if w.sent[n] != nil {
		w.rx.fault("number %d is used twice", out.Seq)
	}
	if w.front == 0 {
		w.front = n
	}
	w.latest.wire, w.latest.media = x, m
	w.sent[n] = m
	delete(w.sent, n-2000)
	w.tally.packets++
	if out.Empty {
		w.tally.empty++
	} else {
		w.note(x)
	}
	switch {
	case !w.lossy:
		w.rx.receive(m)
	case w.rnd.IntN(100) < 5:
		w.due[n] = w.now + time.Duration(30+w.rnd.IntN(60))*ms // lost: a NACK comes
	default:
		w.jitter[n] = m
	}
	return rewrite.Forwarded
}
