package pionx

import (
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
)

// Arrivals notes when packets came and makes of it the transport-wide feedback
// of draft-holmer-rmcat-transport-wide-cc-extensions-01. It is not safe for
// concurrent use. The zero value is not ready; see [NewArrivals].
type Arrivals struct{ recorder *twcc.Recorder }

// NewArrivals returns an empty record. The ssrc is ours, as the sender of the
// feedback.
func NewArrivals(ssrc uint32) Arrivals { return Arrivals{twcc.NewRecorder(ssrc)} }

// Record notes a packet of the stream ssrc that bore the transport-wide number
// seq. The time counts from an instant of the caller's that never changes; the
// first record of a number is the one that counts.
func (a Arrivals) Record(ssrc uint32, seq uint16, at time.Duration) {
	a.recorder.Record(ssrc, seq, at.Microseconds())
}

// Held returns how many packets were recorded since the last Feedback.
func (a Arrivals) Held() int { return a.recorder.PacketsHeld() }

// Feedback returns the messages that report what was recorded since the last
// call, nil if nothing was.
func (a Arrivals) Feedback() []rtcp.Packet { return a.recorder.BuildFeedbackPacket() }
