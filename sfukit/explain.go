package sfukit

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Explanation says why a subscriber gets what it gets of one track. All of it is
// plain values, fit for JSON; rates are in bit/s.
type Explanation struct {
	// MID is the line at the subscriber; Peer, SourceMID and Kind name the track.
	MID       string `json:"mid"`
	Peer      PeerID `json:"peer"`
	SourceMID string `json:"source_mid"`
	Kind      string `json:"kind"`
	// Wish is what the client asked for.
	Wish ExplainedWish `json:"wish"`
	// Budget is the estimate for all tracks together, Term what binds it, Share what
	// of it is set aside for this track. Budget is 0 while nothing is known; while
	// Waiting is "estimate" it is not acted on.
	Budget units.Bitrate `json:"budget_bps"`
	Term   string        `json:"term"`
	Share  units.Bitrate `json:"share_bps"`
	// Showing is what flows, Decided what has been decided on, nil for nothing. They
	// differ while a keyframe is awaited.
	Showing *ExplainedRung `json:"showing,omitempty"`
	Decided *ExplainedRung `json:"decided,omitempty"`
	// Reason says what decided last (LayerReason), and SinceMS how many milliseconds
	// ago. Binding says what keeps the track from more now.
	Reason  string `json:"reason"`
	SinceMS int64  `json:"since_ms"`
	Binding string `json:"binding"`
	// Next is what it would get next, nil if there is nothing better to be had;
	// Missing is how much more estimate that takes. Waiting says what is waited for
	// (allocate.Waiting), and for a back-off, BackoffMS how much longer.
	Next      *ExplainedRung `json:"next,omitempty"`
	Missing   units.Bitrate  `json:"missing_bps,omitempty"`
	Waiting   string         `json:"waiting"`
	BackoffMS int64          `json:"backoff_ms,omitempty"`
	// Probed is what the latest successful probe of the link measured, and
	// ProbedAgoMS how many milliseconds ago; both 0 if there was none.
	Probed      units.Bitrate `json:"probed_bps,omitempty"`
	ProbedAgoMS int64         `json:"probed_ago_ms,omitempty"`
}

// ExplainedWish is a client's wish: see LayerWish.
type ExplainedWish struct {
	MaxRID   SfuRid `json:"max_rid,omitempty"`
	MaxWidth int    `json:"max_width,omitempty"`
	Priority int    `json:"priority,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
}

// ExplainedRung is one quality a track can be had in.
type ExplainedRung struct {
	RID      SfuRid        `json:"rid,omitempty"`
	Spatial  uint8         `json:"spatial"`
	Temporal uint8         `json:"temporal"`
	Width    int           `json:"width,omitempty"`
	Bitrate  units.Bitrate `json:"bitrate_bps"`
	Live     bool          `json:"live"`
}

// Explain says, for each track that the peer receives, why it gets what it gets, in
// the order in which the lines began.
func (p *Peer) Explain() []Explanation {
	now := p.registry.network.Now()
	s := &p.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Explanation{}
	for _, l := range s.order {
		if l.track != nil {
			out = append(out, l.explainLocked(now))
		}
	}
	return out
}

func (l *downLine) explainLocked(now time.Time) Explanation {
	t, d, est := l.track, &l.decision, &l.peer.sub.estimate
	rungs := l.rungs
	x := Explanation{
		MID: l.line.MID(), Peer: t.owner.id, SourceMID: t.mid, Kind: t.kind.String(),
		Wish: ExplainedWish{
			MaxRID: l.wish.MaxRID, MaxWidth: l.wish.MaxWidth, Priority: l.wish.Priority, Paused: l.wish.Paused,
		},
		Budget: est.Target, Term: est.Term.String(), Share: d.Share,
		Showing: explainRung(rungs, l.showing()), Decided: explainRung(rungs, d.Rung), Next: explainRung(rungs, d.Next),
		Reason: d.Reason.String(), Binding: d.Binding.String(), Missing: d.Missing, Waiting: d.Waiting.String(),
		Probed: est.Probed,
	}
	if !d.Since.IsZero() {
		x.SinceMS = now.Sub(d.Since).Milliseconds()
	}
	if d.Until.After(now) {
		x.BackoffMS = d.Until.Sub(now).Milliseconds()
	}
	if !est.ProbedAt.IsZero() {
		x.ProbedAgoMS = now.Sub(est.ProbedAt).Milliseconds()
	}
	return x
}

func explainRung(rungs []allocate.Rung, i int) *ExplainedRung {
	if i < 0 || i >= len(rungs) {
		return nil
	}
	r := &rungs[i]
	return &ExplainedRung{
		RID: r.RID, Spatial: r.Spatial, Temporal: r.Temporal, Width: r.Width, Bitrate: r.Rate, Live: r.Live,
	}
}
