// Package sdpx checks and rewrites session descriptions before pion sees them, and
// after pion made them. When to exchange them is the matter of package negotiate.
//
// pion v4.2 changes its signalling state first and looks at a remote description
// afterwards, cannot roll back, stops senders on a=inactive and fills gaps with
// guesses. So it never sees a client's text. [CheckOffer] and [ForPionAnswer]
// refuse whatever could wedge it and write a plain description of what remains, in
// which nothing is ever inactive: a client's lines are always sendonly, ours always
// recvonly. What is true at the moment stands only in the text that goes to the
// client, put there by [Answer] and [ServerOffer]. Lines can so be turned on and
// off, reused and refused without pion noticing.
//
// All functions are pure, run in time proportional to their input and may be used
// concurrently; an [Offer] may be read concurrently.
package sdpx

// Kind is the media type of a section (RFC 8866 section 5.14).
type Kind uint8

// The kinds. The zero value is no kind that is ever accepted.
const (
	KindUnknown Kind = iota
	KindAudio
	KindVideo
	KindApplication
)

// String returns the kind as it stands in an m= line.
func (k Kind) String() string {
	switch k {
	case KindAudio:
		return "audio"
	case KindVideo:
		return "video"
	case KindApplication:
		return "application"
	case KindUnknown:
	}
	return "unknown"
}

func kindOf(media string) Kind {
	switch media {
	case "audio":
		return KindAudio
	case "video":
		return KindVideo
	case "application":
		return KindApplication
	}
	return KindUnknown
}

// Direction says which way media flows, seen from the author of the description
// (RFC 8866 section 6.7). It is a set of two bits; the zero value is Inactive.
type Direction uint8

// The directions.
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

// Sends reports whether the author sends.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives reports whether the author is willing to receive.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// String returns the name of the attribute.
func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case SendRecv:
		return "sendrecv"
	case Inactive:
	}
	return "inactive"
}

func directionOf(attribute string) (Direction, bool) {
	switch attribute {
	case "sendrecv":
		return SendRecv, true
	case "sendonly":
		return SendOnly, true
	case "recvonly":
		return RecvOnly, true
	case "inactive":
		return Inactive, true
	}
	return Inactive, false
}

// Role is what a media line is to the session at the moment. That of a data section
// or of a rejected line does not matter.
type Role uint8

// The roles.
const (
	// Absent is a line the session does not have: one that pion invented, or whose
	// place the client has recycled for another mid (RFC 8829 section 5.2.2). It is
	// left out of our offers. A client's own new line is Absent too until
	// the answer to it is made, and is treated as the client's.
	Absent Role = iota
	// ClientSends is a line the client made and sends on.
	ClientSends
	// ClientIdle is a line the client made and does not send on.
	ClientIdle
	// OursActive is a line we made and send on.
	OursActive
	// OursIdle is a line we made that carries nothing now but may again.
	OursIdle
)

// Ours reports whether we made the line.
func (r Role) Ours() bool { return r == OursActive || r == OursIdle }

// Roles returns the role of the line with the given mid. A nil Roles knows none.
type Roles func(mid string) Role

func (f Roles) of(mid string) Role {
	if f == nil {
		return Absent
	}
	return f(mid)
}

// Credentials are the ICE user fragment and password of one side (RFC 8839 section
// 5.4). They are secret.
type Credentials struct {
	Ufrag, Pwd string
}
