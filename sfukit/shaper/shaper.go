// Package shaper decides when the packets of one subscriber leave: at once, or a
// little later, so that a burst such as a keyframe does not fill the path's queue
// (draft-ietf-rmcat-gcc-02 section 4). Which packets are sent at all is for
// package allocate to say, and at what rate for package bwe.
package shaper

import (
	"math"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A Shaper spreads the packets of one subscriber, of all its streams together, at
// a multiple of the target rate. Make one with [New].
//
// It is a bucket of debt. What leaves adds its size, time pays it off at the
// target times Factor, and while some is owed nothing but audio leaves; a silence
// earns Burst in advance. In any time, therefore, no more leaves than this rate
// carries, and Burst, and one packet, and what audio there is.
//
// For each packet the caller asks [Shaper.Admit]. Mostly nothing is owed and the
// packet leaves from where it is, without a copy. If it must wait, the caller
// copies it and gives the copy to [Shaper.Push] as an item of its own type T; every
// few milliseconds it takes out with [Shaper.Pop] what may leave. Items of a class
// come out in the order they went in. What must be right when a packet leaves, such
// as its transport-wide number, is the caller's to fill in then.
//
// The target is not known until [Shaper.SetTarget]; until then nothing waits.
//
// A Shaper is not safe for concurrent use. Its methods do not allocate, other than
// for a longer queue than ever before. Time that goes back counts as standing still.
type Shaper[T any] struct {
	config Config
	queues [classes]queue[T]
	lost   []T // reused by Push

	packets int // in all queues
	weight  int // of them, as MaxBytes counts

	now   time.Time // of the latest call
	rate  float64   // bytes per second that the target allows; 0 is unknown
	drain float64   // bytes per second that MaxDelay wants, while something waits
	debt  float64   // bytes; negative is in advance
	probe probe
}

// New returns a Shaper that holds nothing back until it is told a target. The
// error wraps [ErrConfig] and names the field and its value.
func New[T any](c Config) (*Shaper[T], error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Shaper[T]{config: c}, nil
}

// SetTarget sets the rate that is known to be carried, for what leaves from now
// on. What is owed stays the same in bytes. 0 or less is unknown: nothing waits.
func (s *Shaper[T]) SetTarget(now time.Time, target units.Bitrate) {
	s.advance(now)
	known := s.rate > 0
	s.rate = max(0, float64(target)/8*s.config.Factor)
	if !known {
		s.debt = -s.rate * s.config.Burst.Seconds() // as after a silence
	}
}

// Admit asks to send a packet of size bytes now. Ok means that it leaves now and
// is accounted for; otherwise it must wait, or be given up. Cluster is the ID of
// the probe it is sent for, 0 if none.
//
// Size is whatever the caller counts a packet as, in every method the same way;
// best is what the path carries, with all headers.
func (s *Shaper[T]) Admit(now time.Time, class Class, size int) (cluster int, ok bool) {
	s.advance(now)
	class = class.valid()
	for c := class; c < classes; c++ {
		if s.queues[c].len > 0 {
			return 0, false // only what is more urgent overtakes
		}
	}
	if !s.mayLeave(class) {
		return 0, false
	}
	return s.leave(size), true
}

// Push has item, a packet of size bytes, wait for its turn. It returns what must
// give way where MaxBytes are exceeded, the oldest of the least urgent first,
// item itself where the rest is more urgent; usually nothing. A receiver sees a
// gap in its place and may ask for it again. The slice is valid until the next
// Push.
func (s *Shaper[T]) Push(now time.Time, class Class, size int, item T) (lost []T) {
	s.advance(now)
	class, size = class.valid(), max(0, size)
	clear(s.lost)
	s.lost = s.lost[:0]
	for c := Padding; s.weight > s.config.MaxBytes-weight(size); {
		switch {
		case c > class:
			s.lost = append(s.lost, item)
			return s.lost
		case s.queues[c].len == 0:
			c++
		default:
			s.lost = append(s.lost, s.take(c).item)
		}
	}
	s.queues[class].push(entry[T]{pushed: s.now, size: size, item: item})
	s.packets++
	s.weight += weight(size)
	// At this rate the item, and all that goes before it, has left in time.
	ahead := max(0, s.debt)
	for c := class; c < classes; c++ {
		ahead += float64(s.queues[c].bytes)
	}
	s.drain = max(s.drain, ahead/s.config.MaxDelay.Seconds())
	return s.lost
}

// Pop returns the next item that leaves now, accounted for, and the ID of the
// probe it is sent for, 0 if none. The caller repeats it until ok is false, then
// asks for Padding.
func (s *Shaper[T]) Pop(now time.Time) (item T, cluster int, ok bool) {
	s.advance(now)
	for c := Audio; s.packets > 0; c-- {
		if q := &s.queues[c]; q.len > 0 && (s.mayLeave(c) || s.overdue(q)) {
			s.probe.begin(s.now)
			e := s.take(c)
			return e.item, s.leave(e.size), true
		}
		if c == Padding {
			break
		}
	}
	return item, 0, false
}

// Next returns when Pop or Padding will have something, which may be now. If ok is
// false nothing waits, no probe is to be sent, and at means nothing.
func (s *Shaper[T]) Next(now time.Time) (at time.Time, ok bool) {
	s.advance(now)
	if s.packets == 0 {
		return later(s.now, s.probe.due), s.probe.ID != 0
	}
	at = s.now
	switch {
	case s.config.Off || s.queues[Audio].len > 0:
		return at, true
	case s.probe.running:
		at = later(at, s.probe.due)
	case s.rate > 0 && s.debt > 0:
		at = at.Add(seconds(s.debt/s.speed()) + 1) // rounded up, else it were early
	}
	for c := range s.queues {
		if q := &s.queues[c]; q.len > 0 {
			if end := later(s.now, q.front().pushed.Add(s.config.MaxDelay)); end.Before(at) {
				at = end
			}
		}
	}
	return at, true
}

// Delay returns how long a packet of [Video] would wait that came now.
func (s *Shaper[T]) Delay(now time.Time) time.Duration {
	s.advance(now)
	if s.config.Off || s.rate == 0 {
		return 0
	}
	ahead := s.debt
	for c := Video; c < classes; c++ {
		ahead += float64(s.queues[c].bytes)
	}
	return min(seconds(max(0, ahead)/s.speed()), s.config.MaxDelay)
}

// Queued returns how much waits.
func (s *Shaper[T]) Queued() (packets, bytes int) {
	for c := range s.queues {
		bytes += s.queues[c].bytes
	}
	return s.packets, bytes
}

// advance pays off debt until now.
func (s *Shaper[T]) advance(now time.Time) {
	if s.now.IsZero() {
		s.now = now
	}
	if past := now.Sub(s.now); past > 0 {
		s.now = now
		s.debt -= s.speed() * past.Seconds()
	}
	// No packet waits longer than MaxDelay, so nor does what audio owes.
	s.debt = min(s.debt, s.speed()*s.config.MaxDelay.Seconds())
	s.debt = max(s.debt, -s.speed()*s.config.Burst.Seconds())
	if s.probe.ID != 0 && s.now.After(s.probe.until) {
		s.probe = probe{}
	}
}

// speed returns at how many bytes per second packets leave.
func (s *Shaper[T]) speed() float64 { return max(s.rate, s.drain) }

// mayLeave reports whether a packet may leave now that none must go before.
func (s *Shaper[T]) mayLeave(c Class) bool {
	switch {
	case c == Audio || s.config.Off:
		return true
	case s.probe.running:
		return !s.now.Before(s.probe.due)
	default:
		return s.debt <= 0 || s.rate == 0
	}
}

// overdue reports whether the front of q has waited for MaxDelay.
func (s *Shaper[T]) overdue(q *queue[T]) bool {
	return s.now.Sub(q.front().pushed) >= s.config.MaxDelay
}

// take removes the front of a queue that has one.
func (s *Shaper[T]) take(c Class) entry[T] {
	e := s.queues[c].pop()
	s.packets--
	s.weight -= weight(e.size)
	if s.packets == 0 {
		s.drain = 0
	}
	return e
}

// leave accounts for a packet that leaves.
func (s *Shaper[T]) leave(size int) (cluster int) {
	size = max(0, size)
	if s.rate > 0 {
		s.debt += float64(size)
	}
	if s.probe.running {
		cluster = s.probe.ID
		s.probe.sent(s.now, size)
	}
	return cluster
}

// weight is what a packet counts for against MaxBytes.
func weight(size int) int { return max(size, minWeight) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// seconds converts, saturating.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}
