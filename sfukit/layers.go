package sfukit

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

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
	// Paused stops the track.
	Paused bool
}

// SetLayer changes what the client wants of a track. It takes effect at the next
// keyframe of the encoding chosen, which is asked for at once; what was shown
// until then goes on. It returns ErrNoTrack if the line carries nothing.
func (p *Peer) SetLayer(w LayerWish) error {
	l := p.lineByMID(w.MID)
	if l == nil {
		return ErrNoTrack
	}
	p.sub.mu.Lock()
	l.wish = w
	p.sub.mu.Unlock()
	l.choose(time.Now())
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

// choose picks the encoding the line should show, and asks for a keyframe while
// that is another than the one it shows. It is called again and again, so a
// request that came to nothing is repeated; the encoding merges and throttles
// what all its lines ask for.
func (l *downLine) choose(now time.Time) {
	s := &l.peer.sub
	s.mu.Lock()
	t := l.track
	if t == nil {
		s.mu.Unlock()
		return
	}
	wanted, reason := l.decideLocked(now, t)
	var source rewrite.Source
	if wanted != nil {
		source = wanted.source
	}
	changed := source != l.rewrite.Target()
	if changed {
		l.reason = reason
		l.rewrite.Want(source)
		if wanted == nil {
			l.reportLocked("", true)
		} else if source == l.rewrite.Current() {
			l.reportLocked(wanted.rid, false)
		}
	}
	waiting := wanted != nil && source != l.rewrite.Current()
	s.mu.Unlock()
	if waiting {
		wanted.askKeyframe(now)
	}
}

// decideLocked returns the encoding to show, nil for none, and what decided.
func (l *downLine) decideLocked(now time.Time, t *track) (*encoding, LayerReason) {
	s := &l.peer.sub
	if l.wish.Paused {
		return nil, ReasonClient
	}
	if t.kind == KindAudio {
		return t.encodings[0], ReasonStart
	}
	if s.pacer.Suspended() || s.pacer.AudioOnly() {
		return nil, ReasonSuspend
	}
	if len(t.encodings) == 1 {
		return t.encodings[0], ReasonStart
	}
	rungs := make([]layer.Rung, len(t.encodings))
	for i, e := range t.encodings {
		rungs[i] = e.rung(now)
	}
	ladder := layer.NewLadder(rungs)
	choice, ok := ladder.BestFit(s.pacer.Layer())
	reason := ReasonBandwidth
	lower := func(rid SfuRid, found bool, why LayerReason) {
		a, _ := ladder.Rank(rid)
		b, _ := ladder.Rank(choice)
		if found && (!ok || a < b) {
			choice, ok, reason = rid, true, why
		}
	}
	if l.wish.MaxRID != "" {
		rid, found := ladder.BestFit(l.wish.MaxRID)
		lower(rid, found, ReasonClient)
	}
	if l.wish.MaxWidth > 0 {
		rid, found := ladder.FitWidth(l.wish.MaxWidth)
		lower(rid, found, ReasonClient)
	}
	if !ok { // nothing is live: what we have may come back, the lowest comes first
		if e := t.bySource(l.rewrite.Target()); e != nil {
			return e, l.reason
		}
		return t.encoding(string(ladder.At(0).RID)), ReasonStart
	}
	if e := t.bySource(l.rewrite.Target()); e != nil && e.rid != choice && !e.rung(now).Live {
		reason = ReasonLive
	}
	return t.encoding(string(choice)), reason
}

// reportLocked tells the client what the line shows, if that has changed.
func (l *downLine) reportLocked(rid SfuRid, paused bool) {
	c := LayerChange{
		MID: l.line.MID(), RID: rid, Paused: paused, Reason: l.reason, Budget: l.peer.sub.estimate.Target,
	}
	same := l.shown.MID == c.MID && l.shown.RID == c.RID && l.shown.Paused == c.Paused
	l.shown = c
	if !same {
		l.peer.emitLayer(l, l.track, c)
	}
}

// all returns the lines that carry something.
func (s *subscriber) all() []*downLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*downLine, 0, len(s.lines))
	for _, l := range s.lines {
		if l.track != nil {
			out = append(out, l)
		}
	}
	return out
}
