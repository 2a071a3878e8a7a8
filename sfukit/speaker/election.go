package speaker

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Tick holds an election with the levels recorded until now, and reports who
// took the floor, or false if it stays with whom it was. Call it with the
// period Interval.
//
// Without a dominant speaker the highest medium score wins, then the greatest
// sum of recent volumes: someone always does, even in silence. Against a dominant
// speaker a challenger must exceed C1, C2 and C3, and the one furthest ahead
// over the medium interval wins. So the dominant speaker stays through silence
// until another speaks up.
func (d *Detector) Tick(now time.Time) (Change, bool) {
	if d.ticked && now.Sub(d.last) < d.cfg.Interval-d.cfg.Interval/10 {
		return Change{}, false
	}
	d.ticked, d.last = true, now
	d.expire(now)
	for _, p := range d.peers {
		if !p.paused {
			d.rule.rate(p)
		}
	}
	winner, margin := d.elect()
	if winner == nil || winner == d.dominant {
		return Change{}, false
	}
	d.dominant = winner
	return Change{Speaker: winner.id, Margin: margin}, true
}

// expire fills the gap of peers that went quiet with silence, and retires those
// that have been so for long.
func (d *Detector) expire(now time.Time) {
	d.peers = slices.DeleteFunc(d.peers, func(p *peer) bool {
		idle := p.idle(now)
		if now.Sub(p.fill) > LevelIdleTimeout {
			p.advance(now, 0)
		}
		if idle <= SpeakerIdleTimeout || p == d.dominant {
			return false
		}
		if p.paused = true; p.added {
			return false
		}
		delete(d.byID, p.id)
		return true
	})
}

// elect returns the winner and its margin, nil if there is no candidate.
func (d *Detector) elect() (*peer, float64) {
	if d.dominant == nil {
		var first *peer
		for _, p := range d.peers {
			if !p.paused && (first == nil || compare(p, first) < 0) {
				first = p
			}
		}
		return first, 0
	}
	winner, lead := d.dominant, d.cfg.C2
	for _, p := range d.peers {
		if p.paused || p == d.dominant {
			continue
		}
		medium := math.Log(p.medium / d.dominant.medium)
		if medium > lead &&
			math.Log(p.immediate/d.dominant.immediate) > d.cfg.C1 &&
			math.Log(p.long/max(d.dominant.long, d.rule.quorum)) > d.cfg.C3 {
			winner, lead = p, medium
		}
	}
	return winner, lead - d.cfg.C2
}

// compare orders peers by standing, the best first.
func compare(a, b *peer) int {
	return cmp.Or(
		cmp.Compare(b.medium, a.medium),
		cmp.Compare(b.sum, a.sum),
		cmp.Compare(a.id, b.id),
	)
}
