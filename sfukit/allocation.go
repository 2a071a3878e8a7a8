package sfukit

import (
	"math"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// allocation is how a subscriber's bandwidth was last spread over its lines.
// Guarded by subscriber.mu.
type allocation struct {
	allocate.Result
	target units.Bitrate    // it was made for
	tracks []allocate.Track // reused
	lines  []*downLine      // reused; as tracks
}

// reallocate spreads the bandwidth over all lines, and asks for keyframes where a
// line is to show another encoding than it does. It is called again and again, so
// that a request which came to nothing is repeated; the encoding merges and
// throttles what all its lines ask for.
func (s *subscriber) reallocate(now time.Time) {
	s.mu.Lock()
	asks := s.reallocateLocked(now)
	s.mu.Unlock()
	askKeyframes(now, asks)
}

func askKeyframes(now time.Time, encodings []*encoding) {
	for _, e := range encodings {
		e.askKeyframe(now)
	}
}

// reallocateLocked returns the encodings that keyframes are needed of. They are to be
// asked without the lock, which others hold for every packet.
func (s *subscriber) reallocateLocked(now time.Time) (asks []*encoding) {
	a := &s.allocation
	a.tracks, a.lines = a.tracks[:0], a.lines[:0]
	speaker, speaking := s.peer.room.dominant()
	for _, l := range s.order {
		t := l.track
		if t == nil {
			continue
		}
		l.rungs = t.ladderNow(now)
		a.lines = append(a.lines, l)
		a.tracks = append(a.tracks, allocate.Track{
			ID: t.id, Audio: t.kind == KindAudio, Priority: l.wish.Priority,
			Screen: t.screen.Load(), Speaker: speaking && t.owner.id == speaker,
			MaxRID: l.wish.MaxRID, MaxWidth: l.wish.MaxWidth, Paused: l.wish.Paused,
			Showing: l.showing(), Rungs: l.rungs,
		})
	}
	mode := a.Mode
	s.repairs.update(now, s.sentBytes, s.resentBytes)
	budget := s.budget(now)
	a.target = budget.Target
	a.Result = s.allocator.Update(now, budget, a.tracks)
	if s.prober != nil {
		s.prober.OnDemand(now, s.repairs.with(a.Wanted))
	}
	for i := range a.lines {
		if e := a.lines[i].apply(now, &a.tracks[i], &a.Tracks[i]); e != nil {
			asks = append(asks, e)
		}
	}
	if a.Mode != mode {
		s.peer.emitMode(ModeChange{Mode: a.Mode, Budget: s.estimate.Target})
	}
	return asks
}

// settling is how long the first estimates are not acted on at most: they are where
// the estimator begins, until its first probe has been answered.
const settling = 2 * time.Second

// settled reports whether the estimate is one.
func (s *subscriber) settled(now time.Time) bool {
	return s.estimated && (!s.estimate.ProbedAt.IsZero() || now.Sub(s.since) >= settling)
}

// budget returns what the link carries. Of a client whose link cannot be probed,
// for want of a retransmission format, it is only known what is too much: it gets
// the lowest encodings, unless the client itself has said what it can take.
func (s *subscriber) budget(now time.Time) allocate.Budget {
	known := s.settled(now)
	switch s.estimate.Term {
	case bwe.TermREMB, bwe.TermHint:
		known = s.estimated
	case bwe.TermLoss:
		known = s.estimated && s.paddingLineLocked() != nil
	default:
		known = known && s.paddingLineLocked() != nil
	}
	return allocate.Budget{
		Target: s.repairs.without(s.estimate.Target), Known: known, Drained: s.estimate.Drained,
		Probed: s.repairs.without(s.estimate.Probed), ProbedAt: s.estimate.ProbedAt,
	}
}

// repairs measures how much is sent again for what is sent, so that the budget has
// room for it: else a link that is full loses more, the repairs of which fill it
// further.
type repairs struct {
	at           time.Time
	sent, resent int64   // in all, then
	rate, again  float64 // bytes, of late
}

// repairMemory is the time constant of repairs: many bursts of loss long.
const repairMemory = 5 * time.Second

func (r *repairs) update(now time.Time, sent, resent int64) {
	keep := math.Exp(-now.Sub(r.at).Seconds() / repairMemory.Seconds())
	r.rate = keep*r.rate + float64(sent-r.sent)
	r.again = keep*r.again + float64(resent-r.resent)
	r.at, r.sent, r.resent = now, sent, resent
}

// repairRoom is the share of repairs that the room which package allocate leaves
// when it raises is enough for.
const repairRoom = 0.1

// share returns how much is sent again for each byte that is sent, beyond repairRoom.
func (r *repairs) share() float64 {
	if r.rate <= 0 {
		return 0
	}
	return min(max(r.again/r.rate-repairRoom, 0), 1) // more is answers to what was sent long ago
}

// with returns what a rate comes to with its repairs.
func (r *repairs) with(rate units.Bitrate) units.Bitrate {
	return units.Bitrate(float64(rate) * (1 + r.share()))
}

// without returns how much of a rate is left for what is sent first.
func (r *repairs) without(rate units.Bitrate) units.Bitrate {
	return units.Bitrate(float64(rate) / (1 + r.share()))
}

// showing returns the index in l.rungs of what flows on the line, -1 for nothing.
func (l *downLine) showing() int {
	e := l.track.bySource(l.rewrite.Current())
	if e == nil {
		return -1
	}
	spatial, temporal := l.rewrite.Layers()
	found := -1
	for i, r := range l.rungs {
		if r.RID == e.rid && (found < 0 || r.Spatial <= spatial && r.Temporal <= temporal) {
			found = i
		}
	}
	return found
}

// apply makes the line do what was decided. It returns the encoding that a keyframe
// is needed of, if any.
func (l *downLine) apply(now time.Time, t *allocate.Track, d *allocate.Decision) *encoding {
	l.decision = *d
	l.wantDemand(now, t, d)
	wanted := l.wantedEncoding(t, d)
	if wanted == nil {
		if l.rewrite.Target() != 0 {
			l.rewrite.Want(0)
		}
		l.reportLocked("", true)
		return nil
	}
	if wanted.source != l.rewrite.Target() {
		l.rewrite.Want(wanted.source)
	}
	spatial, temporal := uint8(rewrite.MaxLayer), uint8(rewrite.MaxLayer)
	if r := d.Rung; r >= 0 && r+1 < len(t.Rungs) && t.Rungs[r+1].RID == t.Rungs[r].RID {
		spatial, temporal = t.Rungs[r].Spatial, t.Rungs[r].Temporal
	}
	l.rewrite.WantLayers(spatial, temporal)
	if wanted.source != l.rewrite.Current() || l.rewrite.NeedsKeyframe() {
		return wanted
	}
	l.reportLocked(wanted.rid, false)
	return nil
}

// wantedEncoding returns the encoding the line should show, nil for none. Where
// nothing is live, what it has may come back, and the lowest comes first.
func (l *downLine) wantedEncoding(t *allocate.Track, d *allocate.Decision) *encoding {
	switch {
	case d.Rung >= 0:
		return l.track.encoding(string(t.Rungs[d.Rung].RID))
	case t.Paused, slices.ContainsFunc(t.Rungs, func(r allocate.Rung) bool { return r.Live }):
		return nil
	case !t.Audio && l.peer.sub.allocation.Mode != ModeVideo:
		return nil
	}
	if e := l.track.bySource(l.rewrite.Target()); e != nil {
		return e
	}
	return l.track.encoding(string(t.Rungs[0].RID))
}
