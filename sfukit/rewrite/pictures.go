package rewrite

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"

// pictures makes the picture numbers of VP8 and VP9 continuous over switches.
// In a run each differs from the source's by a constant, found at the first
// packet that has the field.
type pictures struct {
	closes bool // skipped pictures close up: VP8 (see Rewriter.Skip)

	id       int64 // highest sent, unwrapped; sent modulo 2^15 or 2^7
	tl0, key uint8 // of the newest packet sent

	// Of the current run.
	hasID, hasTL0, hasKey bool
	source                int64 // highest source id, unwrapped
	shift                 int64 // line id - source id, before closing up
	tl0Shift, keyShift    uint8
}

func newPictures(cfg Config) pictures {
	return pictures{
		closes: cfg.Codec == codec.VP8,
		id:     int64(cfg.PictureID) - 1,
		tl0:    cfg.TL0PICIDX - 1,
		key:    0xff, // the first KEYIDX is 0
	}
}

// begin starts a run.
func (c *pictures) begin() { c.hasID, c.hasTL0, c.hasKey = false, false, false }

// number fills the picture numbers of out. Closed is how many pictures of the
// run were closed up before this packet; newest that none after it was sent.
func (c *pictures) number(d *codec.Descriptor, out *Out, closed int64, newest bool) {
	if d.PictureIDBits != 0 {
		if !c.hasID {
			c.hasID = true
			c.source = int64(d.PictureID)
			c.shift = c.id + 1 + closed - c.source
		}
		source := c.unwrap(d)
		id := source + c.shift - closed
		out.PictureID = uint16(id & 0x7fff)
		c.source = max(c.source, source)
		c.id = max(c.id, id)
	}
	if d.HasTL0PICIDX {
		if !c.hasTL0 {
			c.hasTL0 = true
			c.tl0Shift = c.tl0 + 1 - d.TL0PICIDX
		}
		out.TL0PICIDX = d.TL0PICIDX + c.tl0Shift
		if newest {
			c.tl0 = out.TL0PICIDX
		}
	}
	if d.HasKeyIdx {
		if !c.hasKey {
			c.hasKey = true
			c.keyShift = c.key + 1 - d.KeyIdx
		}
		out.KeyIdx = (d.KeyIdx + c.keyShift) & 0x1f
		if newest {
			c.key = out.KeyIdx
		}
	}
}

// close notes that a packet of a picture is skipped and returns how many
// pictures that closes up: 1 with the first packet of a picture newer than all
// seen, else 0.
func (c *pictures) close(p *codec.Payload) int64 {
	if !c.closes || !c.hasID || p == nil || p.Descriptor.PictureIDBits == 0 {
		return 0
	}
	source := c.unwrap(&p.Descriptor)
	if source <= c.source {
		return 0
	}
	c.source = source
	return 1
}

// unwrap returns the number closest to the highest one that has d's low bits.
func (c *pictures) unwrap(d *codec.Descriptor) int64 {
	size := int64(1) << d.PictureIDBits
	step := (int64(d.PictureID) - c.source) & (size - 1)
	if step >= size/2 {
		step -= size
	}
	return c.source + step
}
