package signal

import "strconv"

// CloseCode is a WebSocket close code (RFC 6455 section 7.4) as this protocol
// uses it.
type CloseCode int

// The close codes of oxpulse-sfu-v1.
const (
	// CloseNormal ends a session that is over.
	CloseNormal CloseCode = 1000
	// CloseGoingAway: the server, or this session's media, goes away.
	CloseGoingAway CloseCode = 1001
	// CloseAbnormal is never sent: it stands for a connection that broke.
	CloseAbnormal CloseCode = 1006
	// CloseTooLarge: a frame was longer than MaxFrame.
	CloseTooLarge CloseCode = 1009
	// CloseOverloaded: there is no room at the moment.
	CloseOverloaded CloseCode = 1013
	// CloseWrongRoom: the token is for another room.
	CloseWrongRoom CloseCode = 4001
	// CloseBadOffer: the first frame was no usable offer, or did not come in time.
	CloseBadOffer CloseCode = 4002
	// CloseInternal: the server refused the description or failed.
	CloseInternal CloseCode = 4003
	// CloseTokenExpired: the token's time is over.
	CloseTokenExpired CloseCode = 4004
	// CloseAlone: the peer was alone in its room for too long.
	CloseAlone CloseCode = 4005
	// CloseTooSlow: the client read too slowly or sent too many messages.
	CloseTooSlow CloseCode = 4008
	// CloseReplaced: another session of the same peer took over.
	CloseReplaced CloseCode = 4031
)

// CloseCodes lists every code but CloseAbnormal, for tables and metric labels.
func CloseCodes() []CloseCode {
	return []CloseCode{
		CloseNormal, CloseGoingAway, CloseTooLarge, CloseOverloaded, CloseWrongRoom, CloseBadOffer,
		CloseInternal, CloseTokenExpired, CloseAlone, CloseTooSlow, CloseReplaced,
	}
}

// The reasons sent with close codes. Clients look at ReasonOfferTimeout only;
// the others are for people.
const (
	ReasonSessionEnded     = "session ended"
	ReasonShutdown         = "server_shutdown"
	ReasonMediaLost        = "media lost"
	ReasonTooLarge         = "frame too large"
	ReasonRoomFull         = "room full"
	ReasonWrongRoom        = "room mismatch"
	ReasonBadOffer         = "bad offer"
	ReasonBadSDP           = "bad sdp"
	ReasonOfferTimeout     = "offer timeout"
	ReasonInternal         = "internal"
	ReasonTokenExpired     = "token expired"
	ReasonAlone            = "alone too long"
	ReasonSlow             = "too slow"
	ReasonTooManyMessages  = "too many messages"
	ReasonTooManyMistakes  = "too many wrong frames"
	ReasonReplaced         = "session_replaced"
	reasonIdle             = "no sign of life"
	reasonConnectionBroken = "connection broken"
)

// Return says whether a client may come back by itself after a close.
type Return uint8

// The ways back.
const (
	// ReturnNever: only a person may try again.
	ReturnNever Return = iota
	// ReturnBackoff: yes, after 1, 2, 4, 8 s and a random part.
	ReturnBackoff
	// ReturnNewToken: yes, with a new token.
	ReturnNewToken
)

// Return says whether a client may come back by itself. Codes that are not of
// this protocol come from proxies and broken paths, which pass; unknown private
// codes (4000 and above) are decisions of a newer server, which do not.
func (c CloseCode) Return(reason string) Return {
	switch c {
	case CloseGoingAway, CloseAbnormal, CloseOverloaded, CloseTooSlow:
		return ReturnBackoff
	case CloseBadOffer:
		if reason == ReasonOfferTimeout {
			return ReturnBackoff
		}
		return ReturnNever
	case CloseTokenExpired:
		return ReturnNewToken
	case CloseNormal, CloseTooLarge, CloseWrongRoom, CloseInternal, CloseAlone, CloseReplaced:
		return ReturnNever
	}
	if c >= 4000 {
		return ReturnNever
	}
	return ReturnBackoff
}

// Label is the code as a metric label: its number, or "other" if it is not of
// this protocol.
func (c CloseCode) Label() string {
	for _, known := range CloseCodes() {
		if c == known {
			return strconv.Itoa(int(c))
		}
	}
	if c == CloseAbnormal {
		return "1006"
	}
	return "other"
}

// CloseStatus says how a connection ended.
type CloseStatus struct {
	// Code is the close code; 0 while the connection is open.
	Code CloseCode
	// Reason is the text that came with it, at most 123 bytes.
	Reason string
	// Remote is true if the other side closed.
	Remote bool
}

// String returns "4008 too slow".
func (s CloseStatus) String() string {
	text := strconv.Itoa(int(s.Code))
	if s.Reason != "" {
		text += " " + s.Reason
	}
	return text
}
