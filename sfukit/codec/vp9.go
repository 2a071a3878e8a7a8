package codec

// maxVP9References is how many pictures a flexible-mode picture may refer to,
// RFC 9628 section 4.2.
const maxVP9References = 3

// parseVP9 reads the payload descriptor of RFC 9628 section 4.2.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|I|P|L|F|B|E|V|Z|
//	+-+-+-+-+-+-+-+-+
//	|M| PICTURE ID  |  if I, second byte if M
//	| TID |U| SID |D|  if L
//	|   TL0PICIDX   |  if L and not F
//	| P_DIFF      |N|  if F and P, up to 3 times while N
//	| SS            |  if V
func parseVP9(b []byte, dst *Payload) error {
	d := &dst.Descriptor
	first, at := b[0], 1
	var (
		inter    = first&0x40 != 0
		layers   = first&0x20 != 0
		flexible = first&0x10 != 0
		begin    = first&0x08 != 0
	)
	if first&0x80 != 0 && !d.readPictureID(b, &at) {
		return ErrShort
	}
	if layers {
		if at >= len(b) {
			return ErrShort
		}
		dst.HasLayers = true
		dst.TemporalID = b[at] >> 5
		dst.LayerSync = b[at]&0x10 != 0
		dst.SpatialID = b[at] >> 1 & 0x07
		dst.InterLayer = b[at]&0x01 != 0
		at++
		if !flexible && !d.readTL0PICIDX(b, &at) {
			return ErrShort
		}
	}
	if flexible && inter {
		for n := 1; ; n++ {
			if at >= len(b) {
				return ErrShort
			}
			more := b[at]&1 != 0
			at++
			if !more {
				break
			}
			if n == maxVP9References {
				return ErrMalformed
			}
		}
	}
	if first&0x02 != 0 {
		if err := readVP9Structure(b, &at, dst); err != nil {
			return err
		}
	}
	if at >= len(b) {
		return ErrShort // a descriptor without a frame
	}
	d.Size = at
	dst.Start, dst.End = begin, first&0x04 != 0
	dst.InterPicture, dst.Flexible, dst.NotForUpper = inter, flexible, first&0x01 != 0
	dst.Keyframe = begin && !inter && dst.SpatialID == 0
	return nil
}

// readVP9Structure reads the scalability structure of RFC 9628 section 4.2.1
// at b[*at:] and moves past it.
//
//	| N_S |Y|G|-|-|-|
//	| WIDTH (16), HEIGHT (16) |  if Y, N_S + 1 times
//	| N_G           |           if G
//	| TID |U| R |-|-|           N_G times, each followed by R bytes P_DIFF
func readVP9Structure(b []byte, at *int, dst *Payload) error {
	i := *at
	if i >= len(b) {
		return ErrShort
	}
	s := &dst.Structure
	head := b[i]
	i++
	s.Spatial = head>>5 + 1
	if head&0x10 != 0 {
		if i+4*int(s.Spatial) > len(b) {
			return ErrShort
		}
		for n := range s.Spatial {
			dst.Width = uint16(b[i])<<8 | uint16(b[i+1])
			dst.Height = uint16(b[i+2])<<8 | uint16(b[i+3])
			s.Sizes[n] = Size{dst.Width, dst.Height}
			i += 4
		}
	}
	if head&0x08 != 0 {
		if i >= len(b) {
			return ErrShort
		}
		pictures := int(b[i])
		i++
		for range pictures {
			if i >= len(b) {
				return ErrShort
			}
			s.Temporal = max(s.Temporal, b[i]>>5+1)
			i += 1 + int(b[i]>>2&0x03)
		}
	}
	*at = i
	return nil
}
