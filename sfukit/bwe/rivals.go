package bwe

import "time"

const (
	drainFrom  = 50 * time.Millisecond  // a queue above it takes part of the rate to drain
	drainIn    = 500 * time.Millisecond // so that it would be gone within this, but
	drainMax   = 0.4                    // no more than this share of the rate
	drainSure  = 60 * time.Millisecond  // a shorter queue is too few packets to tell
	drainWait  = 3 * time.Second        // but not for longer
	drainTest  = 300 * time.Millisecond // of sending less show in the queue,
	drainLeast = 1.0 / 3                // this much of what they should at least, if it is ours
	rivalry    = 10 * time.Second       // for which it is believed that it is not
	rivalShare = 0.5                    // of the earlier rate is due beside them
)

// drain watches the queue after a step down. If the queue is the flow's own, it
// shrinks by what was taken back. If others keep it full, as a TCP transfer does,
// they take what is left to them, and it stays. What counts is when packets were
// sent: those in the queue left before the step.
type drain struct {
	active bool
	gentle bool          // no more is taken back than the step down did
	begun  bool          // a packet sent since has arrived
	step   time.Time     // when the step down was
	from   time.Time     // when the part that is under test was begun to be sent
	queue  time.Duration // then, or at the step down
}

func (d *drain) begin(now time.Time, queue time.Duration, gentle bool) {
	*d = drain{active: true, gentle: gentle, step: now, from: now, queue: queue}
}

// shrinks tells whether the queue is on its way down.
func (d *drain) shrinks(queue time.Duration) bool { return d.active && queue < d.queue }

// share returns the part of the rate to send while there is a queue.
func (d *drain) share(queue time.Duration) float64 {
	if !d.active || d.gentle {
		return 1
	}
	return 1 - min(max(queue-drainFrom, 0).Seconds()/drainIn.Seconds(), drainMax)
}

// failed takes the queue that a packet met that was sent at a time, and tells, once,
// that it does not shrink as it should.
func (d *drain) failed(sent time.Time, queue time.Duration) bool {
	switch {
	case !d.active || sent.Before(d.from):
		return false
	case queue < queueQuiet:
		d.active = false
		return false
	case !d.begun:
		d.begun, d.from, d.queue = true, sent, queue
		return false
	case sent.Sub(d.from) < drainTest:
		return false
	}
	taken := (1 - backOff*d.share(d.queue)) * float64(sent.Sub(d.from))
	shrinks := float64(d.queue-queue) >= drainLeast*taken
	d.from, d.queue = sent, queue
	if shrinks || queue >= queueFull && queue < drainSure && sent.Sub(d.step) < drainWait {
		return false
	}
	d.active = false
	return queue >= queueFull
}

// rivals are flows that fill the queue whatever the estimator does. Beside them a
// bound on the queue would mean to give way until nothing is left, so that only a
// queue that grows steeply counts, and that the queue overflows: the rate rises and
// falls at the pace of TCP, but not below a fair share for the reason of loss, which
// may be the link's own. They are believed in for a time only. Then the bound counts
// again, and another step down shows whether they are still there.
type rivals struct {
	until time.Time
	fair  float64       // bit/s
	clean time.Duration // least one-way delay before they came
	lossy bool          // the queue overflowed since they were found
}

func (r *rivals) present(now time.Time) bool { return now.Before(r.until) }

// found begins or prolongs the belief, of a queue that does not shrink; before is what
// arrived when it began, clean the least delay known. It returns the rate that is
// due, or false if nobody is there: what is so short, or stays for so long without
// an overflow, is a longer path.
func (r *rivals) found(now time.Time, queue time.Duration, before float64, clean time.Duration) (rate float64, ok bool) {
	if !r.present(now) {
		if queue < drainSure || !r.lossy && now.Sub(r.until) < rivalry {
			r.until = time.Time{}
			return 0, false
		}
		r.fair, r.clean, r.lossy = rivalShare*before, clean, false
	}
	r.until = now.Add(rivalry)
	return r.fair, true
}

// watch ends the belief when the latest packets were as fast as any before: nobody
// fills the queue.
func (r *rivals) watch(now time.Time, latest time.Duration) {
	if r.present(now) && latest < r.clean+queueQuiet {
		r.until = time.Time{}
	}
}
