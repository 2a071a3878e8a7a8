package bwe

import (
	"slices"
	"time"
)

const (
	baseSpan    = 5 * time.Second       // the base delay is the least of the latest one to two spans
	sampleSpan  = 25 * time.Millisecond // packets sent and received within it are one sample
	queueSample = 4                     // samples of which the least counts
)

// queue measures how long packets wait on the way: the one-way delay above the
// least that was seen lately. Jitter only ever adds to a delay, so the least of a
// few packets is what the queue alone costs.
type queue struct {
	base, former time.Duration // least one-way delay of this span and the one before
	began        time.Time     // when this span did
	known        bool
	samples      [queueSample]time.Duration // least of each of the latest
	n            int                        // samples begun
	sent, recv   time.Time                  // when the latest sample began
	newest       time.Time                  // when the latest packet to arrive was sent
}

// record takes a packet that arrived, in the order of sending.
func (q *queue) record(now time.Time, p *Packet) {
	delay := p.RecvTime.Sub(p.SendTime) // of two clocks: only differences mean something
	switch {
	case !q.known:
		q.known, q.began = true, now
		q.base, q.former = delay, delay
	case now.Sub(q.began) >= baseSpan:
		q.began = now
		q.base, q.former = delay, q.base
	default:
		q.base = min(q.base, delay)
	}
	if p.SendTime.After(q.newest) {
		q.newest = p.SendTime
	}
	if q.n == 0 || p.SendTime.Sub(q.sent) >= sampleSpan && p.RecvTime.Sub(q.recv) > 0 || p.RecvTime.Sub(q.recv) >= sampleSpan {
		q.sent, q.recv = p.SendTime, p.RecvTime
		q.samples[q.n%queueSample] = delay
		q.n++
		return
	}
	l := &q.samples[(q.n-1)%queueSample]
	*l = min(*l, delay)
}

// settled tells whether there are enough packets to go by.
func (q *queue) settled() bool { return q.n >= queueSample }

// restart forgets the latest packets, but not the base.
func (q *queue) restart() { q.n = 0 }

// delay returns how long the latest packets waited, at least.
func (q *queue) delay() time.Duration {
	if !q.settled() {
		return 0
	}
	return max(0, q.latest()-q.least())
}

// latest returns the one-way delay of the fastest of the latest packets.
func (q *queue) latest() time.Duration { return slices.Min(q.samples[:]) }

// least returns the one-way delay that passes for that without a queue.
func (q *queue) least() time.Duration { return min(q.base, q.former) }

// hold keeps the base from being forgotten.
func (q *queue) hold(now time.Time) { q.began = now }

// rebase takes the present delay for the base: the path has become longer.
func (q *queue) rebase() {
	q.base = q.least() + q.delay()
	q.former = q.base
}
