package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A Packet is what a [Link] carries.
type Packet struct {
	// Flow tells apart what shares a link, for the one who counts.
	Flow int
	// Size is what the packet takes from the link, in bytes.
	Size int
	// Data are the packet's bytes where they matter; owned by whoever holds the
	// packet.
	Data []byte
	// Number is for the sender and receiver of packets without Data.
	Number int64
	// Sent is when the sender sent it.
	Sent time.Time
	// Waited is how long it stood in queues, its own transmission not counted.
	Waited time.Duration
	// To takes the packet where the link ends.
	To func(*Packet)
}

// Loss says how a link loses packets for reasons other than congestion: the
// model of Gilbert and Elliott, in which the link is good or bad and loses a
// different share in either. Shares and probabilities are between 0 and 1. The
// zero value loses nothing.
type Loss struct {
	// Good and Bad are the share of packets lost in either state.
	Good, Bad float64
	// ToBad and ToGood are the probability, at each packet, to change state.
	ToBad, ToGood float64
}

// RandomLoss loses a share of all packets, each independently of the others.
func RandomLoss(share float64) Loss { return Loss{Good: share} }

// BurstLoss loses a share of all packets in runs of the given mean length: the
// model of Gilbert, in which the bad state loses all and the good state nothing.
func BurstLoss(share, length float64) Loss {
	toGood := 1 / max(length, 1)
	return Loss{Bad: 1, ToGood: toGood, ToBad: toGood * share / (1 - share)}
}

func (l Loss) validate() error {
	for _, p := range []float64{l.Good, l.Bad, l.ToBad, l.ToGood} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("%w: Loss %+v, want shares between 0 and 1", ErrConfig, l)
		}
	}
	return nil
}

// A Span is a time from From, inclusive, to To, exclusive, since the start of the
// simulation.
type Span struct{ From, To time.Duration }

// Contains reports whether at lies in the span.
func (s Span) Contains(at time.Duration) bool { return s.From <= at && at < s.To }

// LinkConfig describes one direction of a path with one bottleneck. The zero
// value is a link without any limit, delay or loss.
type LinkConfig struct {
	// Rate is the bottleneck's capacity. Nil means no limit, and no queue.
	Rate Trace
	// Delay is the time that every packet takes beside the queue.
	Delay time.Duration
	// Jitter is the standard deviation of a delay that varies by packet: the
	// absolute value of a normal distribution, cut off at three deviations (RFC
	// 8867 section 4.1.4 has packets vary likewise). Packets do not overtake each
	// other for it.
	Jitter time.Duration
	// Queue is how much the bottleneck's drop-tail queue holds, as time at the
	// first rate of the trace; it keeps that size in bytes when the rate changes. 0
	// means 300 ms (RFC 8867 section 4.1.3).
	Queue time.Duration
	// Loss happens behind the queue: what is lost has taken its capacity.
	Loss Loss
	// Reorder is the share of packets that come ReorderBy late, so that others
	// overtake them. 0 of ReorderBy means 20 ms.
	Reorder   float64
	ReorderBy time.Duration
	// Outages are when all packets that would arrive are lost, as when a station
	// changes its network.
	Outages []Span
	// Overhead is what each packet takes beside its Size, in bytes: 28 for IPv4
	// (RFC 791) and UDP, 38 with the tag of SRTP (RFC 3711) as well.
	Overhead int
}

const (
	defaultQueue     = 300 * time.Millisecond
	defaultReorderBy = 20 * time.Millisecond
)

func (c LinkConfig) validate() error {
	if err := c.Rate.validate(); err != nil {
		return err
	}
	if err := c.Loss.validate(); err != nil {
		return err
	}
	switch {
	case c.Delay < 0 || c.Jitter < 0 || c.Queue < 0 || c.ReorderBy < 0:
		return fmt.Errorf("%w: Delay %v, Jitter %v, Queue %v, ReorderBy %v, want 0 or more", ErrConfig, c.Delay, c.Jitter, c.Queue, c.ReorderBy)
	case !(c.Reorder >= 0 && c.Reorder <= 1):
		return fmt.Errorf("%w: Reorder %v, want 0 to 1", ErrConfig, c.Reorder)
	case c.Overhead < 0:
		return fmt.Errorf("%w: Overhead %d, want 0 or more", ErrConfig, c.Overhead)
	}
	return nil
}

// LinkStats counts what became of a link's packets. Bytes contain the overhead.
type LinkStats struct {
	Sent      int64 // packets handed to the link
	Overflow  int64 // packets that found the queue full
	Lost      int64 // packets lost on the way, by Loss or in an outage
	Delivered int64 // packets that arrived, or are on their way behind the queue
	Bytes     int64 // of those
}

