// Package bwe estimates what the link to a subscriber can carry. For what to send
// within the estimate, see packages layer and pacer; for RTCP reports, see package
// report.
package bwe

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Term names the input that an estimate is limited by. The set is closed, so it
// can label a metric.
type Term uint8

// The terms, in the order in which the earlier wins when two are equal.
const (
	TermNone   Term = iota // no estimate
	TermDelay              // growing delay in transport-wide feedback
	TermLoss               // loss in transport-wide feedback
	TermNative             // the estimate of a transport's own engine, for estimators that have one
	TermREMB               // the receiver's estimate (REMB)
	TermHint               // the budget that the client itself asked for
	TermMax                // the configured maximum
)

// String returns the term's name in lower case, "none" for the zero value.
func (t Term) String() string {
	switch t {
	case TermNone:
		return "none"
	case TermDelay:
		return "delay"
	case TermLoss:
		return "loss"
	case TermNative:
		return "native"
	case TermREMB:
		return "remb"
	case TermHint:
		return "hint"
	case TermMax:
		return "max"
	}
	return "unknown"
}

// Estimate is what a link is believed to carry, and why not more.
type Estimate struct {
	// Target is the rate that may be sent, all streams and repairs together.
	Target units.Bitrate
	// Term is the input that Target comes from.
	Term Term
}

// State says what feedback tells about a packet.
type State uint8

// The states of a packet. A packet whose fate is not known is neither received
// nor lost: it must not count as loss.
const (
	Unknown State = iota
	Received
	Lost
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Received:
		return "received"
	case Lost:
		return "lost"
	}
	return "invalid"
}

// Packet is the result of one sent packet, as [History.Feedback] returns it.
type Packet struct {
	// Seq is the unwrapped transport-wide sequence number.
	Seq int64
	// Size is what was given to [History.Sent], in bytes.
	Size int
	// SendTime is when it was sent, on our clock.
	SendTime time.Time
	// RecvTime is when it arrived, on the receiver's clock, of which only
	// differences mean something. Set only if State is Received.
	RecvTime time.Time
	// State tells whether it arrived.
	State State
}

// An Estimator turns feedback on sent packets into a rate. [Kalman] is one.
//
// Times are of one clock and do not run backwards. An Estimator need not be safe
// for concurrent use.
type Estimator interface {
	// OnFeedback takes the results of one feedback message, in ascending order of
	// Seq. A packet may be Lost in one call and Received in a later one, when it
	// was late; otherwise each is told once. Unknown results must be passed over.
	// rtt is the round trip, 0 if not known. results is borrowed until return.
	OnFeedback(now time.Time, results []Packet, rtt time.Duration)
	// OnREMB takes the receiver's own estimate.
	OnREMB(now time.Time, rate units.Bitrate)
	// OnHint takes the rate that the client wishes not to exceed.
	OnHint(now time.Time, rate units.Bitrate)
	// Estimate returns the current estimate. It reports false while there is
	// none: the caller then goes on as before, which is not the same as a rate
	// of 0.
	Estimate(now time.Time) (Estimate, bool)
}
