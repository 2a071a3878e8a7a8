// Package keyframe decides when asking a publisher for a keyframe is worth it.
// For asking for single lost packets, see package nack.
package keyframe

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Defaults of [Config] and constants of the algorithm.
const (
	// A keyframe is several times the size of another frame. Two a second are
	// what a publisher's uplink bears; the common servers throttle likewise.
	defaultMinInterval = 500 * time.Millisecond
	// Ten seconds at the default interval. A publisher that has sent nothing by
	// then is muted, gone or cannot send this encoding.
	defaultMaxAttempts = 20
	// What remains after that: enough to be noticed once the publisher is back,
	// little enough to be kept up for hours.
	slowInterval = 3 * time.Second
)

// ErrConfig is returned by [New], wrapped with the field and its value, when a
// [Config] is impossible.
var ErrConfig = errors.New("keyframe: invalid config")

// Config says how often a [Requester] asks. The zero value is a good
// configuration; negative values are errors.
type Config struct {
	// MinInterval is the least time between two requests. Default 500 ms.
	MinInterval time.Duration
	// MaxAttempts is how many requests may go unanswered before only one every
	// 3 s follows. Default 20.
	MaxAttempts int
}

// A Requester merges everyone's wish for a keyframe of one inbound encoding into
// as few requests (PLI, RFC 4585 section 6.3.1) as will do. Each encoding has its
// own, so that a request for one layer never stands for another.
//
// It asks at once if it may, then again every max(MinInterval, 1.5 round trips)
// for as long as somebody waits, and slows down to every 3 s when it has asked in
// vain too often. Make one with [New]. A Requester is not safe for concurrent use.
type Requester struct {
	minInterval time.Duration
	maxAttempts int

	rtt      time.Duration
	waiting  bool
	asked    bool      // whether sent is set
	sent     time.Time // the latest request
	attempts int       // requests since the latest keyframe
}

// New returns a Requester for whom nobody waits, or an error wrapping [ErrConfig].
func New(c Config) (*Requester, error) {
	if c.MinInterval < 0 {
		return nil, fmt.Errorf("%w: MinInterval %v, want 0 or more", ErrConfig, c.MinInterval)
	}
	if c.MaxAttempts < 0 {
		return nil, fmt.Errorf("%w: MaxAttempts %d, want 0 or more", ErrConfig, c.MaxAttempts)
	}
	return &Requester{
		minInterval: cmp.Or(c.MinInterval, defaultMinInterval),
		maxAttempts: cmp.Or(c.MaxAttempts, defaultMaxAttempts),
	}, nil
}

// Ask records that somebody needs a keyframe and reports whether to send a
// request now. If not, one is under way or was sent so recently that the next
// must wait: [Requester.Due] will say when.
func (r *Requester) Ask(now time.Time) (send bool) {
	r.waiting = true
	return r.try(now)
}

// Keyframe records that a keyframe arrived, and with it the answer for everybody
// who asked before this call, whether by a request of ours or not. Call it with
// the first packet of a keyframe, before that packet is forwarded: who asks while
// or after it is forwarded has missed its beginning and waits for the next.
//
// The distance to the previous request is still kept for the next one, so lost
// keyframes over a bad link cannot turn into a keyframe per round trip.
func (r *Requester) Keyframe() {
	r.waiting = false
	r.attempts = 0
}

// Cancel records that nobody waits any more, for example because the last
// subscriber of this encoding left. Unlike [Requester.Keyframe] it is no sign of
// life: the count of unanswered requests stays.
func (r *Requester) Cancel() { r.waiting = false }

// Due reports whether to send a request now, and when to call Due next. The time
// is zero if nobody waits; nothing need be called then before the next Ask.
func (r *Requester) Due(now time.Time) (send bool, next time.Time) {
	if !r.waiting {
		return false, time.Time{}
	}
	send = r.try(now)
	return send, r.sent.Add(r.interval())
}

// Waiting reports whether somebody has asked and no keyframe has come since.
func (r *Requester) Waiting() bool { return r.waiting }

// SetRTT tells the round trip to the publisher, 0 for unknown. A request is not
// repeated before its answer can have come.
func (r *Requester) SetRTT(rtt time.Duration) { r.rtt = max(0, rtt) }

// try reports whether a request may be sent now and, if so, counts it as sent.
func (r *Requester) try(now time.Time) bool {
	if r.asked && now.Sub(r.sent) < r.interval() {
		return false
	}
	r.asked = true
	r.sent = now
	r.attempts++
	return true
}

// interval returns the time that must pass after the latest request. A round
// trip beyond the slow interval is taken for a wrong measurement.
func (r *Requester) interval() time.Duration {
	if r.attempts >= r.maxAttempts {
		return max(slowInterval, r.minInterval)
	}
	return max(r.minInterval, min(r.rtt+r.rtt/2, slowInterval))
}
