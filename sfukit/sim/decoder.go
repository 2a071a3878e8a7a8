package sim

// decoder decides which frames of a VP8 stream can be decoded, by picture id,
// TL0PICIDX, TID and Y (RFC 7741 section 4.2), as libwebrtc's reference finder does:
// a frame of the base layer needs the one before it, any other needs the base frame
// that it names and, unless it says otherwise, all pictures since then. A frame that
// is no keyframe needs one of its own encoding before it, whatever its numbers say.
type decoder struct {
	begun   bool
	source  uint8 // encoding of the latest frame
	last    int64 // sequence number of the latest frame's first packet
	end     int64 // and of its last
	picture uint16
	tl0     uint8
	base    uint16 // picture id of the latest base frame
	since   map[uint16]bool
	foreign int // frames right behind one of another encoding that are no keyframes
}

// past reports whether a frame comes too late.
func (d *decoder) past(f *videoFrame) bool { return d.begun && f.first <= d.last }

// accept decodes a frame if that is possible.
func (d *decoder) accept(f *videoFrame) bool {
	p := &f.payload
	picture, tl0 := p.Descriptor.PictureID, p.Descriptor.TL0PICIDX
	base := !p.HasLayers || p.TemporalID == 0
	switch {
	case p.Keyframe:
		if step := (picture - d.picture) & 0x7fff; d.begun && (step == 0 || step > 0x4000) {
			return false // older than what is shown
		}
	case !d.begun:
		return false
	case f.stamp.encoding != d.source:
		if f.first == d.end+1 && !f.refused {
			f.refused = true
			d.foreign++
		}
		return false
	case !p.HasLayers:
		if picture != (d.picture+1)&0x7fff {
			return false
		}
	case base:
		if tl0 != d.tl0+1 {
			return false
		}
	default:
		if tl0 != d.tl0 || !p.LayerSync && !d.whole(picture) {
			return false
		}
	}
	d.begun, d.last, d.end, d.picture, d.source = true, f.first, f.last, picture, f.stamp.encoding
	if base {
		d.tl0, d.base, d.since = tl0, picture, map[uint16]bool{}
	}
	d.since[picture] = true
	return true
}

// whole reports whether every picture since the base frame was decoded.
func (d *decoder) whole(picture uint16) bool {
	for id := d.base; id != picture; id = (id + 1) & 0x7fff {
		if !d.since[id] {
			return false
		}
		if (id-d.base)&0x7fff > 64 {
			return false
		}
	}
	return true
}
