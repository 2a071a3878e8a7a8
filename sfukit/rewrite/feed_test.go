package rewrite_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// t0 is when every test begins, on the local clock; captured is the same moment
// on the publishers' clock.
var (
	t0       = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	captured = time.Date(2031, 7, 1, 1, 2, 3, 0, time.UTC)
)

const ms = time.Millisecond

// feed makes the packets of one encoding. Its timestamps follow the time given
// to it, from base on.
type feed struct {
	id      rewrite.Source
	domain  uint32
	seq     int64
	base    uint32
	pic     uint16
	bits    uint8
	tl0     uint8
	key     uint8
	clock   bool          // captures are known
	latency time.Duration // between capture and arrival
}

// frame returns a frame of n packets captured at t0 + at.
func (f *feed) frame(at time.Duration, n int, key bool) []*rewrite.Packet {
	f.pic = (f.pic + 1) & (1<<f.bits - 1)
	f.tl0++
	if key {
		f.key = (f.key + 1) & 0x1f
	}
	var packets []*rewrite.Packet
	for i := range n {
		p := f.packet(at)
		p.Marker = i == n-1
		p.Payload = &codec.Payload{
			Start: i == 0, Keyframe: i == 0 && key,
			Descriptor: codec.Descriptor{
				PictureIDBits: f.bits, PictureID: f.pic,
				HasTL0PICIDX: true, TL0PICIDX: f.tl0, HasKeyIdx: true, KeyIdx: f.key,
			},
		}
		packets = append(packets, p)
	}
	return packets
}

// packet returns the next packet without a payload description.
func (f *feed) packet(at time.Duration) *rewrite.Packet {
	p := &rewrite.Packet{
		Source: f.id, Domain: f.domain, Seq: f.seq,
		Timestamp: f.base + uint32(at*90/ms),
		Arrival:   t0.Add(at + f.latency),
	}
	if f.clock {
		p.Capture = captured.Add(at)
	}
	f.seq++
	return p
}

// line is a Rewriter under test.
type line struct {
	*rewrite.Rewriter
	t *testing.T
}

func newLine(t *testing.T, cfg rewrite.Config) line {
	t.Helper()
	r, err := rewrite.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v) = %v", cfg, err)
	}
	return line{r, t}
}

// send maps packets that must be forwarded.
func (l line) send(packets ...*rewrite.Packet) []rewrite.Out {
	l.t.Helper()
	var outs []rewrite.Out
	for _, p := range packets {
		var out rewrite.Out
		if drop := l.Map(p, &out); drop != rewrite.Forwarded {
			l.t.Fatalf("source %d packet %d: %v, want forwarded", p.Source, p.Seq, drop)
		}
		outs = append(outs, out)
	}
	return outs
}

// drop maps packets that must be dropped for the given reason.
func (l line) drop(want rewrite.Drop, packets ...*rewrite.Packet) {
	l.t.Helper()
	for _, p := range packets {
		out := rewrite.Out{Seq: 4711}
		if got := l.Map(p, &out); got != want {
			l.t.Errorf("source %d packet %d: %v, want %v", p.Source, p.Seq, got, want)
		}
		if out != (rewrite.Out{Seq: 4711}) {
			l.t.Errorf("source %d packet %d: dropped, but out is %+v", p.Source, p.Seq, out)
		}
	}
}

func seqs(outs []rewrite.Out) []uint16 {
	var s []uint16
	for _, o := range outs {
		s = append(s, o.Seq)
	}
	return s
}

func lowHigh() (q, f *feed) {
	q = &feed{id: 1, domain: 7, seq: 70_000, base: 1_000, bits: 15, pic: 100, latency: 20 * ms, clock: true}
	f = &feed{id: 2, domain: 7, seq: 90_000, base: 4_000_000_000, bits: 15, pic: 9000, latency: 20 * ms, clock: true}
	return q, f
}
