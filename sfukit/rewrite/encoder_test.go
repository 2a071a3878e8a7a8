package rewrite_test

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/framemarking"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// scheme is how an encoder arranges its frames.
type scheme struct {
	codec    codec.Codec
	spatial  int
	temporal int
	keyed    bool // spatial layers refer to each other in key pictures only
	flexible bool // VP9
	deep     bool // frames of upper temporal layers refer to their own layer, too
	short    bool // 7-bit picture ids
}

// gops are the temporal layers of one period, for one to three of them.
var gops = [4][]int{1: {0}, 2: {0, 1, 0, 1, 0, 1, 0, 1}, 3: {0, 2, 1, 2, 0, 2, 1, 2}}

// truth is what a frame really is, whatever its packets say.
type truth struct {
	id      uint32
	picture int // of its encoder
	s, t    int
	key     bool     // picture
	refs    []*truth // what the decoder needs
	fresh   bool     // not predicted from earlier pictures
	sync    bool     // see LayerSync
	packets int
	pid     int
	number  int64    // of AV1
	needs   dd.Frame // of AV1
}

// wire is one packet as its encoder sent it.
type wire struct {
	rewrite.Packet
	payload    []byte
	extension  []byte // dependency descriptor or frame marking
	read       codec.Payload
	dependency dd.Descriptor
	frame      *truth
	index      int
	ends       bool // its picture
}

// encoder is one encoding of a publisher.
type encoder struct {
	scheme
	rnd     *rand.Rand
	ids     *uint32
	source  rewrite.Source
	domain  uint32
	seq     int64
	base    uint32
	pid     int
	tl0     uint8
	keyIdx  uint8
	picture int
	pos     int // pictures since the key picture
	wantKey bool
	active  int // spatial layers
	last    [3][3]*truth
	before  [3]bool // layer was in the picture before
	// AV1
	number     int64
	structured *dd.Structure
	parser     *dd.Parser
	chains     [3]int64
	announced  int
	stamped    bool // captures are known
	latency    time.Duration
}

func trialRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func newEncoder(sch scheme, source rewrite.Source, domain uint32, rnd *rand.Rand, ids *uint32) *encoder {
	e := &encoder{
		scheme: sch, rnd: rnd, ids: ids, source: source, domain: domain, seq: 1 << 17,
		wantKey: true, active: sch.spatial, latency: time.Duration(rnd.IntN(60)) * ms,
	}
	e.restart()
	return e
}

// restart begins new counters, as a sender that has been restarted does.
func (e *encoder) restart() {
	e.seq += 5000 + int64(e.rnd.IntN(60_000))
	e.base = e.rnd.Uint32()
	e.pid = e.rnd.IntN(1 << 15)
	e.tl0, e.keyIdx = uint8(e.rnd.Uint32()), uint8(e.rnd.IntN(32))
	e.number = int64(e.rnd.IntN(1 << 16))
	e.parser = &dd.Parser{}
	e.structured = nil
	e.wantKey = true
}

// next encodes the picture captured at t0+at.
func (e *encoder) next(at time.Duration) []*wire {
	key := e.wantKey
	e.wantKey = false
	e.picture++
	e.pid++
	e.pos++
	if key {
		e.pos = 0
		e.keyIdx++
		e.last = [3][3]*truth{}
		e.announced = e.active
	}
	phase := e.pos % len(gops[e.temporal])
	t := gops[e.temporal][phase]
	if t == 0 {
		e.tl0++
	}
	frames := e.frames(t, phase, key)
	var packets []*wire
	for i, f := range frames {
		packets = append(packets, e.packetize(f, at, i == len(frames)-1)...)
	}
	return packets
}

// frames makes the frames of a picture.
func (e *encoder) frames(t, phase int, key bool) (frames []*truth) {
	var lower *truth
	for s := range e.spatial {
		f := e.frame(s, t, phase, key, lower)
		e.before[s] = f != nil
		if f == nil {
			continue
		}
		if e.codec == codec.AV1 {
			e.depend(f)
		}
		e.last[s][t] = f
		frames = append(frames, f)
		lower = f
	}
	return frames
}

// frame makes the frame of one spatial layer, nil if it is not sent.
func (e *encoder) frame(s, t, phase int, key bool, lower *truth) *truth {
	if s >= e.active {
		return nil
	}
	f := &truth{picture: e.picture, s: s, t: t, key: key, pid: e.pid, packets: 1 + e.rnd.IntN(3)}
	interLayer := lower != nil && (key || !e.keyed)
	switch {
	case key:
		f.fresh, f.sync = true, true
	case !e.before[s] || e.last[s][0] == nil:
		if e.keyed || t != 0 || !e.anew() {
			return nil // waits
		}
		f.fresh, f.sync = true, true
		e.last[s] = [3]*truth{}
	default:
		f.refs, f.sync = e.references(s, t, phase)
	}
	if interLayer {
		f.refs = append(f.refs, lower)
	}
	*e.ids++
	f.id = *e.ids
	return f
}

// anew reports whether the encoder can begin an upper layer between key
// pictures. libwebrtc does not with AV1.
func (e *encoder) anew() bool { return e.codec == codec.VP9 }

