package rewrite

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
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
	// Dependency is the packet's dependency descriptor, read by a dd.Parser of
	// its source; nil if it has none. AV1 only; borrowed like Payload. A packet
	// whose descriptor cannot be read is of no use to any receiver and is better
	// not mapped.
	Dependency *dd.Descriptor
}

// Out is how a forwarded packet must look on the line.
type Out struct {
	// Seq is the RTP sequence number.
	Seq uint16
	// Timestamp is the RTP timestamp in ticks of the line's clock rate.
	Timestamp uint32
	// Marker is the RTP marker bit. It is that of the source, and set on the
	// last packet of a picture of which the upper layers are left out.
	Marker bool
	// Empty asks for a packet without payload and without padding (RFC 3550
	// section 5.1 allows both to be absent), which fills the number of a packet
	// that came late and is of a layer the line does not have. Receivers count
	// it and look no further.
	Empty bool
	// PictureID, TL0PICIDX and KeyIdx are the picture numbers for Patch;
	// meaningful where the source's descriptor has the field.
	PictureID uint16
	TL0PICIDX uint8
	KeyIdx    uint8
	// Described reports that the packet must carry a dependency descriptor, which
	// Dependency makes from the one it came with; see AppendDependency. All
	// packets of a run have one, or none.
	Described  bool
	Dependency dd.Change
	// Switched reports that this is the first packet of a source: at the very
	// beginning, and after a switch, a pause or a restart of the source.
	Switched bool
}
