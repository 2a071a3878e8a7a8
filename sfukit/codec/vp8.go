package codec

// parseVP8 reads the payload descriptor of RFC 7741 section 4.2 and, at the
// start of a frame, the frame header of RFC 6386 section 9.1.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|X|R|N|S|R| PID |
//	+-+-+-+-+-+-+-+-+
//	|I|L|T|K| RSV   |  if X
//	|M| PictureID   |  if I, second byte if M
//	|   TL0PICIDX   |  if L
//	|TID|Y| KEYIDX  |  if T or K
func parseVP8(b []byte, dst *Payload) error {
	d := &dst.Descriptor
	first, at := b[0], 1
	dst.Discardable = first&0x20 != 0
	dst.Start = first&0x10 != 0 && first&0x07 == 0

	if first&0x80 != 0 {
		if at >= len(b) {
			return ErrShort
		}
		ext := b[at]
		at++
		if ext&0x80 != 0 && !d.readPictureID(b, &at) {
			return ErrShort
		}
		if ext&0x40 != 0 && !d.readTL0PICIDX(b, &at) {
			return ErrShort
		}
		if ext&0x30 != 0 {
			if at >= len(b) {
				return ErrShort
			}
			if ext&0x20 != 0 {
				dst.HasLayers = true
				dst.TemporalID = b[at] >> 6
				dst.LayerSync = b[at]&0x20 != 0
			}
			if ext&0x10 != 0 {
				d.HasKeyIdx, d.keyAt = true, uint8(at)
				d.KeyIdx = b[at] & 0x1f
			}
			at++
		}
	}
	if at >= len(b) {
		return ErrShort // a descriptor without a frame
	}
	d.Size = at
	if dst.Start {
		readVP8KeyFrame(b[at:], dst)
	}
	return nil
}

// readVP8KeyFrame looks for a key frame header: a 3-byte frame tag whose
// lowest bit is 0, the start code 9d 01 2a, then width and height, each 14 bits
// little-endian under a 2-bit scale.
func readVP8KeyFrame(b []byte, dst *Payload) {
	if len(b) < 10 || b[0]&1 != 0 || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return
	}
	dst.Keyframe = true
	dst.Width = uint16(b[7]&0x3f)<<8 | uint16(b[6])
	dst.Height = uint16(b[9]&0x3f)<<8 | uint16(b[8])
}
