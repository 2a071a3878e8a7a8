package allocate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// noises are ways a target moves within 20 % of its level, as factors by time.
func noises(r *rand.Rand) map[string]func(time.Duration) float64 {
	m := map[string]func(time.Duration) float64{
		"white": func(time.Duration) float64 { return 0.8 + 0.4*r.Float64() },
	}
	walk := 1.0
	m["walk"] = func(time.Duration) float64 {
		walk = min(max(walk+0.02*r.NormFloat64(), 0.8), 1.2)
		return walk
	}
	saw := 1.0 // as additive increase and multiplicative decrease have it
	m["sawtooth"] = func(time.Duration) float64 {
		if saw += 0.002 + 0.002*r.Float64(); saw > 1.1+0.1*r.Float64() {
			saw *= 0.7 + 0.1*r.Float64()
		}
		return min(max(saw, 0.8), 1.2)
	}
	for _, period := range []time.Duration{400, 2_000, 8_000, 20_000, 40_000} {
		period *= time.Millisecond
		m["square "+period.String()] = func(at time.Duration) float64 {
			if at%period < period/2 {
				return 1.2
			}
			return 0.8
		}
		m["sine "+period.String()] = func(at time.Duration) float64 {
			return 1 + 0.2*math.Sin(2*math.Pi*at.Seconds()/period.Seconds())
		}
	}
	return m
}

// TestNoise bounds the visible changes: under any target within 20 % of a level,
// with probes that confirm every peak or without any, a track goes to another
// encoding, or on and off, at most six times in any minute. Temporal layers, each a
// small step, may double that.
func TestNoise(t *testing.T) {
	for _, tc := range []struct {
		name           string
		rungs          func() []allocate.Rung
		changes, jumps int
	}{{"simulcast", usual, 6, 6}, {"layered", layered, 12, 6}} {
		t.Run(tc.name, func(t *testing.T) {
			var changes, jumps, minutes, total int
			var where string
			for _, tracks := range []int{1, 4} {
				for level := 60.0; level < 12_000; level *= 3.3 {
					for name := range noises(nil) {
						for _, probes := range []bool{false, true} {
							noise := noises(rand.New(rand.NewPCG(1, uint64(level))))[name]
							s := noisy(t, tracks, tc.rungs, level, noise, probes)
							for id, c := range s.changes {
								total += len(c)
								jumps = max(jumps, most(s.jumps[id]))
								if n := most(c); n > changes {
									changes = n
									where = fmt.Sprintf("%d tracks, %s around %.0f kbit/s, probes %v", tracks, name, level, probes)
								}
							}
							minutes += 2 * tracks
						}
					}
				}
			}
			t.Logf("in a minute, a track: at most %d changes (%s), %d of encoding; %.2f on average", changes, where, jumps, float64(total)/float64(minutes))
			if changes > tc.changes || jumps > tc.jumps {
				t.Errorf("%d changes in a minute, %d of encoding, with %s; want at most %d, %d", changes, jumps, where, tc.changes, tc.jumps)
			}
		})
	}
}

// noisy runs three minutes, of which the first does not count.
func noisy(t *testing.T, tracks int, rungs func() []allocate.Rung, level float64, noise func(time.Duration) float64, probes bool) *scene {
	t.Helper()
	s := newScene(t, allocate.Config{}, voice(100))
	for id := range tracks {
		s.tracks = append(s.tracks, allocate.Track{ID: uint64(id), Rungs: rungs(), Speaker: id == 2})
	}
	for i := range 1_800 {
		if i == 600 {
			s.forget()
		}
		target := units.Bitrate(level * 1e3 * noise(time.Duration(i)*tick))
		if probes {
			s.probed(target)
		}
		s.step(target)
	}
	return s
}
