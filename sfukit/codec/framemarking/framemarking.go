// Package framemarking reads the video frame marking header extension of RFC
// 9626, by which a sender of any codec says where frames begin and which layer
// they belong to. The temporal layers of H264, whose payload does not tell them,
// are known from here; package codec reads what payloads tell.
package framemarking

import "errors"

// URI names the extension in SDP, RFC 9626 section 3.4.
const URI = "urn:ietf:params:rtp-hdrext:framemarking"

// ErrShort is returned by Parse for an extension without a byte.
var ErrShort = errors.New("framemarking: extension too short")

// Marking is what the extension says of one packet. The zero value is a packet
// inside a frame of the base layer.
type Marking struct {
	// Start and End (S and E) report the first and the last packet of a frame
	// within its layer.
	Start, End bool
	// Independent (I) reports a frame that needs none before it.
	Independent bool
	// Discardable (D) reports a frame that no other needs.
	Discardable bool
	// BaseSync (B) reports a frame of a higher temporal layer that needs only
	// frames of the base layer: from it on a receiver may move up to
	// TemporalID.
	BaseSync bool
	// TemporalID (TID) is the temporal layer, 0 (base) to 7.
	TemporalID uint8
	// LayerID (LID) names spatial and quality layers in a way that depends on
	// the codec, RFC 9626 section 3.3. 0 is the base, and with H264 without
	// its scalable extension the only one.
	LayerID uint8
	// TL0PICIDX counts the frames of temporal layer 0, modulo 256. It is
	// meaningful if HasTL0PICIDX.
	TL0PICIDX    uint8
	HasTL0PICIDX bool
}

// Parse reads b, the value of the extension, into dst, which is overwritten
// completely. It is one byte, followed with scalable streams by LayerID and
// TL0PICIDX (RFC 9626 sections 3.1 and 3.2); what follows these is ignored.
// Parse does not keep b, does not allocate, and may be called concurrently. Its
// one error is ErrShort.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|S|E|I|D|B| TID |
//	+-+-+-+-+-+-+-+-+
//	|      LID      |  optional
//	|   TL0PICIDX   |  optional
func Parse(b []byte, dst *Marking) error {
	*dst = Marking{}
	if len(b) == 0 {
		return ErrShort
	}
	first := b[0]
	dst.Start = first&0x80 != 0
	dst.End = first&0x40 != 0
	dst.Independent = first&0x20 != 0
	dst.Discardable = first&0x10 != 0
	dst.BaseSync = first&0x08 != 0
	dst.TemporalID = first & 0x07
	if len(b) > 1 {
		dst.LayerID = b[1]
	}
	if len(b) > 2 {
		dst.HasTL0PICIDX, dst.TL0PICIDX = true, b[2]
	}
	return nil
}
