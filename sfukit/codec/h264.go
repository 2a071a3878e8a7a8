package codec

// NAL unit types of H.264 table 7-1 and of RFC 6184 table 1.
const (
	nalSlice      = 1
	nalPartitionA = 2
	nalIDR        = 5
	nalSPS        = 7
	nalAUD        = 9
	nalSTAPA      = 24
	nalFUA        = 28
)

// parseH264 reads a single NAL unit, a STAP-A or an FU-A: the packets of
// packetization modes 0 and 1, RFC 6184 section 5.2. The interleaved types
// (STAP-B, MTAP, FU-B) are not used in WebRTC.
func parseH264(b []byte, dst *Payload) error {
	dst.Discardable = b[0]&0x60 == 0
	switch kind := b[0] & 0x1f; {
	case kind >= 1 && kind < nalSTAPA:
		readNAL(kind, b[1:], dst)
		return nil
	case kind == nalSTAPA:
		return readSTAPA(b[1:], dst)
	case kind == nalFUA:
		if len(b) < 2 {
			return ErrShort
		}
		if b[1]&0x80 != 0 {
			readNAL(b[1]&0x1f, b[2:], dst)
		}
		return nil
	default:
		return ErrUnsupported
	}
}

// readSTAPA reads NAL units, each behind a 16-bit size, RFC 6184 section 5.7.1.
func readSTAPA(b []byte, dst *Payload) error {
	if len(b) == 0 {
		return ErrShort
	}
	for len(b) > 0 {
		if len(b) < 2 {
			return ErrShort
		}
		size := int(b[0])<<8 | int(b[1])
		if b = b[2:]; size > len(b) {
			return ErrShort
		}
		if size > 0 {
			readNAL(b[0]&0x1f, b[1:size], dst)
		}
		b = b[size:]
	}
	return nil
}

// readNAL notes what the beginning of a NAL unit says; body follows its header.
func readNAL(kind byte, body []byte, dst *Payload) {
	switch kind {
	case nalSPS:
		dst.Start, dst.Keyframe = true, true
		if w, h, ok := sizeFromSPS(body); ok {
			dst.Width, dst.Height = w, h
		}
	case nalAUD:
		dst.Start = true
	case nalSlice, nalPartitionA, nalIDR:
		// The slice header opens with first_mb_in_slice as ue(v): a leading 1
		// is zero, the first slice of a picture (H.264 section 7.3.3).
		if len(body) > 0 && body[0]&0x80 != 0 {
			dst.Start = true
		}
	}
}
