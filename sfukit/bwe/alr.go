package bwe

import "time"

const (
	alrUsage  = 0.65 // share of the estimate below which a sender is application limited
	alrWindow = 500 * time.Millisecond
	alrEnter  = 0.8 // share of the window's budget that is left unused
	alrLeave  = 0.5
)

// alr tells when the application sends much less than it may: what then arrives
// says nothing about what else would (ALR, application limited region). It is a
// budget that fills at a share of the estimate and that packets use up; constants
// are those of libwebrtc.
type alr struct {
	active bool
	last   time.Time
	left   float64 // bits of the budget
}

// sent takes a packet, in bytes, and the present estimate in bit/s.
func (a *alr) sent(now time.Time, size int, bps float64) {
	whole := bps * alrUsage * alrWindow.Seconds()
	if !a.last.IsZero() {
		elapsed := min(max(now.Sub(a.last), 0), alrWindow)
		a.left += bps * alrUsage * elapsed.Seconds()
	}
	a.last = now
	a.left = min(max(a.left-float64(size)*8, -whole), whole)
	switch {
	case a.left > whole*alrEnter:
		a.active = true
	case a.left < whole*alrLeave:
		a.active = false
	}
}
