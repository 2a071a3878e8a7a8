package sfukit

import "strconv"

// RoomID names a room. Any non-empty string of at most 256 bytes is valid; the
// kit compares it byte for byte and never interprets it.
type RoomID string

// PeerID is a peer's identity within its room. The same PeerID in two rooms
// names two unrelated peers. The application chooses it (an edge takes it from
// the token's sub claim).
type PeerID uint64

// String returns the decimal form.
func (id PeerID) String() string { return strconv.FormatUint(uint64(id), 10) }

// StreamID is the media stream id (RFC 8830 msid) under which a peer's tracks
// are announced to subscribers: "peer-" and the decimal PeerID.
func (id PeerID) StreamID() string { return "peer-" + id.String() }

// Kind tells audio from video.
type Kind uint8

// The kinds of a track. The zero Kind is no kind.
const (
	KindNone Kind = iota
	KindAudio
	KindVideo
)

// String returns "audio", "video" or "none".
func (k Kind) String() string {
	switch k {
	case KindAudio:
		return "audio"
	case KindVideo:
		return "video"
	default:
		return "none"
	}
}

// ClientOrigin says where a peer comes from: a browser or app of its own (the
// zero value), or another SFU that relays a room.
type ClientOrigin struct {
	relay string
}

// RelayFromSfu is the origin of a peer that is another SFU. The name is opaque
// to the kit (an upstream URL, a region) and must not be empty.
func RelayFromSfu(name string) ClientOrigin { return ClientOrigin{relay: name} }

// IsRelay reports whether the peer is another SFU. Relays take no part in
// speaker election and hold no seat in a room's limit.
func (o ClientOrigin) IsRelay() bool { return o.relay != "" }

// Relay returns the name given to RelayFromSfu, "" for a local peer.
func (o ClientOrigin) Relay() string { return o.relay }
