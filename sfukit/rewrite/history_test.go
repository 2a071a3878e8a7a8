package rewrite_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func TestOriginal(t *testing.T) {
	q, f := lowHigh()
	q.seq = 1 << 16
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 32767, PictureID: 5})
	if _, _, _, ok := l.Original(32767); ok {
		t.Error("Original before the first packet: ok, want none")
	}
	l.Want(q.id)
	sent := map[uint16]*rewrite.Packet{}
	outs := map[uint16]rewrite.Out{}
	send := func(packets ...*rewrite.Packet) {
		for i, out := range l.send(packets...) {
			sent[out.Seq], outs[out.Seq] = packets[i], out
		}
	}
	send(q.frame(0, 3, true)...)
	q.frame(33*ms, 1, false) // lost
	send(q.frame(66*ms, 2, false)...)
	l.Want(f.id)
	send(f.frame(99*ms, 2, true)...)
	for seq, p := range sent {
		want := outs[seq]
		want.Switched = false
		src, n, out, ok := l.Original(seq)
		if !ok || src != p.Source || n != p.Seq || out != want {
			t.Errorf("Original(%d) = %d, %d, %+v, %v; want %d, %d, %+v", seq, src, n, out, ok, p.Source, p.Seq, want)
		}
	}
	for _, seq := range []uint16{32766, 32767 + 3, 32767 + 8, 0} {
		if src, n, _, ok := l.Original(seq); ok {
			t.Errorf("Original(%d) = %d, %d; want none", seq, src, n)
		}
	}
}

func TestOriginalForgets(t *testing.T) {
	for c, size := range map[codec.Codec]int{codec.VP8: 1024, codec.Opus: 256} {
		q, _ := lowHigh()
		l := newLine(t, rewrite.Config{Codec: c})
		l.Want(q.id)
		l.send(q.frame(0, 1, true)...)
		for range size {
			l.send(q.frame(33*ms, 1, false)...)
		}
		if _, _, _, ok := l.Original(0); ok {
			t.Errorf("%v: packet %d ago is remembered", c, size)
		}
		if _, _, _, ok := l.Original(1); !ok {
			t.Errorf("%v: packet %d ago is forgotten", c, size-1)
		}
	}
}

// The second packet of the key frame overtakes the first and is dropped. When
// the subscriber asks for it, its number leads back to it.
func TestMissing(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 9})
	l.Want(q.id)
	key := q.frame(0, 3, true)
	l.drop(rewrite.AwaitKeyframe, key[1])
	l.send(key[0], key[2])
	l.Skip(q.packet(1 * ms))
	l.send(q.frame(33*ms, 2, false)[1])
	for seq, want := range map[uint16]int64{10: key[1].Seq, 12: key[2].Seq + 2} {
		src, n, ok := l.Missing(seq)
		if !ok || src != q.id || n != want {
			t.Errorf("Missing(%d) = %d, %d, %v; want %d, %d", seq, src, n, ok, q.id, want)
		}
	}
	if got := l.send(key[1])[0].Seq; got != 10 {
		t.Errorf("mapped again it is packet %d, want 10", got)
	}
	for _, seq := range []uint16{8, 9, 10, 13, 14} {
		if src, n, ok := l.Missing(seq); ok {
			t.Errorf("Missing(%d) = %d, %d; want none", seq, src, n)
		}
	}
	q.frame(50*ms, 1022, false)
	l.send(q.frame(66*ms, 1, false)...)
	if src, n, ok := l.Missing(12); ok {
		t.Errorf("Missing(12), too old to be mapped = %d, %d; want none", src, n)
	}
	if _, _, ok := l.Missing(14); !ok {
		t.Error("Missing(14): none, want ok")
	}
	l.Want(f.id)
	l.send(f.frame(99*ms, 1, true)...)
	if _, _, ok := l.Missing(14); ok {
		t.Error("Missing(14) after the source has changed: ok, want none")
	}
}

func TestResent(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 2, true)...)
	for i, tc := range []struct {
		at, rtt int
		seq     uint16
		want    bool
	}{
		{0, 50, 0, true}, // even at the instant of sending
		{49, 50, 0, false},
		{49, 50, 1, true},
		{50, 50, 0, true},
		{59, 0, 0, false},
		{60, 0, 0, true},
		{40, 0, 0, false}, // time went back
		{90, 0, 7, false}, // never sent
	} {
		now := t0.Add(q.latency + time.Duration(tc.at)*ms)
		if got := l.Resent(now, tc.seq, time.Duration(tc.rtt)*ms); got != tc.want {
			t.Errorf("%d: Resent(%d ms, %d, rtt %d ms) = %v, want %v", i, tc.at, tc.seq, tc.rtt, got, tc.want)
		}
	}
}
