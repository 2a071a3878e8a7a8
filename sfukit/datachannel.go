package sfukit

import (
	"cmp"
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// DataDirection says which way a data channel carries messages.
type DataDirection uint8

// The directions.
const (
	// DataRelay passes a peer's messages on to everybody else in the room.
	DataRelay DataDirection = iota
	// DataToServer hands a peer's messages to the application (PeerEvents.Data).
	DataToServer
	// DataFromServer carries only what the application sends (Peer.SendData);
	// messages from a peer are dropped and counted.
	DataFromServer
)

// DataChannel is one row of the table of data channels, opened with every peer
// under an agreed id (RFC 8832 section 4, negotiated: true at the client).
type DataChannel struct {
	// Label names the channel; it must be unique and not empty.
	Label string
	// ID is the SCTP stream, 0 to 1023, unique. Client and server must agree on it.
	ID uint16
	// Unordered lets messages overtake each other (RFC 8831 section 6.1).
	Unordered bool
	// MaxRetransmits bounds how often a lost message is repeated; nil means until
	// it arrives. At most one of MaxRetransmits and MaxLifetime may be set.
	MaxRetransmits *uint16
	// MaxLifetime bounds how long a message is tried, to the millisecond; 0 means for ever.
	MaxLifetime time.Duration
	// MaxMessage is the greatest message in bytes. 0 means 16 KiB; at most 256 KiB.
	MaxMessage int
	// MaxBuffered is how many bytes may wait for one slow receiver before its
	// messages are dropped. 0 means four messages of MaxMessage.
	MaxBuffered int
	// Direction says who talks to whom.
	Direction DataDirection
}

const (
	defaultMaxMessage = 16 << 10
	limitMaxMessage   = 256 << 10
	limitDataID       = 1023
	limitLifetime     = 65535 * time.Millisecond
)

// DataDrop says why a data message did not reach a receiver; the zero value,
// DataSent, means that it was handed to the transport.
type DataDrop = transport.DataDrop

// The reasons, a closed set that may be used as a metric label.
const (
	DataSent        = transport.DataSent
	DataNoChannel   = transport.DataNoChannel
	DataTooLarge    = transport.DataTooLarge
	DataBuffered    = transport.DataBuffered
	DataWriteError  = transport.DataWriteError
	DataWrongWay    = transport.DataWrongWay
	dataDropReasons = int(transport.DataWrongWay) + 1
)

func validateDataChannels(rows []DataChannel) error {
	labels, ids := map[string]bool{}, map[uint16]bool{}
	for i, r := range rows {
		bad := func(format string, args ...any) error {
			return fmt.Errorf("%w: DataChannels[%d] %s", ErrConfig, i, fmt.Sprintf(format, args...))
		}
		switch {
		case r.Label == "":
			return bad("has no Label")
		case labels[r.Label]:
			return bad("repeats the label %q", r.Label)
		case r.ID > limitDataID:
			return bad("has ID %d, want 0 to %d", r.ID, limitDataID)
		case ids[r.ID]:
			return bad("repeats the ID %d", r.ID)
		case r.MaxRetransmits != nil && r.MaxLifetime != 0:
			return bad("has both MaxRetransmits and MaxLifetime, want at most one")
		case r.MaxLifetime < 0 || r.MaxLifetime > limitLifetime:
			return bad("has MaxLifetime %s, want 0 to %s", r.MaxLifetime, limitLifetime)
		case r.MaxMessage < 0 || r.MaxMessage > limitMaxMessage:
			return bad("has MaxMessage %d, want 0 to %d", r.MaxMessage, limitMaxMessage)
		case r.MaxBuffered != 0 && r.MaxBuffered < cmp.Or(r.MaxMessage, defaultMaxMessage):
			return bad("has MaxBuffered %d, want 0 or at least a message of %d", r.MaxBuffered, cmp.Or(r.MaxMessage, defaultMaxMessage))
		case r.Direction > DataFromServer:
			return bad("has unknown Direction %d", r.Direction)
		}
		labels[r.Label], ids[r.ID] = true, true
	}
	return nil
}

// transportChannels fills in the defaults of a valid table.
func transportChannels(rows []DataChannel) []transport.DataChannel {
	out := make([]transport.DataChannel, 0, len(rows))
	for _, r := range rows {
		t := transport.DataChannel{
			Label: r.Label, ID: r.ID, Unordered: r.Unordered, MaxRetransmits: r.MaxRetransmits,
			MaxMessage: r.MaxMessage, MaxBuffered: r.MaxBuffered,
		}
		if r.MaxLifetime > 0 {
			ms := uint16(r.MaxLifetime.Milliseconds())
			t.MaxLifetimeMS = &ms
		}
		if t.MaxMessage == 0 {
			t.MaxMessage = defaultMaxMessage
		}
		if t.MaxBuffered == 0 {
			t.MaxBuffered = 4 * t.MaxMessage
		}
		out = append(out, t)
	}
	return out
}
