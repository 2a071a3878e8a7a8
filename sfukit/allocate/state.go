package allocate

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Rates follow the measured ones quickly up and slowly down: what a picture cost a
// moment ago it may cost again with the next movement.
const (
	riseTime = time.Second
	fallTime = 5 * time.Second
)

// youth is how long an encoding comes up to its rate after it first began, as the
// browser's own estimate does; besides, it makes up for the key frame it began with.
// What it will cost is taken for twice what it costs at first.
const youth = 4 * time.Second

const (
	// guess is assumed of a lowest rung that was not measured, and guessStep is by
	// how much others exceed the one below: three encodings of a browser are about so
	// far apart.
	guess      = 150 * units.Kbps
	guessAudio = 40 * units.Kbps // Opus with headers
	guessStep  = 3
	// maxRate bounds what is believed of a rung, so that sums cannot overflow.
	maxRate = 10_000 * units.Mbps
)

// state is what is remembered of a track.
type state struct {
	arrived uint64 // number of the track, by first appearance
	seen    uint64 // the call in which it last occurred
	rung    int    // decided, -1 for none
	since   time.Time
	reason  Reason // of the last change
	binding Reason // as of the last call
	// denied is true if the budget had no room for any rung.
	denied bool
	// short is since when the lowest rung has exceeded the budget; zero if it does
	// not.
	short time.Time
	rungs []rungState
}

// rungState is what is remembered of a rung.
type rungState struct {
	rid               layer.RID
	spatial, temporal uint8

	rate     units.Bitrate // smoothed; 0 unknown
	cost     units.Bitrate // rate, or a guess
	measured time.Time
	growth   units.Bitrate // that cost may still have

	silent backoff // after it fell silent
}

// follow takes the rungs of t as they are now.
func (s *state) follow(now time.Time, t *Track) {
	if !s.matches(t.Rungs) {
		s.rearrange(t.Rungs)
	}
	below := guess / guessStep
	if t.Audio {
		below = guessAudio / guessStep
	}
	for i := range s.rungs {
		r, m := &t.Rungs[i], &s.rungs[i]
		m.measure(now, r)
		m.cost = m.rate
		if m.cost == 0 {
			m.cost = below // another temporal layer
			if i == 0 || r.RID != t.Rungs[i-1].RID || r.Spatial != t.Rungs[i-1].Spatial {
				m.cost = min(below*guessStep, maxRate)
			}
		}
		below = m.cost
		m.growth = 0
		if age := max(now.Sub(r.Began), 0); age < youth {
			m.growth = m.rate * units.Bitrate((youth - age).Milliseconds()) / units.Bitrate(youth.Milliseconds())
		}
	}
}

func (s *state) matches(rungs []Rung) bool {
	if len(s.rungs) != len(rungs) {
		return false
	}
	for i := range rungs {
		if !rungs[i].same(&s.rungs[i]) {
			return false
		}
	}
	return true
}

// rearrange follows a ladder that has other rungs than before, or another order.
func (s *state) rearrange(rungs []Rung) {
	old := s.rungs
	s.rungs = make([]rungState, len(rungs))
	chosen := -1
	for i := range rungs {
		r := &rungs[i]
		s.rungs[i] = rungState{rid: r.RID, spatial: r.Spatial, temporal: r.Temporal}
		for k := range old {
			if r.same(&old[k]) {
				s.rungs[i] = old[k]
				if k == s.rung {
					chosen = i
				}
			}
		}
	}
	s.rung = chosen
}

// measure smooths the rate of a rung.
func (m *rungState) measure(now time.Time, r *Rung) {
	rate := min(r.Rate, maxRate)
	switch {
	case rate <= 0:
	case m.rate == 0:
		m.rate = rate
	case r.Live:
		t := fallTime
		if rate > m.rate {
			t = riseTime
		}
		passed := min(max(now.Sub(m.measured), 0), t)
		m.rate += (rate - m.rate) * units.Bitrate(passed.Microseconds()) / units.Bitrate(t.Microseconds())
	}
	m.measured = now
}

// avoids reports whether rung i is left alone since it keeps falling silent. That
// does not count for a track that has nothing else: somebody may have switched the
// camera off and on.
func (it *item) avoids(now time.Time, i int) bool {
	return it.cur >= 0 && it.rungs[i].silent.until.After(now)
}

// priceOf is costOf with the growth that is expected.
func (s *state) priceOf(i int) units.Bitrate {
	if i < 0 {
		return 0
	}
	return s.rungs[i].cost + s.rungs[i].growth
}

// costOf returns the cost of rung i, 0 for none.
func (s *state) costOf(i int) units.Bitrate {
	if i < 0 {
		return 0
	}
	return s.rungs[i].cost
}
