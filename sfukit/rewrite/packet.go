package rewrite

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// Source identifies one inbound encoding. The zero value means none. Two
// encodings that may feed the same line must differ; nothing else is read into
// the number.
type Source uint32

// Packet describes one inbound RTP packet. It is filled once per packet and
// read by the Rewriter of every line, which never writes to or keeps it.
type Packet struct {
	// Source is the encoding the packet belongs to, not zero.
	Source Source
	// Seq is the RTP sequence number, unwrapped per source.
	Seq int64
	// Timestamp is the RTP timestamp in ticks of the line's clock rate.
	Timestamp uint32
	// Marker is the RTP marker bit.
	Marker bool
	// Arrival is the local time of reception.
	Arrival time.Time
	// Capture is when the sender sampled the media, by the sender's own wall
	// clock (RTP timestamp carried through the sender report, RFC 3550 section
	// 6.4.1). Zero while unknown.
	Capture time.Time
	// Domain identifies the clock behind Capture, normally the publisher.
	// Captures are compared only when Domain is equal.
	Domain uint32
	// Payload is what the payload says; borrowed until Map or Skip returns. It
	// may be nil for audio and for padding.
	Payload *codec.Payload
}

// Out is how a forwarded packet must look on the line.
type Out struct {
	// Seq is the RTP sequence number.
	Seq uint16
	// Timestamp is the RTP timestamp in ticks of the line's clock rate.
	Timestamp uint32
	// Marker is the RTP marker bit.
	Marker bool
	// PictureID, TL0PICIDX and KeyIdx are the picture numbers for Patch;
	// meaningful where the source's descriptor has the field.
	PictureID uint16
	TL0PICIDX uint8
	KeyIdx    uint8
	// Switched reports that this is the first packet of a source: at the very
	// beginning, and after a switch, a pause or a restart of the source.
	Switched bool
}
