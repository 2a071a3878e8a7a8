package sfukit

import (
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// The primitives a Room is made of live in packages of their own, usable
// without a Room. These are their names for users of the whole.
type (
	// BandwidthEstimator estimates what a subscriber's link can carry.
	BandwidthEstimator = bwe.Estimator
	// PacerConfig sets the thresholds below which a subscriber gets no video, and
	// those of its quality tiers with allocate.Tiers. The name is the predecessor's:
	// what spreads packets over time is Config.Shaper.
	PacerConfig = pacer.Config
	// PacerAction is what a change of tier asks for.
	PacerAction = pacer.Action
	// SpeakerDetector elects the dominant speaker from audio levels.
	SpeakerDetector = speaker.Detector
	// LayerLadder orders a track's encodings, and selects one by a limit.
	LayerLadder = layer.Ladder
	// SfuRid names a simulcast encoding (RFC 8851 rid).
	SfuRid = layer.RID
)

// Fanout is the set of sinks a stream goes to, readable without a lock.
type Fanout[S comparable] = fanout.Group[S]

// ParseSfuRid checks and returns a rid: 1 to 8 ASCII letters or digits.
func ParseSfuRid(s string) (SfuRid, error) { return layer.ParseRID(s) }

// The rids of the usual three-encoding ladder, lowest first.
const (
	RidLow    = layer.Low
	RidMedium = layer.Medium
	RidHigh   = layer.High
)
