package rewrite_test

import (
	"math/rand/v2"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// Each of these is a way in which pictures froze, grew late or broke at other
// SFUs, watched by a model of the receiver. Two more are in timeline_test.go:
// janus-gateway#1463 and mediasoup#990.

// watch plays a script to a world without loss: at every picture do is called,
// and in the end everything must have been decoded.
func watch(t *testing.T, sch scheme, pictures int, do func(w *world, picture int)) *world {
	t.Helper()
	w := newWorld(t, sch, rand.NewPCG(1, 2), false)
	for i := range pictures {
		do(w, i)
		w.step(true)
	}
	w.end()
	if w.tally.frozen != 0 || w.tally.stalls != 0 || w.tally.decoded == 0 {
		t.Errorf("%d frames decoded, %d frozen, %d stalls; want none frozen", w.tally.decoded, w.tally.frozen, w.tally.stalls)
	}
	return w
}

// VP9 simulcast freezes at the first change of layer (livekit#4594): every
// encoding is spatial layer 0 of its own stream, so that it is a change of
// source and not of layer, and sender reports must follow it.
func TestVP9Simulcast(t *testing.T) {
	w := watch(t, scheme{codec: codec.VP9, spatial: 1, temporal: 3}, 600, func(w *world, i int) {
		if i%20 == 0 {
			w.want(w.encoders[i/20%3])
		}
		offset, src, ok := w.r.Offset()
		if x, m := w.latest.wire, w.latest.media; ok && (src != x.Source || x.Timestamp+offset != m.timestamp) {
			t.Errorf("picture %d: %d of source %d is sent as %d; offset %d of source %d",
				i, x.Timestamp, x.Source, m.timestamp, offset, src)
		}
	})
	if w.tally.switches < 25 {
		t.Errorf("%d switches, want about 30", w.tally.switches)
	}
}

// Only some of the encodings exist, and the one wanted does not
// (janus-gateway#2231): what flows keeps flowing, and one that exists is reached.
func TestMissingEncoding(t *testing.T) {
	w := watch(t, scheme{codec: codec.VP8, spatial: 1, temporal: 2, deep: true}, 300, func(w *world, i int) {
		w.silent[1] = 1 << 20
		switch i {
		case 50:
			w.want(w.encoders[1])
		case 200:
			if w.r.Current() != w.encoders[0].source {
				t.Errorf("source %d flows while a missing one is wanted, want the old one", w.r.Current())
			}
			w.want(w.encoders[2])
		}
	})
	if w.current != w.encoders[2].source {
		t.Errorf("source %d flows in the end, want %d", w.current, w.encoders[2].source)
	}
}

// Saying again what is wanted must not reset anything (janus-gateway#2219,
// #3196): not a running source, not a switch that waits, not layers.
func TestWantAgain(t *testing.T) {
	w := watch(t, scheme{codec: codec.VP9, spatial: 3, temporal: 3}, 400, func(w *world, i int) {
		w.want(w.encoders[i/100%2])
		w.r.WantLayers(1, uint8(i/150%2)+1)
	})
	if w.tally.switches != 4 {
		t.Errorf("%d switches, want 4", w.tally.switches)
	}
}

// Two encodings on one line at once (janus-gateway#2899), and packets of the old
// one after the switch (ion-sfu#459): switches come so fast and packets so much
// out of order that both could happen.
func TestOneEncodingAtATime(t *testing.T) {
	for _, s := range schemes {
		w := newWorld(t, s.scheme, rand.NewPCG(3, 4), true)
		for i := range 400 {
			if i%3 == 0 {
				w.want(w.encoders[i/3%3])
				w.wanted.wantKey = true
			}
			w.step(true)
		}
		w.end()
		if w.tally.frozen != 0 || w.tally.switches < 50 {
			t.Errorf("%s: %d frames frozen over %d switches, want none over many", s.name, w.tally.frozen, w.tally.switches)
		}
	}
}

// Another stream comes under the same name (janus-gateway#3444): nothing of it
// may be sent before its key frame, and then its counters go on from the old.
func TestSameNameAnotherStream(t *testing.T) {
	for _, s := range schemes {
		w := watch(t, s.scheme, 300, func(w *world, i int) {
			if i%50 == 25 {
				w.encoders[0].restart()
			}
		})
		if w.tally.switches != 7 {
			t.Errorf("%s: %d runs, want 7", s.name, w.tally.switches)
		}
	}
}

// A publisher that stops its upper spatial layers, and takes them up again: a
// picture ends with the highest layer that is there, whatever is wanted.
func TestTopLayerStops(t *testing.T) {
	for _, s := range schemes {
		if s.spatial == 1 {
			continue
		}
		for want := range uint8(3) {
			watch(t, s.scheme, 400, func(w *world, i int) {
				w.r.WantLayers(want, rewrite.MaxLayer)
				e := w.encoders[0]
				switch i % 100 {
				case 30, 50:
					e.active--
					e.active = max(e.active, 1)
					e.wantKey = e.keyed
				case 70:
					e.active = s.spatial
					e.wantKey = e.keyed || !e.anew()
				}
			})
		}
	}
}

// Layers wanted at once and never reached leave the line stuck low: after every
// change of what is wanted the line must get there, with a key frame only where
// NeedsKeyframe asks for one.
func TestLayersAreReached(t *testing.T) {
	for _, s := range schemes {
		rnd := rand.New(rand.NewPCG(5, 6))
		var want [2]uint8
		got := [2]uint8{255, 255}
		watch(t, s.scheme, 1200, func(w *world, i int) {
			if i%30 == 0 {
				if i > 0 && s.spatial*s.temporal > 1 {
					got = w.seenLayers(8)
					if got != want {
						t.Errorf("%s: layers %v are forwarded after a second of wanting %v", s.name, got, want)
					}
				}
				want = [2]uint8{uint8(rnd.IntN(s.spatial)), uint8(rnd.IntN(s.temporal))}
				w.r.WantLayers(want[0], want[1])
			}
		})
	}
}