// references returns what a frame is predicted from in its own layer.
func (e *encoder) references(s, t, phase int) (refs []*truth, sync bool) {
	last := e.last[s]
	refs = []*truth{last[0]}
	if t == 0 {
		return refs, phase == 0 || !e.deep
	}
	if !e.deep {
		if phase%4 == 3 && last[1] != nil && e.temporal == 3 {
			refs = []*truth{last[1]}
		}
		return refs, true
	}
	if first := phase < 3 && !(e.temporal == 2 && phase != 1); first {
		return refs, e.codec != codec.VP9
	}
	for _, f := range last[1 : t+1] {
		if f != nil {
			refs = append(refs, f)
		}
	}
	return refs, false
}

func (e *encoder) packetize(f *truth, at time.Duration, lastFrame bool) []*wire {
	var packets []*wire
	for i := range f.packets {
		w := &wire{frame: f, index: i, ends: lastFrame && i == f.packets-1}
		w.Packet = rewrite.Packet{
			Source: e.source, Domain: e.domain, Seq: e.seq, Timestamp: e.base + uint32(at*90/ms),
			Marker: w.ends, Arrival: t0.Add(at + e.latency), Payload: &w.read,
		}
		if e.stamped {
			w.Capture = captured.Add(at)
		}
		e.seq++
		switch e.codec {
		case codec.VP8:
			w.payload = e.vp8(f, i)
		case codec.VP9:
			w.payload = e.vp9(f, i)
		case codec.H264:
			w.payload = e.h264(f, i)
			w.extension = e.marking(f, i)
		case codec.AV1:
			w.payload = e.av1(f, i)
			w.extension = e.descriptor(f, i)
		}
		w.payload = binary.BigEndian.AppendUint32(w.payload, f.id)
		w.payload = append(w.payload, byte(i), byte(f.packets), 0xff)
		if err := codec.Parse(e.codec, w.payload, &w.read); err != nil {
			panic(err)
		}
		if e.codec == codec.H264 {
			var m framemarking.Marking
			if err := framemarking.Parse(w.extension, &m); err != nil {
				panic(err)
			}
			w.read.Mark(&m)
		}
		if e.codec == codec.AV1 {
			if err := e.parser.Parse(w.extension, &w.dependency); err != nil {
				panic(err)
			}
			w.Dependency = &w.dependency
		}
		packets = append(packets, w)
	}
	return packets
}

func flags(bits ...bool) (b byte) {
	for _, bit := range bits {
		b <<= 1
		if bit {
			b |= 1
		}
	}
	return b
}

func (e *encoder) appendPictureID(b []byte) []byte {
	if e.short {
		return append(b, byte(e.pid&0x7f))
	}
	return append(b, 0x80|byte(e.pid>>8&0x7f), byte(e.pid))
}

func (e *encoder) vp8(f *truth, i int) []byte {
	b := []byte{0x80 | flags(f.t > 0 && f.t == e.temporal-1 && !e.deep, i == 0)<<4, 0xf0}
	b = e.appendPictureID(b)
	b = append(b, e.tl0, byte(f.t)<<6|flags(f.sync && f.t > 0)<<5|e.keyIdx&0x1f)
	if f.key && i == 0 {
		return append(b, 0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01)
	}
	return append(b, 0x51)
}

func (e *encoder) vp9(f *truth, i int) []byte {
	structure := f.key && f.s == 0 && i == 0
	b := []byte{flags(true, !f.fresh, true, e.flexible, i == 0, i == f.packets-1, structure,
		f.s == e.active-1 || e.keyed && !f.key)}
	b = e.appendPictureID(b)
	interLayer := f.s > 0 && (f.key || !e.keyed)
	b = append(b, byte(f.t)<<5|flags(f.sync)<<4|byte(f.s)<<1|flags(interLayer))
	if !e.flexible {
		b = append(b, e.tl0)
	} else if !f.fresh {
		n := 0
		for _, r := range f.refs {
			if r.s == f.s {
				if n++; n > 1 {
					b[len(b)-1] |= 1
				}
				b = append(b, byte(f.pid-r.pid)<<1)
			}
		}
	}
	if structure {
		b = append(b, byte(e.active-1)<<5|flags(true, !e.flexible)<<3)
		for s := range e.active {
			b = binary.BigEndian.AppendUint16(b, 320<<s)
			b = binary.BigEndian.AppendUint16(b, 180<<s)
		}
		if !e.flexible {
			b = append(b, gofs[e.temporal]...)
		}
	}
	return append(b, 0x86)
}

// gofs are the picture groups of a scheme that is not deep: for each picture
// its temporal layer, switching up, and one reference.
var gofs = [4][]byte{
	1: {1, 0x14, 1},
	2: {2, 0x14, 2, 0x34, 1},
	3: {4, 0x14, 4, 0x54, 1, 0x34, 2, 0x54, 1},
}

func (e *encoder) h264(f *truth, i int) []byte {
	switch {
	case f.key && i == 0:
		return []byte{0x67, 0x42, 0xc0, 0x1f} // a parameter set opens a key frame
	case f.key:
		return []byte{0x65, 0x88}
	default:
		return []byte{0x61, flags(i == 0) << 7}
	}
}

func (e *encoder) marking(f *truth, i int) []byte {
	return []byte{flags(i == 0, i == f.packets-1, f.key, f.t > 0 && f.t == e.temporal-1, f.t > 0 && f.sync)<<3 | byte(f.t)}
}

func (e *encoder) av1(f *truth, i int) []byte {
	if i > 0 {
		return []byte{0x90, 0x00} // continues an OBU
	}
	if f.key && f.s == 0 {
		return []byte{0x18, 0x30}
	}
	return []byte{0x10, 0x30}
}
