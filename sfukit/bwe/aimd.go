package bwe

import "time"

const (
	backOff       = 0.85        // share of the measured capacity to fall to
	backOffMost   = 0.7         // share of the rate that is left, while the queue is short
	patience      = time.Second // between steps down for loss beside others
	growth        = 0.08        // per second, far from the known capacity
	growthNear    = 0.02        // per second at least, from
	growthSure    = 0.9         // times that, to
	growthPast    = 1.05        // times it
	growthStep    = 48_000.0    // bit/s per second, there: the same for all, so that flows become equal
	growthBeside  = 48_000.0    // bits per response time, beside others that fill the queue
	growthLeast   = 20_000.0    // bit/s per second, so that a low rate does not stay low
	growthBeyond  = 1.1         // times the known capacity, without a queue, means that it has grown
	ackedHeadroom = 1.25        // times what arrives is as far as the rate is raised
	ackedExtra    = 10_000.0
	ackedProven   = 0.85 // share of what arrives, measured as it is, that the link is sure to carry
)

// aimd moves the rate of the delay term: up multiplicatively, or additively where
// the link was last seen full, and down to a share of what the link passes
// (draft-ietf-rmcat-gcc-02 section 5.5).
type aimd struct {
	bps, min, max float64
	link          linkCapacity
	updated       time.Time
	congested     bool      // there was a step down since there is a queue
	before        float64   // what arrived before it
	dropped       time.Time // latest step down
	contended     bool      // others fill the queue
	grown         bool      // to more than the link was known to carry
}

func (a *aimd) set(bps float64) { a.bps = min(max(bps, a.min), a.max) }

// raise moves the rate up for the time since the last update. acked is what
// arrives, 0 if not known; empty tells that nothing waits on the way, so that the
// link is sure to carry it.
func (a *aimd) raise(now time.Time, acked float64, rtt time.Duration, empty bool) {
	elapsed := min(max(now.Sub(a.updated), 0), time.Second).Seconds()
	if a.updated.IsZero() {
		elapsed = 0
	}
	a.updated = now
	if a.link.above(a.bps) && a.bps > growthBeyond*a.link.bps {
		a.link.forget()
		a.grown = true
	}
	step := max(a.bps*growth, growthLeast)
	if a.bps > growthSure*a.link.bps && a.bps < growthPast*a.link.bps {
		step = max(min(step, growthStep), a.bps*growthNear)
	}
	if a.contended {
		step = max(growthBeside/(rtt+100*time.Millisecond).Seconds(), growthLeast)
	}
	next := a.bps + step*elapsed
	if acked > 0 {
		next = min(next, max(a.bps, ackedHeadroom*acked+ackedExtra))
		if empty {
			next = max(next, ackedProven*acked)
		}
	}
	a.set(next)
}

// hold leaves the rate alone.
func (a *aimd) hold(now time.Time) { a.updated = now }

// drop moves the rate down since the link is full. passed is what it passes, in
// bit/s, 0 if not known, and acked what arrived over a longer time. A sender that is application limited does not fill the
// link by itself: its rate is moved, not replaced by the little it sends. And
// behind a short queue little may have arrived for another reason, such as loss.
func (a *aimd) drop(now time.Time, passed, acked float64, limited, short bool) {
	a.updated, a.dropped, a.grown = now, now, false
	if !a.congested {
		a.congested, a.before = true, min(a.bps, acked)
	}
	if passed <= 0 {
		passed = a.bps
	}
	if short {
		passed = max(passed, a.bps*backOffMost/backOff)
	}
	next := backOff * passed
	if limited {
		next = max(next, backOff*a.bps)
	} else {
		if a.link.below(passed) {
			a.link.forget()
		}
		a.link.full(passed)
	}
	if next >= a.bps && a.link.bps > 0 {
		next = max(backOff*a.link.bps, backOffMost*a.bps)
	}
	if next < a.bps {
		a.set(next)
	}
}

// mayDrop tells whether a step down can have shown its effect since the last.
func (a *aimd) mayDrop(now time.Time, passed float64, rtt time.Duration) bool {
	return now.Sub(a.dropped) >= min(max(rtt, 10*time.Millisecond), 200*time.Millisecond) || passed > 0 && passed < a.bps/2
}

// yield moves the rate down since the queue, which others fill, overflows, but not
// below fair.
func (a *aimd) yield(now time.Time, fair float64) {
	if now.Sub(a.dropped) < patience {
		return
	}
	if next := max(backOff*a.bps, fair); next < a.bps {
		a.set(next)
		a.dropped = now
	}
}
