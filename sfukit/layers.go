package sfukit

// LayerWish is what a client asks for on one of its lines. The zero wish asks
// for the best there is.
type LayerWish struct {
	// MID is the line.
	MID string
	// MaxRID is the highest encoding wanted, "" for no limit. A rid the publisher
	// does not have is read as a position in its ladder.
	MaxRID SfuRid
	// MaxWidth is the widest picture of use, in pixels; 0 for no limit.
	MaxWidth int
	// Priority is how important the track is among those of its kind; the greater
	// goes first when bandwidth is short, before screen shares and the active
	// speaker. 0 is what a track has without a wish.
	Priority int
	// Paused stops the track.
	Paused bool
}

// SetLayer changes what the client wants of a track. Another encoding is shown from
// its next keyframe on, which is asked for at once; what was shown until then goes
// on. It returns ErrNoTrack if the line carries nothing.
func (p *Peer) SetLayer(w LayerWish) error {
	l := p.lineByMID(w.MID)
	if l == nil {
		return ErrNoTrack
	}
	p.sub.mu.Lock()
	if l.wish.Priority != w.Priority {
		p.room.repinned.Store(true)
	}
	l.wish = w
	p.sub.mu.Unlock()
	p.sub.reallocate(p.registry.network.Now())
	return nil
}

func (p *Peer) lineByMID(mid string) *downLine {
	p.signal.Lock()
	defer p.signal.Unlock()
	for _, l := range p.lines {
		if l.watched != nil && l.line.MID() == mid {
			return l
		}
	}
	return nil
}

// reportLocked tells the client what the line shows, if that has changed.
func (l *downLine) reportLocked(rid SfuRid, paused bool) {
	c := LayerChange{
		MID: l.line.MID(), RID: rid, Paused: paused, Reason: l.decision.Reason, Budget: l.peer.sub.estimate.Target,
	}
	if !paused {
		c.Spatial, c.Temporal = l.layersLocked(rid)
	}
	same := l.shown.MID == c.MID && l.shown.RID == c.RID && l.shown.Paused == c.Paused &&
		l.shown.Spatial == c.Spatial && l.shown.Temporal == c.Temporal
	l.shown = c
	if !same {
		l.peer.emitLayer(l, l.track, c)
	}
}

// layersLocked returns the highest layers that are forwarded of an encoding: where
// none is left out, the highest that it has.
func (l *downLine) layersLocked(rid SfuRid) (spatial, temporal uint8) {
	var topSpatial, topTemporal uint8
	for _, r := range l.rungs {
		if r.RID == rid {
			topSpatial, topTemporal = max(topSpatial, r.Spatial), max(topTemporal, r.Temporal)
		}
	}
	spatial, temporal = l.rewrite.Layers()
	return min(spatial, topSpatial), min(temporal, topTemporal)
}

// all returns the lines that carry something, in the order in which they began.
func (s *subscriber) all() []*downLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*downLine, 0, len(s.order))
	for _, l := range s.order {
		if l.track != nil {
			out = append(out, l)
		}
	}
	return out
}
