package signal

// Answer answers an Offer.
type Answer struct {
	// SDP is the description.
	SDP string `json:"sdp"`
}

// Welcome follows the first Answer at once.
type Welcome struct {
	// PeerID is who the client is in this room.
	PeerID uint64 `json:"peer_id"`
	// Room is the room's name.
	Room string `json:"room"`
	// Resume is the token with which a lost session can be taken up again, "" if
	// the server does not offer that.
	Resume string `json:"resume,omitempty"`
	// ICEServers are for clients that cannot reach the server directly; nil for none.
	ICEServers []ICEServer `json:"ice_servers,omitempty"`
}

// ICEServer is an RTCIceServer (W3C WebRTC section 4.2.2).
type ICEServer struct {
	// URLs are stun:, turn: or turns: addresses, at least one.
	URLs []string `json:"urls"`
	// Username and Credential belong to TURN, "" for STUN.
	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
}

// TracksMap names the members of the room that publish when the client joins.
type TracksMap struct {
	// Tracks has one entry per member, never nil on the wire.
	Tracks []PeerStream `json:"tracks"`
}

// PeerStream pairs a peer with its stream id.
type PeerStream struct {
	// StreamID is the msid stream of the peer's tracks, "peer-" and its id.
	StreamID string `json:"stream_id"`
	// PeerID is the peer.
	PeerID uint64 `json:"peer_id"`
}

// OfferRenegotiate asks the client for an AnswerRenegotiate. Exactly one
// TracksMapUpdate follows.
type OfferRenegotiate struct {
	// SDP is the description.
	SDP string `json:"sdp"`
	// MID is the first new m-line, "" if none is new.
	MID string `json:"mid"`
	// ID tells offers apart; a repeated offer repeats it. Never 0.
	ID uint64 `json:"id,omitempty"`
}

// TracksMapUpdate says what m-lines of the client carry from now on.
type TracksMapUpdate struct {
	// Tracks has every line that got a (new) meaning, never nil on the wire.
	Tracks []Track `json:"tracks"`
}

// Track is what one m-line of the client carries.
type Track struct {
	// MID is the m-line at the client.
	MID string `json:"mid"`
	// PeerID is the publisher.
	PeerID uint64 `json:"peer_id"`
	// Kind is "audio" or "video".
	Kind string `json:"kind"`
	// StreamID is "peer-" and the publisher's id; key on MID, not on this.
	StreamID string `json:"stream_id"`
	// SourceMID is the m-line at the publisher: it tells a camera from a screen.
	SourceMID string `json:"source_mid,omitempty"`
}

// TracksRemoved says that m-lines carry nothing from now on.
type TracksRemoved struct {
	// MIDs are the m-lines at the client.
	MIDs []string `json:"mids"`
}

// PeerJoined says that somebody is in the room, with or without tracks.
type PeerJoined struct {
	// PeerID is who.
	PeerID uint64 `json:"peer_id"`
}

// PeerLeft says that somebody left the room.
type PeerLeft struct {
	// PeerID is who.
	PeerID uint64 `json:"peer_id"`
	// Reason is the label of a sfukit.LeaveReason.
	Reason string `json:"reason"`
}

// Speaker reports the election of the dominant speaker.
type Speaker struct {
	// PeerID is the dominant speaker; nil, null on the wire, if there is none.
	PeerID *uint64 `json:"peer_id"`
	// Confidence is the margin of the election; above 2 is a clear win.
	Confidence float64 `json:"confidence"`
	// Top lists the loudest peers, loudest first.
	Top []uint64 `json:"top"`
}

// Layer reports what a watched track gets now, and why.
type Layer struct {
	// MID is the m-line at the client.
	MID string `json:"mid"`
	// RID is the encoding, "" if the track has only one.
	RID string `json:"rid"`
	// Spatial and Temporal are the highest layers forwarded of the encoding, 0 where
	// it has only one; nil while paused.
	Spatial  *int `json:"spatial,omitempty"`
	Temporal *int `json:"temporal,omitempty"`
	// Paused is true when nothing is being sent.
	Paused bool `json:"paused"`
	// Reason is the label of a sfukit.LayerReason.
	Reason string `json:"reason"`
	// BudgetBPS is the bandwidth estimate in bit/s, 0 if there is none yet.
	BudgetBPS int64 `json:"budget_bps"`
}

