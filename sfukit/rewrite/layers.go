package rewrite

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"

// MaxLayer wants all layers there are.
const MaxLayer = 7

// WantLayers sets the highest spatial and temporal layer the line should have,
// counted from 0; more than there are, such as MaxLayer, means all, as at the
// beginning. It holds for every source until it is called again. It changes
// nothing at once: a frame is forwarded whole or not at all.
//
// Layers are left out from the next picture on. They come back where a receiver
// that has not seen them can follow, which the source decides:
//
//   - temporal layers of VP8, and of H264 with frame marking, at a frame of the
//     layer that needs only the base layer (Y in VP8, B in RFC 9626);
//   - those of VP9 after a picture with U, when the picture id says that it was
//     the one directly before;
//   - spatial layers of VP9 at a key picture, or at a frame of temporal layer 0
//     without inter-picture prediction (P = 0). A stream in k-SVC mode has those
//     at key pictures only. The first picture of the latter kind has two packets
//     with a marker: that of the layer below was on its way already;
//   - AV1 changes its decode target as package dd describes. Without dependency
//     descriptors AV1 cannot be thinned and is forwarded whole.
//
// A key frame has all layers wanted. NeedsKeyframe says if only that helps.
//
// Of VP9 all layers below the wanted one are forwarded, even those no other needs
// (Z), so that going down never waits.
func (r *Rewriter) WantLayers(spatial, temporal uint8) {
	spatial, temporal = min(spatial, MaxLayer), min(temporal, MaxLayer)
	r.layers.want(spatial, temporal)
	if r.frames != nil {
		r.frames.selector.Want(spatial, temporal)
	}
}

// Layers returns the highest spatial and temporal layer that are forwarded as of
// the newest packet: MaxLayer where nothing is left out.
func (r *Rewriter) Layers() (spatial, temporal uint8) {
	if r.frames != nil {
		return r.frames.current()
	}
	return r.layers.current()
}

// NeedsKeyframe reports that the spatial layers wanted can probably not be had
// before the next key frame of the current source, which should be asked for.
func (r *Rewriter) NeedsKeyframe() bool {
	switch {
	case r.run.source == 0:
		return false
	case r.frames != nil:
		return r.frames.needsKeyframe()
	}
	return r.layers.needsKeyframe()
}

// layers decides which frames of VP8, VP9 and H264 are forwarded. It judges by
// the first packet of a frame and remembers from which source number on each
// judgement holds, so that packets that come late share the fate of their frame.
type layers struct {
	codec             codec.Codec
	spatial, temporal uint8 // wanted
	limited           bool  // something is or was left out of this run
	grants            grants

	// raised are the spatial layers, as bits, whose temporal layers may all come
	// back with the picture after raisedBy.
	raised   uint8
	raisedBy uint16
}

func newLayers(c codec.Codec) layers {
	return layers{codec: c, spatial: MaxLayer, temporal: MaxLayer}
}

func (l *layers) want(spatial, temporal uint8) {
	l.spatial, l.temporal = spatial, temporal
	l.limited = l.limited || spatial < MaxLayer || temporal < MaxLayer
}

func (l *layers) current() (spatial, temporal uint8) { return l.grants.newest().top() }

func (l *layers) needsKeyframe() bool {
	spatial, _ := l.current()
	return spatial < l.spatial
}

// begin starts a run with the key frame that p is the first packet of.
func (l *layers) begin(p *Packet) {
	l.limited = l.spatial < MaxLayer || l.temporal < MaxLayer
	l.raised = 0
	l.grants.reset(p.Seq, fullGrant(l.spatial, l.temporal))
}

// take reports whether p is forwarded, and whether it is the last packet of its
// picture that is. Next is set if no newer packet of the run was seen.
func (l *layers) take(p *Packet, next bool) (ok, last bool) {
	c := p.Payload
	if !l.limited || c == nil || !c.HasLayers {
		return true, false
	}
	var g grant
	switch {
	case !next:
		g = l.grants.at(p.Seq)
	case c.Start:
		g = l.judge(c)
		l.grants.set(p.Seq, g)
	default:
		g = l.grants.newest()
	}
	if c.TemporalID >= g.depth(c.SpatialID) {
		return false, false
	}
	if next && l.codec == codec.VP9 && c.LayerSync {
		if id := c.Descriptor.PictureID; l.raisedBy != id {
			l.raised, l.raisedBy = 0, id
		}
		l.raised |= 1 << c.SpatialID
	}
	return true, c.End && !g.above(c.SpatialID, c.TemporalID)
}

// judge returns what is granted from the frame on that begins with c.
func (l *layers) judge(c *codec.Payload) grant {
	g := l.grants.newest()
	full := fullGrant(l.spatial, l.temporal)
	if c.Keyframe {
		l.raised = 0
		return full
	}
	if c.SpatialID == 0 { // a picture begins
		g = g.within(full)
		d := &c.Descriptor
		if d.PictureIDBits != 0 && (d.PictureID-l.raisedBy)&(1<<d.PictureIDBits-1) == 1 {
			for s := range uint8(codec.MaxSpatial) {
				if l.raised>>s&1 == 1 && g.depth(s) != 0 {
					g = g.with(s, full.depth(s))
				}
			}
		}
		l.raised = 0
	}
	s, t := c.SpatialID, c.TemporalID
	switch {
	case l.codec != codec.VP9:
		if c.LayerSync && t == g.depth(s) && t < full.depth(s) {
			g = g.with(s, t+1)
		}
	case s > 0 && t == 0 && g.depth(s) == 0 && !c.InterPicture && full.depth(s) > 0 && g.depth(s-1) > 0:
		g = g.with(s, 1)
	}
	return g.standing()
}
