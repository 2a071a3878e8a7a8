package sfukit

import (
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// PeerEvents are the things a peer's signalling has to be told. Nil funcs are
// skipped. They are called one at a time, in order, on a goroutine of the
// peer's own; a func that blocks delays only that peer's signalling, never
// media and never another peer. When 4096 events wait, the peer leaves with
// LeaveSlow. It may call the Peer's methods except Close
// (use CloseAsync). None is called before Peer.Start, none after Closed.
type PeerEvents struct {
	// Offer asks the client to take a new session description. The same offer is
	// repeated, with the same ID, when no answer comes. Every offer is followed
	// by one Tracks.
	Offer func(Offer)
	// Tracks lists every track that now has another meaning for a mid the client
	// has or gets with the offer just sent.
	Tracks func([]TrackInfo)
	// TracksRemoved lists mids that carry nothing from now on.
	TracksRemoved func(mids []string)
	// Candidate is an ICE candidate of ours that came too late for the answer;
	// nil says that there are no more. As a rule all are in the answer, and this is
	// not called.
	Candidate func(*ICECandidate)
	// PeerJoined and PeerLeft follow the room's membership, this peer excluded.
	PeerJoined func(PeerID)
	PeerLeft   func(PeerID, LeaveReason)
	// Speaker reports a new dominant speaker or a new order of the loudest.
	Speaker func(SpeakerChange)
	// Layer reports what a watched track gets, whenever that changes.
	Layer func(LayerChange)
	// Mode reports that all video stops for want of bandwidth, or comes back.
	Mode func(ModeChange)
	// PublishLayers says which encodings of a simulcast track of the client's own
	// are wanted: all in the beginning, which is not said of the tracks that it joins
	// with, and then whenever that changes.
	PublishLayers func(PublishLayers)
	// Data is a message the client sent on a channel whose Direction is
	// DataToServer. The message is the event's own.
	Data func(label string, text bool, message []byte)
	// Closed is the last event: the peer has left for the reason given.
	Closed func(LeaveReason)
}

// Offer is a session description of ours that wants an answer.
type Offer struct {
	// ID grows by one with every new offer; an answer may echo it, so that a late
	// answer cannot be taken for another's.
	ID uint64
	// SDP is the description.
	SDP string
	// MID is the first m-line that is new in this offer, "" if none is.
	MID string
}

// TrackInfo says what an m-line of the subscriber's connection carries.
type TrackInfo struct {
	// MID is the m-line (RFC 5888 section 4) at the subscriber.
	MID string
	// Peer is the publisher.
	Peer PeerID
	// Kind is audio or video.
	Kind Kind
	// StreamID is Peer.StreamID().
	StreamID string
	// SourceMID is the m-line at the publisher: it tells one peer's camera from
	// its screen.
	SourceMID string
}

// LeaveReason says why a peer left. The zero value is no reason.
type LeaveReason uint8

// The reasons, a closed set that may be used as a metric label.
const (
	LeaveNone LeaveReason = iota
	// LeaveClosed: the application closed the peer.
	LeaveClosed
	// LeaveReplaced: the same PeerID joined the room again.
	LeaveReplaced
	// LeaveICEFailed: no path to the peer was found, or it was lost.
	LeaveICEFailed
	// LeaveDTLSFailed: the handshake failed or timed out.
	LeaveDTLSFailed
	// LeaveRemoteClosed: the peer closed its connection (DTLS close_notify).
	LeaveRemoteClosed
	// LeaveShutdown: the registry is closing.
	LeaveShutdown
	// LeaveSlow: the application did not take the peer's events in time.
	LeaveSlow
	// LeaveMisbehaved: the peer did what no client has use for, such as inventing
	// streams by the thousand, or sending RTCP that cannot be read, many times.
	LeaveMisbehaved
	// LeaveFailed: the connection got into a state without way back; the log says how.
	LeaveFailed
)

var leaveNames = [...]string{"none", "closed", "replaced", "ice_failed", "dtls_failed", "remote_closed", "shutdown", "slow", "misbehaved", "failed"}

// String returns the reason's label.
func (r LeaveReason) String() string {
	if int(r) < len(leaveNames) {
		return leaveNames[r]
	}
	return "none"
}

// LeaveReasons lists every reason but LeaveNone, for metric labels.
func LeaveReasons() []LeaveReason {
	return []LeaveReason{LeaveClosed, LeaveReplaced, LeaveICEFailed, LeaveDTLSFailed, LeaveRemoteClosed, LeaveShutdown, LeaveSlow, LeaveMisbehaved, LeaveFailed}
}

// SpeakerChange reports the outcome of a room's speaker election. Only peers
// that send audio levels (RFC 6464) take part, and the last speaker stays
// elected through silence: that somebody is elected does not say that anybody
// speaks at the moment.
type SpeakerChange struct {
	// Peer is the dominant speaker; meaningless if None is true.
	Peer PeerID
	// None is true while nobody has been elected.
	None bool
	// Elected is true if Peer is new, false if only Top has changed.
	Elected bool
	// Confidence is the margin of the election (Volfin–Cohen, medium time scale):
	// 0 at the first election, above 2 means a clear win.
	Confidence float64
	// Top lists the loudest peers, loudest first.
	Top []PeerID
}

// LayerChange reports what one watched track is getting and why.
type LayerChange struct {
	// MID is the m-line at the subscriber.
	MID string
	// RID is the encoding being forwarded, "" if the track is not simulcast.
	RID SfuRid
	// Spatial and Temporal are the highest layers forwarded of it, 0 where the codec
	// or the publisher has only one.
	Spatial, Temporal uint8
	// Paused is true when nothing is being forwarded.
	Paused bool
	// Reason says what decided.
	Reason LayerReason
	// Budget is the bandwidth estimate at the time, 0 if there is none yet.
	Budget units.Bitrate
}

// LayerReason says what decided the layer of a watched track: a closed set that may
// be used as a metric label. The zero value is ReasonStart.
type LayerReason = allocate.Reason

// The reasons.
const (
	ReasonStart     = allocate.ReasonStart
	ReasonClient    = allocate.ReasonClient
	ReasonBandwidth = allocate.ReasonBandwidth
	ReasonLive      = allocate.ReasonLive
	ReasonSuspend   = allocate.ReasonSuspend
	ReasonPriority  = allocate.ReasonPriority
)

// VideoMode says whether a subscriber gets video at all.
type VideoMode = allocate.Mode

// The modes.
const (
	ModeVideo     = allocate.ModeVideo
	ModeAudioOnly = allocate.ModeAudioOnly
	ModeSuspended = allocate.ModeSuspended
)

// ModeChange reports that video was stopped for want of bandwidth, or came back.
// Nothing of any video track is sent while the mode is not ModeVideo.
type ModeChange struct {
	Mode VideoMode
	// Budget is the bandwidth estimate that decided.
	Budget units.Bitrate
}

// PublishLayers says which encodings of one of its own tracks a publisher should
// send, because somebody has a use for them; the others it may switch off
// (RTCRtpEncodingParameters.active, W3C webrtc) and saves their bandwidth and
// work. The lowest is always among them, so that who comes has a picture at once.
type PublishLayers struct {
	// MID is the track's m-line at the publisher.
	MID string
	// RIDs are the encodings wanted, in the publisher's order.
	RIDs []SfuRid
}
