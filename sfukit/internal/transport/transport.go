// Package transport is the seam between a room and what carries its packets.
// Package pionx implements it over real connections; a simulated link is
// another implementation.
package transport

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// Writer sends one RTP packet. Header and payload are borrowed for the call. It
// is safe for concurrent use; packets of one line leave in the order of the calls
// if these do not overlap. A count of 0 with a nil error means that the
// connection is not ready and nothing was sent.
type Writer interface {
	WriteRTP(header *rtp.Header, payload []byte) (int, error)
}

// Extensions holds the negotiated ids of the RTP header extensions the kit
// knows (RFC 8285); 0 means not negotiated.
type Extensions struct {
	MID, RID, RepairedRID uint8
	AudioLevel            uint8
	TransportCC           uint8
	AbsSendTime           uint8
	AbsCaptureTime        uint8
	DependencyDescriptor  uint8
	VideoOrientation      uint8
	PlayoutDelay          uint8
	FrameMarking          uint8
	ContentType           uint8
}

// Format is one codec as negotiated on one m-line.
type Format struct {
	Codec codec.Codec
	// FMTP tells profiles of one codec apart.
	FMTP string
	// PT is the payload type; RTXPT that of its retransmissions, 0 if none.
	PT, RTXPT uint8
}

// Track is one m-line on which the peer publishes.
type Track struct {
	MID   string
	Video bool
	// Formats are the codecs the peer may send, its preference first.
	Formats []Format
	// RIDs are the simulcast encodings in the order the peer declared them.
	RIDs []string
	// SSRCs are the primary streams declared ahead; RTX maps them to their
	// retransmission streams.
	SSRCs []uint32
	RTX   map[uint32]uint32
	Ext   Extensions
}

// LineParams is what was negotiated for one m-line on which the peer receives.
type LineParams struct {
	SSRC, RTXSSRC uint32
	Format        Format
	// REDPT is the payload type of RFC 2198 redundancy, 0 if not negotiated.
	REDPT uint8
	Ext   Extensions
	// CCFB says that the peer reports on the line's packets as RFC 8888 defines.
	CCFB bool
	// TwoByte says that the peer reads two-byte header extensions beside one-byte
	// ones (extmap-allow-mixed, RFC 8285 section 6).
	TwoByte bool
	Writer  Writer
}

// Line is an m-line on which the peer receives one track at a time. Its SSRC
// stays the same for ever, whatever it carries.
type Line interface {
	// MID names the line; it never changes.
	MID() string
	// Params is nil until the peer has accepted the line in an answer.
	Params() *LineParams
	// Format is the codec the line was made for.
	Format() Format
	// Name sets the msid (RFC 8830) that the next offer shows.
	Name(stream, track string)
	// SetActive says whether the next description shows the line as sending.
	SetActive(active bool)
}

// Sink takes the RTP packets of one SSRC, one at a time, in arrival order. The
// packet is borrowed for the call, and may be modified. It must not block. Now is
// when the packet came.
type Sink interface {
	Packet(now time.Time, b []byte)
}

// State is the life of a connection.
type State uint8

// The states a Handler hears of. Connected may come once; the others are final.
const (
	Connected State = iota + 1
	ICEFailed
	DTLSFailed
	RemoteClosed
	// Misbehaved: the peer opened more streams than any client has use for, or sent
	// too much RTCP that cannot be read.
	Misbehaved
)

// Handler receives what comes from the peer. Its methods are called from the
// transport's goroutines and must not block or call the Conn's signalling
// methods.
type Handler interface {
	// Stream is called when an SSRC is seen or declared, more than once for one
	// SSRC. A nil Sink discards.
	Stream(ssrc uint32) Sink
	// RTCP delivers one packet. It is called once per packet, whatever the number
	// of streams it speaks of. Now is when it came.
	RTCP(now time.Time, packet rtcp.Packet)
	// Malformed reports a datagram of RTCP that the peer did send, but that cannot
	// be read.
	Malformed()
	// State reports a change.
	State(s State)
	// Candidate is one of our ICE candidates that came after the answer, as
	// candidate-attribute (RFC 8839 section 5.1); "" says that there are no more.
	Candidate(attribute string)
	// Data delivers one message of the channel with the given index in the
	// application's table. The message is borrowed.
	Data(channel int, text bool, message []byte)
}

// DataChannel is one row of the application's table of data channels, all
// negotiated out of band (RFC 8832 section 4).
type DataChannel struct {
	Label string
	ID    uint16
	// Unordered, MaxRetransmits and MaxLifetime are RFC 8831 section 6.4; at most
	// one of the last two is not nil.
	Unordered      bool
	MaxRetransmits *uint16
	MaxLifetimeMS  *uint16
	// MaxMessage is the greatest message taken from or sent to the peer, in bytes.
	MaxMessage int
	// MaxBuffered is how many bytes may wait for a slow receiver.
	MaxBuffered int
}

// DataDrop says why a message was not sent; the zero value means it was.
type DataDrop uint8

// The reasons, a closed set.
const (
	// DataSent: the message was handed to the association.
	DataSent DataDrop = iota
	// DataNoChannel: the receiver's channel is not open.
	DataNoChannel
	// DataTooLarge: the message exceeds the channel's limit.
	DataTooLarge
	// DataBuffered: the receiver is too slow, its buffer is full.
	DataBuffered
	// DataWriteError: the channel closed under the write.
	DataWriteError
	// DataWrongWay: the channel does not carry messages this way.
	DataWrongWay
)

var dataDropNames = [...]string{"sent", "no_channel", "too_large", "buffered", "write_error", "wrong_way"}

// String returns the reason's label.
func (d DataDrop) String() string {
	if int(d) < len(dataDropNames) {
		return dataDropNames[d]
	}
	return "unknown"
}