// VideoMode tells a subscriber that all video stops for want of bandwidth, or
// comes back.
type VideoMode struct {
	// Mode is the label of a sfukit.VideoMode.
	Mode string `json:"mode"`
	// BudgetBPS is the bandwidth estimate that decided, in bit/s.
	BudgetBPS int64 `json:"budget_bps"`
}

// PublishLayers tells a publisher which encodings anybody wants.
type PublishLayers struct {
	// MID is the publisher's m-line.
	MID string `json:"mid"`
	// RIDs are the wanted encodings, in the order of the publisher's offer; the
	// lowest is always among them.
	RIDs []string `json:"rids"`
}

// Error tells the client that something it sent, or the session, went wrong.
type Error struct {
	// Code says what, for programs.
	Code ErrorCode `json:"code"`
	// Message says what, for people; at most 256 bytes.
	Message string `json:"message"`
	// Retryable is true if the same request may succeed later.
	Retryable bool `json:"retryable"`
}

// ErrorCode is the program-readable part of an Error. Clients treat a code
// they do not know by its Retryable alone.
type ErrorCode string

// The error codes.
const (
	// ErrorBadFrame: a frame had the wrong shape; it was ignored.
	ErrorBadFrame ErrorCode = "bad_frame"
	// ErrorUnexpected: a frame came at a time when it means nothing; it was ignored.
	ErrorUnexpected ErrorCode = "unexpected_frame"
	// ErrorBadOffer: a later offer was refused. The client rolls back; the call goes on.
	ErrorBadOffer ErrorCode = "bad_offer"
	// ErrorBadAnswer: an answer was refused. The server offers again.
	ErrorBadAnswer ErrorCode = "bad_answer"
	// ErrorBadCandidate: an ICE candidate was ignored.
	ErrorBadCandidate ErrorCode = "bad_candidate"
	// ErrorNoTrack: a mid names no track the client watches.
	ErrorNoTrack ErrorCode = "no_track"
	// ErrorNoResume: the session cannot be resumed; offer instead, on this socket.
	ErrorNoResume ErrorCode = "no_resume"
	// ErrorRoomFull: there is no seat; 1013 follows.
	ErrorRoomFull ErrorCode = "room_full"
	// ErrorMediaLost: no media path was found, or it was lost; 1001 follows.
	ErrorMediaLost ErrorCode = "media_lost"
	// ErrorInternal: the server failed.
	ErrorInternal ErrorCode = "internal"
)

// GoAway announces that the server is about to close.
type GoAway struct {
	// Reason is for people, "shutdown" for instance.
	Reason string `json:"reason"`
	// DeadlineMS is when the server will close, in milliseconds from now; 0 is at once.
	DeadlineMS int64 `json:"deadline_ms"`
	// URL is where to connect instead, "" for the same place.
	URL string `json:"url,omitempty"`
}

func (Answer) tag() (string, string)           { return keyKind, "answer" }
func (Welcome) tag() (string, string)          { return keyType, "welcome" }
func (TracksMap) tag() (string, string)        { return keyType, "tracks_map" }
func (OfferRenegotiate) tag() (string, string) { return keyType, "offer-renegotiate" }
func (TracksMapUpdate) tag() (string, string)  { return keyType, "tracks_map_update" }
func (TracksRemoved) tag() (string, string)    { return keyType, "tracks_removed" }
func (PeerJoined) tag() (string, string)       { return keyType, "peer_joined" }
func (PeerLeft) tag() (string, string)         { return keyType, "peer_left" }
func (Speaker) tag() (string, string)          { return keyType, "speaker" }
func (Layer) tag() (string, string)            { return keyType, "layer" }
func (VideoMode) tag() (string, string)        { return keyType, "video_mode" }
func (PublishLayers) tag() (string, string)    { return keyType, "publish_layers" }
func (Error) tag() (string, string)            { return keyType, "error" }
func (GoAway) tag() (string, string)           { return keyType, "goaway" }

func (Answer) fromServer()           {}
func (Welcome) fromServer()          {}
func (TracksMap) fromServer()        {}
func (OfferRenegotiate) fromServer() {}
func (TracksMapUpdate) fromServer()  {}
func (TracksRemoved) fromServer()    {}
func (PeerJoined) fromServer()       {}
func (PeerLeft) fromServer()         {}
func (Speaker) fromServer()          {}
func (Layer) fromServer()            {}
func (VideoMode) fromServer()        {}
func (PublishLayers) fromServer()    {}
func (Error) fromServer()            {}
func (GoAway) fromServer()           {}
