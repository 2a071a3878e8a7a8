package rewrite_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// maxScript bounds the work of one fuzz input.
const maxScript = 4096

// stage plays a script of bytes, two to a step, to a model: three encodings of
// two publishers, all near the wraps of their counters.
type stage struct {
	m      *model
	feeds  [3]feed
	rest   [3][]*rewrite.Packet // of the frame under way
	drop   [3]bool              // that frame is skipped as a whole
	held   []*rewrite.Packet
	last   *rewrite.Packet
	now    time.Duration
	frames int
}

func newStage(t *testing.T) *stage {
	return &stage{
		m: newModel(t, rewrite.Config{
			Codec: codec.VP8, FirstSeq: 32767, FirstTimestamp: 1<<32 - 20_000, PictureID: 32760, TL0PICIDX: 250,
		}),
		feeds: [3]feed{
			{id: 1, domain: 1, seq: 1<<17 - 20, base: 1<<32 - 9_000, bits: 15, pic: 32750, latency: 20 * ms},
			{id: 2, domain: 1, seq: 1 << 16, base: 77, bits: 15, pic: 4, latency: 35 * ms, clock: true},
			{id: 3, domain: 2, seq: 1<<16 + 65_000, base: 1 << 31, bits: 7, pic: 120, latency: 90 * ms},
		},
	}
}

// next returns the next packet of feed k; arg shapes a new frame.
func (s *stage) next(k int, arg byte) *rewrite.Packet {
	if len(s.rest[k]) == 0 {
		s.frames++
		s.drop[k] = arg&0x38 == 0x38
		s.rest[k] = s.feeds[k].frame(s.now, 1+int(arg&3), arg&0x04 != 0)
	}
	p := s.rest[k][0]
	s.rest[k] = s.rest[k][1:]
	p.Arrival = t0.Add(s.now + s.feeds[k].latency)
	return p
}

func (s *stage) deliver(k int, p *rewrite.Packet, skip bool) {
	if skip {
		s.m.skip(p)
		return
	}
	s.last = p
	s.m.mapPacket(p)
}

func (s *stage) step(op, arg byte) {
	k := int(op>>4) % len(s.feeds)
	f := &s.feeds[k]
	s.now += ms + time.Duration(arg>>6)*7*ms
	switch op & 0x0f {
	case 8: // lost
		s.next(k, arg&^0x38)
	case 9: // held back
		if p := s.next(k, arg&^0x38); len(s.held) < 16 && !s.drop[k] {
			s.held = append(s.held, p)
		}
	case 10: // what was held back arrives
		if n := len(s.held); n > 0 {
			i := int(arg) % n
			p := s.held[i]
			s.held = append(s.held[:i], s.held[i+1:]...)
			p.Arrival = t0.Add(s.now)
			s.deliver(k, p, false)
		}
	case 11: // comes twice
		if s.last != nil {
			s.m.mapPacket(s.last)
		}
	case 12, 13:
		s.m.want(f.id)
	case 14: // padding between two frames
		if len(s.rest[k]) == 0 {
			s.m.skip(f.packet(s.now))
		}
	case 15:
		s.rare(f, k, arg)
	default:
		p := s.next(k, arg)
		s.deliver(k, p, s.drop[k])
	}
}

func (s *stage) rare(f *feed, k int, arg byte) {
	switch arg & 7 {
	case 0:
		s.m.want(0)
	case 1: // the sender starts over
		s.rest[k] = nil
		f.seq += 3100 + int64(arg)*90
		f.base += 1<<30 + uint32(arg)<<20
	case 2:
		s.rest[k] = nil
		f.seq -= 3100 + int64(arg)*90
		f.base += 1<<30 + uint32(arg)<<20
	case 3: // a sender report arrives
		f.clock = true
	case 4: // the path changes
		f.latency = time.Duration(arg) * ms
	case 5: // nothing for a while
		s.now += time.Duration(arg) * 50 * ms
	case 6: // a stretch is lost
		s.rest[k] = nil
		f.seq += int64(arg)
	}
}

func play(t *testing.T, script []byte) *stage {
	s := newStage(t)
	s.m.want(1)
	for i := 0; i+1 < min(len(script), maxScript); i += 2 {
		s.step(script[i], script[i+1])
	}
	return s
}

func FuzzRewriter(f *testing.F) {
	f.Add([]byte{0x00, 0x06, 0x00, 0x02, 0x1c, 0x00, 0x10, 0x05, 0x10, 0x01})             // a switch
	f.Add([]byte{0x00, 0x06, 0x09, 0x02, 0x00, 0x02, 0x0a, 0x00, 0x0b, 0x00})             // held back, twice
	f.Add([]byte{0x00, 0x04, 0x00, 0x39, 0x00, 0x39, 0x0e, 0x00, 0x00, 0x01})             // skips
	f.Add([]byte{0x00, 0x04, 0x0f, 0x01, 0x00, 0x01, 0x00, 0x04, 0x0f, 0x0a, 0x00, 0x04}) // restarts
	f.Add([]byte{0x00, 0x04, 0x0f, 0x00, 0x00, 0x04, 0x0c, 0x00, 0x00, 0x04})             // a pause
	f.Fuzz(func(t *testing.T, script []byte) { play(t, script) })
}

// TestRandom plays long random scripts, which reach the wraps of all counters.
func TestRandom(t *testing.T) {
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, maxScript)
		for i := range script {
			script[i] = byte(rnd.Uint32())
		}
		// Make most of them calmer than noise: fewer rare events.
		for i := 0; seed%4 != 0 && i < len(script); i += 2 {
			if script[i]&0x0f >= 12 && rnd.IntN(8) != 0 {
				script[i] &^= 0x08
			}
		}
		s := play(t, script)
		if len(s.m.sent) < 20 {
			t.Errorf("seed %d: only %d packets sent", seed, len(s.m.sent))
		}
	}
}

// tape is a source of randomness that a fuzzer can write; at its end it goes on
// with a generator.
type tape struct {
	bytes []byte
	rest  *rand.PCG
}

func (t *tape) Uint64() (v uint64) {
	if len(t.bytes) == 0 {
		return t.rest.Uint64()
	}
	for range 8 { // of which IntN uses the upper half
		v <<= 8
		if len(t.bytes) > 0 {
			v |= uint64(t.bytes[0])
		}
	}
	t.bytes = t.bytes[1:]
	return v
}

// FuzzReceiver lets the fuzzer decide all that TestReceiver leaves to chance.
func FuzzReceiver(f *testing.F) {
	for i := range schemes {
		f.Add(uint8(i), i%2 == 0, []byte("\x10\xf0\x40\xa0\xff\x00\x80"))
	}
	f.Fuzz(func(t *testing.T, k uint8, lossy bool, script []byte) {
		s := schemes[int(k)%len(schemes)]
		w := newWorld(t, s.scheme, &tape{script[:min(len(script), maxScript)], rand.NewPCG(1, 1)}, lossy)
		for range 150 {
			if w.rnd.IntN(6) == 0 {
				w.act()
			}
			w.step(true)
		}
		w.end()
	})
}