// A Link is one direction of a path: a queue, a bottleneck, and a delay. Make one
// with [NewLink].
type Link struct {
	engine  *Engine
	c       LinkConfig
	random  *rand.Rand
	limit   int // bytes in the queue
	bad     bool
	queue   []departure // what has not left the bottleneck yet, oldest first
	head    int
	queued  int           // bytes in queue
	free    time.Duration // when the bottleneck has nothing left to do
	arrived time.Time     // the latest arrival, which later packets come not before
	stats   LinkStats
	watch   func(*Packet, bool)
}

type departure struct {
	at   time.Duration
	size int
}

// NewLink returns an empty link. Its name picks its randomness, see
// [Engine.Rand]. The error wraps [ErrConfig].
func NewLink(e *Engine, name string, c LinkConfig) (*Link, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.ReorderBy == 0 {
		c.ReorderBy = defaultReorderBy
	}
	l := &Link{engine: e, c: c, random: e.Rand("link " + name)}
	l.limit = c.Rate.Rate(0).Bytes(c.Queue)
	return l, nil
}

// Watch has f called with each packet that the link has decided on, and whether
// it gets through; the time is when it was sent. f must not keep the packet.
func (l *Link) Watch(f func(p *Packet, through bool)) { l.watch = f }

// Send puts a packet into the link, which owns it until its To is called. A
// packet without To is only counted.
func (l *Link) Send(p *Packet) {
	arrival, through := l.pass(p)
	if l.watch != nil {
		l.watch(p, through)
	}
	if through && p.To != nil {
		l.engine.At(arrival, func() { p.To(p) })
	}
}

// pass decides on a packet: when it arrives, or that it does not.
func (l *Link) pass(p *Packet) (time.Time, bool) {
	now := l.engine.Elapsed()
	size := p.Size + l.c.Overhead
	l.stats.Sent++
	l.leave(now)
	start := max(now, l.free)
	out, ever := l.c.Rate.finish(start, float64(8*size))
	if l.c.Rate != nil {
		// A packet that the bottleneck is ready for needs no place in the queue.
		if !ever || l.queued > 0 && l.queued+size > l.limit {
			l.stats.Overflow++
			return time.Time{}, false
		}
		l.free = out
		l.queue = append(l.queue, departure{out, size})
		l.queued += size
		p.Waited += l.waited(now, out, size)
	}
	if l.lost() || l.outage(out) {
		l.stats.Lost++
		return time.Time{}, false
	}
	l.stats.Delivered++
	l.stats.Bytes += int64(size)
	at := epoch.Add(out + l.c.Delay + l.jitter())
	if l.c.Reorder > 0 && l.random.Float64() < l.c.Reorder {
		return at.Add(l.c.ReorderBy), true
	}
	if at.Before(l.arrived) {
		at = l.arrived
	}
	l.arrived = at
	return at, true
}

// waited returns how much of the time until out a packet did not spend on its own
// transmission.
func (l *Link) waited(now, out time.Duration, size int) time.Duration {
	own := time.Duration(float64(8*size) / float64(max(1, l.c.Rate.Rate(out))) * float64(time.Second))
	return max(0, out-now-own)
}

// leave forgets what has left the bottleneck.
func (l *Link) leave(now time.Duration) {
	for l.head < len(l.queue) && l.queue[l.head].at <= now {
		l.queued -= l.queue[l.head].size
		l.head++
	}
	if l.head > 1024 || l.head == len(l.queue) {
		l.queue = append(l.queue[:0], l.queue[l.head:]...)
		l.head = 0
	}
}

func (l *Link) lost() bool {
	m := &l.c.Loss
	if *m == (Loss{}) {
		return false
	}
	change, share := m.ToBad, m.Good
	if l.bad {
		change, share = m.ToGood, m.Bad
	}
	lost := l.random.Float64() < share
	if l.random.Float64() < change {
		l.bad = !l.bad
	}
	return lost
}

func (l *Link) outage(at time.Duration) bool {
	for _, s := range l.c.Outages {
		if s.Contains(at) {
			return true
		}
	}
	return false
}

func (l *Link) jitter() time.Duration {
	if l.c.Jitter == 0 {
		return 0
	}
	return time.Duration(min(3, abs(l.random.NormFloat64())) * float64(l.c.Jitter))
}

func abs(x float64) float64 { return max(x, -x) }

// Wait returns how long a packet sent now would stand in the queue.
func (l *Link) Wait() time.Duration { return max(0, l.free-l.engine.Elapsed()) }

// Queued returns how many bytes are in the queue, the packet under transmission
// included.
func (l *Link) Queued() int {
	l.leave(l.engine.Elapsed())
	return l.queued
}

// Rate returns the trace the link was made with.
func (l *Link) Rate() Trace { return l.c.Rate }

// Stats returns what became of the packets so far.
func (l *Link) Stats() LinkStats { return l.stats }
