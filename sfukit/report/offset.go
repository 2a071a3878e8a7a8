package report

import "time"

const (
	offsetWindow = 30 * time.Second
	offsetSize   = 32 // a report a second from two streams fills half the window
	// No report is delayed this much more than another; a clock was set.
	maxOffsetStep = 2 * time.Second
)

// An Offset estimates the difference between a publisher's wall clock and ours.
// Each sender report shows that difference plus its own delay on the way; the
// smallest of the last 30 s is the closest, and is off by about the one-way
// delay, alike for all streams of the publisher. Give it the reports of all of
// them. The zero value knows nothing yet. An Offset is not safe for concurrent use.
type Offset struct {
	samples [offsetSize]offsetSample // ring
	n       int                      // samples in use
	next    int                      // where the next goes
	strange bool                     // the previous report was far off
	best    time.Duration            // smallest offset in samples
}

type offsetSample struct {
	at     time.Time
	offset time.Duration
}

// Observe records that a sender report with the NTP time ntp arrived at now, our
// wall clock. Zero is ignored. A difference more than 2 s away from the estimate
// is ignored once and, if the next report is that far away too, taken for a clock
// that was set: then all earlier reports are forgotten.
func (o *Offset) Observe(now time.Time, ntp uint64) {
	if ntp == 0 {
		return
	}
	offset := now.Sub(FromNTP(ntp))
	if d := offset - o.best; o.n > 0 && (d > maxOffsetStep || d < -maxOffsetStep) {
		if !o.strange {
			o.strange = true
			return
		}
		o.n, o.next = 0, 0
	}
	o.strange = false
	o.samples[o.next] = offsetSample{now, offset}
	o.next = (o.next + 1) % offsetSize
	o.n = min(o.n+1, offsetSize)

	o.best = offset
	for _, s := range o.samples[:o.n] {
		if now.Sub(s.at) <= offsetWindow {
			o.best = min(o.best, s.offset)
		}
	}
}

// Local returns what our wall clock showed when the publisher's showed t, plus
// about the one-way delay. It reports false before the first report.
func (o *Offset) Local(t time.Time) (time.Time, bool) {
	if o.n == 0 {
		return time.Time{}, false
	}
	return t.Add(o.best), true
}
