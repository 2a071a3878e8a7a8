package rewrite_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

const frameTicks = 3000 // at 30 frames a second

// Delay that grows with each switch (janus-gateway#1463): every first packet
// of a new source is late by another amount, so a step guessed from arrivals is
// wrong each time. After 200 switches the line must be where one source alone
// would be.
func TestDriftOverManySwitches(t *testing.T) {
	for _, tc := range []struct {
		name  string
		clock bool // captures known; otherwise arrivals are all there is
		extra time.Duration
	}{
		{"by capture", true, 80 * ms},
		{"by arrival", false, 25 * ms},
	} {
		q, f := lowHigh()
		q.clock, f.clock = tc.clock, tc.clock
		l := newLine(t, rewrite.Config{Codec: codec.VP8})
		l.Want(q.id)
		at := time.Duration(0)
		show := func(src, other *feed, key bool) int32 {
			at += 33*ms + ms/3
			p := src.frame(at, 1, key)
			other.frame(at, 1, false)
			out := l.send(p...)[0]
			return int32(out.Timestamp - uint32(at*90/ms))
		}
		base := show(q, f, true)
		from, to := q, f
		for n := range 200 {
			for range 5 {
				show(from, to, false)
			}
			l.Want(to.id)
			to.latency += tc.extra // the key frame is large and slow
			lead := show(to, from, true) - base
			to.latency -= tc.extra
			if lead < -frameTicks+1 || lead >= frameTicks {
				t.Fatalf("%s: after %d switches the line is off by %d ticks, want less than a frame (%d)",
					tc.name, n+1, lead, frameTicks)
			}
			from, to = to, from
		}
	}
}

// A timestamp offset that becomes too large (mediasoup#990): clocks that lie
// must not push the line away from real time.
func TestStepBounds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		capture time.Duration // jump of the target's clock
		pause   time.Duration // real time since the last frame of the old source
		min     uint32
		max     uint32
	}{
		{"honest", 0, 33 * ms, 33 * 90, 33 * 90},
		{"captured long before the last picture", -500 * ms, 33 * ms, 1, 1},
		{"clock ahead within reason", 900 * ms, 33 * ms, 933 * 90, 933 * 90},
		{"clock ahead by two seconds", 2 * time.Second, 33 * ms, 33 * 90, 33 * 90},
		{"clock ahead by a century", 876_000 * time.Hour, 33 * ms, 33 * 90, 33 * 90},
		{"clock behind by two seconds", -2 * time.Second, 33 * ms, 33 * 90, 33 * 90},
		{"clock behind by a century", -876_000 * time.Hour, 33 * ms, 33 * 90, 33 * 90},
		{"an hour's pause", 0, time.Hour, 3600 * 90_000, 3600 * 90_000},
		{"a day's pause", 0, 24 * time.Hour, 1 << 30, 1 << 30},
	} {
		q, f := lowHigh()
		l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstTimestamp: 1<<32 - 50})
		l.Want(q.id)
		last := l.send(q.frame(0, 1, true)...)[0]
		l.Want(f.id)
		p := f.frame(tc.pause, 1, true)
		p[0].Capture = p[0].Capture.Add(tc.capture)
		got := l.send(p...)[0].Timestamp - last.Timestamp
		if got < tc.min || got > tc.max {
			t.Errorf("%s: step of %d ticks, want %d to %d", tc.name, got, tc.min, tc.max)
		}
	}
}

// A clock that was set anew costs one guess, not one at every switch.
func TestClockSet(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	shifted := func(src *feed, at time.Duration) rewrite.Out {
		p := src.frame(at, 1, true)
		p[0].Capture = p[0].Capture.Add(-time.Hour)
		l.Want(src.id)
		return l.send(p...)[0]
	}
	shifted(f, 100*ms)
	q.latency += 50 * ms // visible only where arrivals are used
	if got := shifted(q, 200*ms).Timestamp; got != 200*90 {
		t.Errorf("second switch after the clock was set = %d, want %d", got, 200*90)
	}
}

// After a silence too long to show, arrivals count from its end.
func TestLongSilence(t *testing.T) {
	q, f := lowHigh()
	q.clock, f.clock = false, false
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	show := func(src *feed, n int, late time.Duration, key bool, want uint32) {
		t.Helper()
		src.latency += late
		p := src.frame(24*time.Hour+time.Duration(n)*33*ms, 1, key)
		src.latency -= late
		if got := l.send(p...)[0].Timestamp; got != 1<<30+want*90 {
			t.Errorf("frame %d after a day: %d, want %d", n, got, 1<<30+want*90)
		}
	}
	l.Want(f.id)
	show(f, 0, 0, true, 0)
	l.Want(q.id)
	show(q, 1, 20*ms, true, 33+20)
	show(q, 2, 0, false, 66+20)
	l.Want(f.id)
	show(f, 3, 0, true, 99) // the error of the switch before is gone
}

// The capture time becomes known in the middle of a run: the run stays as it
// is, the next switch is exact.
func TestCaptureLearned(t *testing.T) {
	q, f := lowHigh()
	q.clock = false
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	q.clock = true
	if got := l.send(q.frame(33*ms, 1, false)...)[0].Timestamp; got != 33*90 {
		t.Errorf("same run, capture learned: %d, want %d", got, 33*90)
	}
	f.latency += 300 * ms
	l.Want(f.id)
	if got := l.send(f.frame(66*ms, 1, true)...)[0].Timestamp; got != 66*90 {
		t.Errorf("next switch: %d, want %d", got, 66*90)
	}
}

// Captures of different publishers have nothing to do with each other.
func TestDomains(t *testing.T) {
	q, f := lowHigh()
	f.domain = 8
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	l.Want(f.id)
	p := f.frame(100*ms, 1, true)
	p[0].Capture = p[0].Capture.Add(700 * ms)
	if got := l.send(p...)[0].Timestamp; got != 100*90 {
		t.Errorf("another publisher begins at %d, want %d", got, 100*90)
	}
}

// The same picture, in two encodings, needs two timestamps.
func TestSamePicture(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	l.Want(f.id)
	if got := l.send(f.frame(0, 1, true)...)[0].Timestamp; got != 1 {
		t.Errorf("the picture shown before gets timestamp %d, want 1", got)
	}
	if got := l.send(f.frame(33*ms, 1, false)...)[0].Timestamp; got != 1+33*90 {
		t.Errorf("the next picture gets timestamp %d, want %d", got, 1+33*90)
	}
}

func TestOffset(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstTimestamp: 5})
	if _, _, ok := l.Offset(); ok {
		t.Error("Offset before the first packet: ok, want none")
	}
	for _, src := range []*feed{q, f} {
		l.Want(src.id)
		p := src.frame(40*ms, 1, true)[0]
		out := l.send(p)[0]
		offset, id, ok := l.Offset()
		if !ok || id != src.id || p.Timestamp+offset != out.Timestamp {
			t.Errorf("Offset = %d, %d, %v: %d becomes %d, want %d", offset, id, ok,
				p.Timestamp, p.Timestamp+offset, out.Timestamp)
		}
	}
}
