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
	TermLoss               // loss in feedback; of SendSide also silence: no feedback on what is sent
	TermNative             // the estimate of a transport's own engine, for estimators that have one
	TermProbe              // what the latest probe measured; nothing has moved it since
	TermREMB               // the receiver's estimate (REMB)
	TermHint               // the budget that the client itself asked for
	TermALR                // too little is sent to learn more (application limited)
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
	case TermProbe:
		return "probe"
	case TermREMB:
		return "remb"
	case TermHint:
		return "hint"
	case TermALR:
		return "alr"
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

	// The rest explains the estimate. An estimator leaves at zero what it does not
	// know; [Kalman] leaves all of it.

	// Acked is the rate at which packets arrived lately.
	Acked units.Bitrate
	// Drained is what Target would be if there were no queue to empty, so not less.
	Drained units.Bitrate
	// LinkCapacity is what the bottleneck passed when it was last seen full.
	LinkCapacity units.Bitrate
	// Queue is how much longer packets wait on the way now than at best.
	Queue time.Duration
	// Loss is the share of packets that get lost at any rate, 0 to 1: what loss
	// remains when the rate is not to blame.
	Loss float64
	// Probed is what the latest successful probe measured, and ProbedAt when.
	Probed   units.Bitrate
	ProbedAt time.Time
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
	// State tells whether it arrived. Of a packet that [History.Resent] was told of,
	// it is Lost from then on, whether or not the second transmission arrives.
	State State
	// Probe is the [Cluster] that the packet was sent for, 0 for none.
	Probe int
}

// An Estimator turns feedback on sent packets into a rate. [SendSide] and [Kalman]
// are two.
//
// Times are of one clock and do not run backwards. An Estimator need not be safe
// for concurrent use.
type Estimator interface {
	// OnSent takes the size, in bytes, of every packet that is put on the wire,
	// padding and repairs included.
	OnSent(now time.Time, size int)
	// OnFeedback takes the results of one feedback message, in ascending order of
	// Seq. A packet may be Lost in one call and Received in a later one, when it
	// was late, unless it was sent again ([History.Resent]), which makes it Lost for
	// good; otherwise each is told once. Unknown results must be passed over.
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

// A Prober is what an [Estimator] that wants the link probed also implements: what
// a link carries beyond the rate that is sent can only be found by sending more.
type Prober interface {
	// OnDemand takes the rate that the streams would use if the link carried it:
	// that of the allocation's next upgrade, all streams together, or 0 when
	// nothing more is wanted. It is said again whenever it changes.
	OnDemand(now time.Time, wanted units.Bitrate)
	// Probe returns the cluster that must be sent now, if there is one. Each is
	// told once. It is meant to be asked a few times a second or more often.
	Probe(now time.Time) (Cluster, bool)
}

// A Cluster is a burst of packets that measures a link: media that waits, then
// padding, at least Bytes and at least Packets, sent evenly at Rate and recorded
// with ID in [History.Sent].
type Cluster struct {
	ID      int           // from 1 on
	Rate    units.Bitrate // at which to send it
	Bytes   int           // to send at least, as counted by History.Sent
	Packets int           // to send at least
}
