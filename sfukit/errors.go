package sfukit

import "errors"

var (
	// ErrRegistryClosed is returned by Join on a closed Registry.
	ErrRegistryClosed = errors.New("sfukit: registry closed")
	// ErrRoomFull is returned by Join when Config.MaxPeersPerRoom is reached.
	ErrRoomFull = errors.New("sfukit: room full")
	// ErrBadJoin is returned by Join for a room id that is empty or too long.
	ErrBadJoin = errors.New("sfukit: bad join")
	// ErrPeerClosed is returned by Offer and Answer on a Peer that has left.
	ErrPeerClosed = errors.New("sfukit: peer closed")
	// ErrBadOffer is returned when an offer cannot be used: it does not parse,
	// breaks a limit, or asks for what the kit does not do. The wrapped text says
	// which; it never contains the offer. The call the peer is in goes on.
	ErrBadOffer = errors.New("sfukit: bad offer")
	// ErrBadAnswer is returned when an answer cannot be used. The offer it was
	// meant for stays pending and is sent again.
	ErrBadAnswer = errors.New("sfukit: bad answer")
	// ErrGlare is returned when a client's offer arrives while one of ours is
	// outstanding. We are the impolite side (W3C WebRTC, perfect negotiation): the
	// client is expected to roll back, answer ours and offer again.
	ErrGlare = errors.New("sfukit: offer ignored, ours is outstanding")
	// ErrNoTrack is returned when a mid names no track the peer is watching.
	ErrNoTrack = errors.New("sfukit: no such track")
	// ErrNoChannel is returned by SendData for a label that is not in the table.
	ErrNoChannel = errors.New("sfukit: no such data channel")
	// ErrBadCandidate is returned when an ICE candidate does not parse. It is
	// counted and otherwise harmless.
	ErrBadCandidate = errors.New("sfukit: bad ICE candidate")
	// ErrConfig is wrapped by every error NewRegistry returns for a wrong setting;
	// the text names the field, the value and what is allowed.
	ErrConfig = errors.New("sfukit: config")
)
