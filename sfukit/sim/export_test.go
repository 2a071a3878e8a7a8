package sim

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Playout is a jitter buffer with a screen, for tests.
type Playout struct{ p playout }

// Show takes a picture and returns the freeze that it ends.
func (p *Playout) Show(captured, ready time.Duration) (Freeze, bool) {
	return p.p.show(captured, ready)
}

// FeedbackInterval and Nacks are what a receiver does.
var FeedbackInterval = feedbackInterval

// Nacks is a receiver's list of missing packets, for tests.
type Nacks struct{ n nacks }

// Received notes a packet.
func (n *Nacks) Received(now time.Time, seq int64) ([]int64, bool) { return n.n.received(now, seq) }

// Due returns what is asked for again.
func (n *Nacks) Due(now time.Time) []int64 { return n.n.due(now) }

// BestSum picks rungs, given as pairs of media and wire rate in kbit/s.
func BestSum(tracks [][][2]int, budget int) int {
	var t [][]rung
	for _, rungs := range tracks {
		var r []rung
		for _, p := range rungs {
			r = append(r, rung{units.Bitrate(p[0]) * units.Kbps, units.Bitrate(p[1]) * units.Kbps})
		}
		t = append(t, r)
	}
	return int(bestSum(t, units.Bitrate(budget)*units.Kbps, false) / units.Kbps)
}
