package rewrite_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// TestBeforeKeyframe: the number of the newest key frame is followed within a run and
// across the turn of sequence numbers, and not set back by one that comes late.
func TestBeforeKeyframe(t *testing.T) {
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 7})
	if seq, ok := l.Newest(); ok {
		t.Errorf("Newest before the first = %d", seq)
	}
	f := &feed{id: 1, seq: 100, bits: 15}
	l.Want(1)
	l.send(f.frame(0, 1, true)...)
	at := 0 * ms
	frame := func(n int, key bool) []*rewrite.Packet {
		at += ms
		return f.frame(at, n, key)
	}
	for range 65_525 { // 65532 is the newest
		l.send(frame(1, false)...)
	}
	lateKey := frame(1, true)
	delta := l.send(frame(2, false)...)[0].Seq
	key := l.send(frame(2, true)...)[0].Seq
	l.send(lateKey...)
	last := l.send(frame(1, false)...)[0].Seq
	for _, tc := range []struct {
		seq  uint16
		want bool
	}{{delta, true}, {delta + 1, true}, {key, false}, {key + 1, false}, {last, false}, {last + 1, false}, {65_532, true}} {
		if got := l.BeforeKeyframe(tc.seq); got != tc.want {
			t.Errorf("BeforeKeyframe(%d) = %t, want %t; sent %v", tc.seq, got, tc.want, []uint16{delta, key, last})
		}
	}
	if seq, ok := l.Newest(); !ok || seq != last {
		t.Errorf("Newest = %d, %t, want %d", seq, ok, last)
	}
}
