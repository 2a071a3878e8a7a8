package codec

// Descriptor is the picture numbering in a VP8 (RFC 7741 section 4.2) or VP9
// (RFC 9628 section 4.2) payload descriptor, and where in the payload it is.
// The zero value has no numbering.
type Descriptor struct {
	// Size is the length in bytes of the whole descriptor; the codec's own
	// data follows it.
	Size int
	// PictureID counts pictures modulo 2^PictureIDBits.
	PictureID uint16
	// PictureIDBits is 7 or 15, or 0 when there is no PictureID.
	PictureIDBits uint8
	// HasTL0PICIDX reports that TL0PICIDX is present.
	HasTL0PICIDX bool
	// TL0PICIDX counts the frames of temporal layer 0, modulo 256.
	TL0PICIDX uint8
	// HasKeyIdx reports that KeyIdx is present (VP8 only).
	HasKeyIdx bool
	// KeyIdx counts key frames, modulo 32.
	KeyIdx uint8

	// Offsets in bytes of the fields that are present.
	pictureAt, tl0At, keyAt uint8
}

// Numbered reports whether Put would write anything.
func (d *Descriptor) Numbered() bool {
	return d.PictureIDBits != 0 || d.HasTL0PICIDX || d.HasKeyIdx
}

// Put overwrites the numbering in payload with the given values, each cut to
// the width it has there; fields the descriptor lacks are left out. The size
// of the payload stays the same. Payload must be the bytes d was parsed from
// or a copy of at least their first d.Size bytes; a shorter one is not touched.
// Put does not change d.
func (d *Descriptor) Put(payload []byte, pictureID uint16, tl0PICIDX, keyIdx uint8) {
	if len(payload) < d.Size {
		return
	}
	switch d.PictureIDBits {
	case 7:
		payload[d.pictureAt] = byte(pictureID & 0x7f)
	case 15:
		payload[d.pictureAt] = 0x80 | byte(pictureID>>8)
		payload[d.pictureAt+1] = byte(pictureID)
	}
	if d.HasTL0PICIDX {
		payload[d.tl0At] = tl0PICIDX
	}
	if d.HasKeyIdx {
		payload[d.keyAt] = payload[d.keyAt]&^0x1f | keyIdx&0x1f
	}
}

// readPictureID reads the 7 or 15 bit PictureID at b[*at:] and moves past it.
// Both formats write it alike: the first bit says whether a second byte follows.
func (d *Descriptor) readPictureID(b []byte, at *int) bool {
	i := *at
	if i >= len(b) {
		return false
	}
	d.pictureAt = uint8(i)
	if b[i]&0x80 == 0 {
		d.PictureID, d.PictureIDBits = uint16(b[i]), 7
		*at = i + 1
		return true
	}
	if i+1 >= len(b) {
		return false
	}
	d.PictureID, d.PictureIDBits = uint16(b[i]&0x7f)<<8|uint16(b[i+1]), 15
	*at = i + 2
	return true
}

// readTL0PICIDX reads the byte at b[*at] and moves past it.
func (d *Descriptor) readTL0PICIDX(b []byte, at *int) bool {
	if *at >= len(b) {
		return false
	}
	d.HasTL0PICIDX, d.tl0At = true, uint8(*at)
	d.TL0PICIDX = b[*at]
	*at++
	return true
}
