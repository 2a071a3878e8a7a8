package sfukit_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// stackResult is what either level makes of a scenario.
type stackResult struct {
	shown     [][]sim.Shown // by camera
	freezes   []sim.Freeze  // of all cameras
	samples   []stackSample
	concealed float64       // share of audio that the jitter buffer made up
	silent    float64       // share of audio packets that never came; the fast level does not tell
	loss      float64       // share of packets that the link lost
	top       time.Duration // when the last packet of the first camera's best encoding came
}

// stackSample is the state at a time.
type stackSample struct {
	at       time.Duration
	estimate units.Bitrate
}

// glimpse is what is shown for so short that nobody has come to see it.
const glimpse = time.Second

// reached returns how long after the beginning of a phase every camera had come to be
// shown as it must, for longer than a glimpse; negative if that did not happen.
func (r *stackResult) reached(p *stackPhase, end time.Duration) time.Duration {
	var all time.Duration
	for camera, want := range p.want {
		at := time.Duration(-1)
		var shown []sim.Shown
		if camera < len(r.shown) {
			shown = r.shown[camera]
		}
		for i, s := range shown {
			until := end
			if i+1 < len(shown) {
				until = min(end, shown[i+1].At)
			}
			if from := max(s.At, p.from); s.Encoding == want && until-from >= min(glimpse, end-p.from) {
				at = from - p.from
				break
			}
		}
		if at < 0 {
			return -1
		}
		all = max(all, at)
	}
	return all
}

// kept reports whether every camera is shown as it must at the end of a phase.
func (r *stackResult) kept(p *stackPhase, end time.Duration) bool {
	for camera, want := range p.want {
		now := -1
		if camera < len(r.shown) {
			for _, s := range r.shown[camera] {
				if s.At < end {
					now = s.Encoding
				}
			}
		}
		if now != want {
			return false
		}
	}
	return true
}

// below returns how long after a time the estimate has come down to a rate; negative
// if it has not.
func (r *stackResult) below(from time.Duration, rate units.Bitrate) time.Duration {
	for _, s := range r.samples {
		if s.at > from && s.estimate <= rate {
			return s.at - from
		}
	}
	return -1
}

// longest returns the longest freeze of all cameras.
func (r *stackResult) longest() (longest time.Duration) {
	for _, f := range r.freezes {
		longest = max(longest, f.Lasted)
	}
	return longest
}

// rungs writes what was shown and from when on.
func (r *stackResult) rungs() string {
	ladder := sim.Simulcast()
	var cameras []string
	for _, shown := range r.shown {
		var parts []string
		for _, s := range shown {
			name := "–"
			if s.Encoding >= 0 {
				name = ladder[s.Encoding].RID
			}
			parts = append(parts, fmt.Sprintf("%s %.1f", name, s.At.Seconds()))
		}
		cameras = append(cameras, strings.Join(parts, ", "))
	}
	return strings.Join(cameras, " / ")
}
