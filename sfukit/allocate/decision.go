package allocate

import (
	"strconv"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Result is one allocation.
type Result struct {
	// Mode says whether there is video, and Since since when.
	Mode  Mode
	Since time.Time
	// Allocated is the sum of all shares.
	Allocated units.Bitrate
	// Wanted is the target at which the next raises would fit, all streams together,
	// 0 if nothing more is wanted. It is what the link should be probed for.
	Wanted units.Bitrate
	// Tracks has a decision for each track, in the order given. It belongs to the
	// Allocator and is valid until its next call.
	Tracks []Decision
}

// Decision is what a track gets, and the explanation of it.
type Decision struct {
	// ID is that of the Track.
	ID uint64
	// Rung is the index of the rung to show, -1 for none.
	Rung int
	// Changed is true if Rung names another rung than in the call before.
	Changed bool
	// Reason says what decided when Rung last changed, and Since when that was.
	Reason Reason
	Since  time.Time

	// Share is the part of the budget that is set aside for the track.
	Share units.Bitrate
	// Wish is the index of the highest rung that the client's limits allow, live or
	// not, -1 if it wants none.
	Wish int
	// Want is the index of the highest rung that would be shown if all that can be
	// had were live, -1 for none. Package demand wants to know it.
	Want int
	// Binding says what keeps the track from more than Rung; ReasonStart if nothing
	// does.
	Binding Reason
	// Next is the index of the rung it would get next, -1 if there is nothing
	// better to be had.
	Next int
	// Missing is how much more target Next takes. It is 0 if that is not what is
	// missing.
	Missing units.Bitrate
	// Waiting says what is being waited for. Until is the end of a back-off.
	Waiting Waiting
	Until   time.Time
}

// Mode says whether a subscriber gets video.
type Mode uint8

// The modes.
const (
	// ModeVideo: video is forwarded, or none is asked for.
	ModeVideo Mode = iota
	// ModeAudioOnly: the budget carries not even the lowest rung of one track.
	ModeAudioOnly
	// ModeSuspended: the budget is next to nothing (pacer.Config.SuspendVideo).
	ModeSuspended
)

// String returns the mode's label.
func (m Mode) String() string { return name("mode", modeNames[:], uint8(m)) }

var modeNames = [...]string{"video", "audio_only", "suspended"}

// Reason says what decided.
type Reason uint8

// The reasons, a closed set that may be used as a metric label.
const (
	// ReasonStart: there is nothing to decide, or nothing is known yet.
	ReasonStart Reason = iota
	// ReasonClient: the client asked for it.
	ReasonClient
	// ReasonBandwidth: the estimate leaves no room for more, or now does.
	ReasonBandwidth
	// ReasonLive: the publisher's encoding fell silent or came back.
	ReasonLive
	// ReasonSuspend: the estimate is too low for any video.
	ReasonSuspend
	// ReasonPriority: more important tracks took the room.
	ReasonPriority
)

// String returns the reason's label.
func (r Reason) String() string { return name("reason", reasonNames[:], uint8(r)) }

var reasonNames = [...]string{"start", "client", "bandwidth", "live", "suspend", "priority"}

// Waiting says what a track waits for.
type Waiting uint8

// The things waited for, a closed set.
const (
	// WaitNothing: the track has all it can have.
	WaitNothing Waiting = iota
	// WaitKeyframe: the rung decided on does not flow yet.
	WaitKeyframe
	// WaitClient: the client's limit or pause.
	WaitClient
	// WaitLive: the publisher does not send what would be next.
	WaitLive
	// WaitRate: the target must rise by Missing.
	WaitRate
	// WaitProof: there is room, but neither has a probe shown it nor has it lasted.
	WaitProof
	// WaitBackoff: the next rung was lost not long ago; it is tried again at Until.
	WaitBackoff
	// WaitEstimate: there is no estimate to go by yet, or what there is says only what
	// is too much, since the link cannot be probed (Budget.Known).
	WaitEstimate
)

// String returns the label.
func (w Waiting) String() string { return name("waiting", waitingNames[:], uint8(w)) }

var waitingNames = [...]string{"nothing", "keyframe", "client", "live", "rate", "proof", "backoff", "estimate"}

// name returns the label of v, or kind(v) for a value that is none.
func name(kind string, names []string, v uint8) string {
	if int(v) < len(names) {
		return names[v]
	}
	return kind + "(" + strconv.Itoa(int(v)) + ")"
}
