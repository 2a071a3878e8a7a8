package speaker

import "time"

// peer is what a Detector knows about one id.
type peer struct {
	id     uint64
	levels history
	floor  noiseFloor
	peak   peak

	timed bool      // filled and heard are set
	heard time.Time // newest recorded level, or when the peer was first noticed
	fill  time.Time // up to when levels is filled, by levels or by silence

	added  bool // by Add, so kept until Remove
	paused bool // no candidate until it is heard again

	// As of the last Tick.
	immediate, medium, long float64
	sum                     int // of all volumes in levels

	loudness int // scratch of Loudest
}

// advance stores v for the slots since the newest stored volume, and reports
// false, storing nothing, if now is before it.
func (p *peer) advance(now time.Time, v int) bool {
	slots := 1
	if p.timed {
		elapsed := now.Sub(p.fill)
		if elapsed < 0 {
			return false
		}
		slots = int(min(max(elapsed/slot, 1), time.Duration(len(p.levels.ring))))
	}
	p.levels.push(v, slots)
	p.fill = now
	return true
}

// record stores a volume heard at now.
func (p *peer) record(now time.Time, v int, rule *scorer) {
	if !p.advance(now, v) {
		return
	}
	p.floor.update(v, rule.parity)
	if v >= p.floor.volume+rule.margin {
		p.peak.raise(now, v)
	}
	p.heard, p.timed, p.paused = now, true, false
}

// idle reports for how long nothing has been heard, and notices the peer.
func (p *peer) idle(now time.Time) time.Duration {
	if !p.timed {
		p.heard, p.fill, p.timed = now, now, true
	}
	return now.Sub(p.heard)
}
