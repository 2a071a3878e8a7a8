package codec

// OBU types of the AV1 specification section 6.2.2.
const (
	obuSequenceHeader    = 1
	obuTemporalDelimiter = 2
	obuFrameHeader       = 3
	obuMetadata          = 5
	obuFrame             = 6
)

// parseAV1 reads the aggregation header of the AV1 RTP specification section
// 4.4 and the first OBU elements.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|Z|Y| W |N|-|-|-|
//	+-+-+-+-+-+-+-+-+
//
// Z: the first element continues one of the packet before. W: number of
// elements, of which the last has no length; 0 if all have. N: first packet of
// a coded video sequence.
func parseAV1(b []byte, dst *Payload) error {
	head := b[0]
	var (
		continued = head&0x80 != 0
		count     = int(head >> 4 & 0x03)
		sequence  = head&0x08 != 0
	)
	if continued && sequence {
		return ErrMalformed // forbidden in section 4.4
	}
	if b = b[1:]; len(b) == 0 {
		return ErrShort
	}
	if continued {
		return nil
	}
	first := true
	for n := 1; len(b) > 0; n++ {
		size, rest := len(b), b
		if n != count {
			var ok bool
			if size, rest, ok = leb128(b); !ok || size > len(rest) {
				return ErrShort
			}
		}
		readOBU(rest[:size], first, dst)
		first, b = false, rest[size:]
		if !sequence || n == count {
			break // only a new sequence is worth a second look
		}
	}
	dst.Start = dst.Start || sequence
	dst.Keyframe = sequence
	return nil
}

// readOBU notes what one OBU element says, AV1 section 5.3.2. The packet's
// first element gives its layers and whether it starts a frame.
func readOBU(obu []byte, first bool, dst *Payload) {
	if len(obu) == 0 {
		return
	}
	kind, at := obu[0]>>3&0x0f, 1
	if obu[0]&0x04 != 0 { // obu_extension_flag
		if len(obu) < 2 {
			return
		}
		if first {
			dst.HasLayers = true
			dst.TemporalID, dst.SpatialID = obu[1]>>5, obu[1]>>3&0x03
		}
		at++
	}
	switch kind {
	case obuSequenceHeader, obuTemporalDelimiter, obuFrameHeader, obuMetadata, obuFrame:
		dst.Start = dst.Start || first
	}
	if kind != obuSequenceHeader || dst.Width != 0 {
		return
	}
	body := obu[at:]
	if obu[0]&0x02 != 0 { // obu_has_size_field, which RTP senders should clear
		size, rest, ok := leb128(body)
		if !ok || size > len(rest) {
			return
		}
		body = rest[:size]
	}
	if w, h, ok := sizeFromSequenceHeader(body); ok {
		dst.Width, dst.Height = w, h
	}
}

// leb128 reads a little-endian base-128 number of at most 32 bits, AV1 section
// 4.10.5, and returns what follows it.
func leb128(b []byte) (v int, rest []byte, ok bool) {
	var u uint64
	for i := 0; i < 8 && i < len(b); i++ {
		u |= uint64(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return int(u), b[i+1:], u <= 1<<31-1
		}
	}
	return 0, nil, false
}
