package bwe_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A subscriber's only track has one encoding. While the estimate is below that,
// nothing is sent, and nothing is reported but probes: they alone must find that
// there is room.
func TestPaused(t *testing.T) {
	const k = units.Kbps
	var w *world
	during := func(r *rand.Rand) bool { return w.now > 10*s && w.now < 20*s && r.Float64() < 0.6 }
	tests := []struct {
		name string
		w    world
		rung units.Bitrate
		from time.Duration // since when there is room
		want time.Duration // for the estimate to say so
	}{
		{"at the start", world{capacity: constant(3000 * k)}, 2200 * k, 300 * time.Millisecond, 2 * s},
		{"narrow link", world{capacity: steps(3000*k, step{10 * s, 200 * k}, step{20 * s, 3000 * k})}, 650 * k, 20 * s, 3 * s},
		{"narrow link, long queue", world{capacity: steps(3000*k, step{10 * s, 100 * k}, step{20 * s, 3000 * k}), limit: s}, 650 * k, 20 * s, 3 * s},
		{"loss", world{capacity: constant(3000 * k), lose: during}, 650 * k, 20 * s, 3 * s},
	}
	for _, tc := range tests {
		w = &tc.w
		f := &flow{e: newSendSide(t, bwe.SendSideConfig{}), rungs: []units.Bitrate{tc.rung}, warm: 300 * time.Millisecond}
		w.flows, w.until = []*flow{f}, 30*s
		w.run()
		took := f.until(tc.from, func(r units.Bitrate) bool { return r >= tc.rung })
		least := f.least(tc.from-s/5, tc.from)
		t.Logf("%s: %v, then %v fits after %v; %d probes", tc.name, least, tc.rung, took, f.probes)
		if least >= tc.rung {
			t.Errorf("%s: the estimate is %v and nothing paused", tc.name, least)
		}
		if took < 0 || took > tc.want {
			t.Errorf("%s: %v fits after %v, want %v at most", tc.name, tc.rung, took, tc.want)
		}
	}
}

// Nothing is sent for 5 s, then a track that has one encoding and does not ask.
func TestLateStart(t *testing.T) {
	const k = units.Kbps
	f := &flow{e: newSendSide(t, bwe.SendSideConfig{}), media: constant(2000 * k), rigid: true, from: 5 * s}
	start(t, &world{capacity: constant(8000 * k), flows: []*flow{f}, until: 10 * s})
	took := f.until(5*s, func(r units.Bitrate) bool { return r >= 2000*k })
	t.Logf("2 Mbit/s after %v", took)
	if took < 0 || took > 2*s {
		t.Errorf("the estimate reaches the 2 Mbit/s that are sent after %v, want 2 s at most", took)
	}
}
