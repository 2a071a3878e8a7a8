package allocate

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	// lasting is how long a target must have been reached to be trusted without a
	// probe, to within a slot.
	lasting = 3 * time.Second
	// probeValid is how long a probe tells something about the link.
	probeValid = 5 * time.Second

	slot  = 250 * time.Millisecond
	slots = int(lasting/slot) + 1
)

// proof remembers what the link has been shown to carry.
type proof struct {
	known bool
	since time.Time // of the first target in a row
	slots [slots]targets
}

// targets are the extremes of a slot of time.
type targets struct {
	slot      int64 // its number, from 1; 0 for none
	low, high units.Bitrate
}

// take notes the budget as of now.
func (p *proof) take(now time.Time, b Budget) {
	if !b.Known {
		p.known = false
		return
	}
	if !p.known {
		*p = proof{known: true, since: now}
	}
	n := p.number(now)
	t := &p.slots[n%int64(slots)]
	if t.slot != n {
		*t = targets{slot: n, low: b.Target, high: b.Target}
	}
	t.low, t.high = min(t.low, b.Target), max(t.high, b.Target)
}

func (p *proof) number(now time.Time) int64 { return int64(now.Sub(p.since)/slot) + 1 }

// extremes returns the lowest and the highest target since lasting ago.
func (p *proof) extremes(now time.Time, b Budget) (low, high units.Bitrate) {
	low, high = b.Target, b.Target
	oldest := max(p.number(now)-int64(slots)+1, 1)
	for _, t := range p.slots {
		if t.slot >= oldest {
			low, high = min(low, t.low), max(high, t.high)
		}
	}
	return low, high
}

// rate returns the rate that is proven: by a probe, or because the target has
// lasted. The first target in a row is taken to have lasted. It is not above the
// target.
func (p *proof) rate(now time.Time, b Budget) units.Bitrate {
	proven, _ := p.extremes(now, b)
	if age := now.Sub(b.ProbedAt); age >= 0 && age <= probeValid {
		proven = max(proven, b.Probed)
	}
	return min(proven, b.Target)
}

// falls reports whether the target is a tenth below what it was.
func (p *proof) falls(now time.Time, b Budget) bool {
	_, high := p.extremes(now, b)
	return b.Target < high-high/10
}
