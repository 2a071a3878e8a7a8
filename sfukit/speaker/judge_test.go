package speaker_test

import (
	"slices"
	"time"
)

// verdict is how an elector did, over one scene or several.
type verdict struct {
	length       time.Duration
	right, total int            // slots with one holder, a second after its turn began
	switches     int            // changes of the floor after the first
	wrong        map[string]int // of these, to one who had no turn within the last second, by cause
	latency      []int          // slots from a turn to its switch, ascending after sorted
	missed       int            // turns with a second alone that never got the floor
}

func (v *verdict) add(w verdict) {
	v.length += w.length
	v.right += w.right
	v.total += w.total
	v.switches += w.switches
	v.missed += w.missed
	v.latency = append(v.latency, w.latency...)
	for cause, n := range w.wrong {
		v.blame(cause, n)
	}
}

func (v *verdict) blame(cause string, n int) {
	if v.wrong == nil {
		v.wrong = map[string]int{}
	}
	v.wrong[cause] += n
}

func (v *verdict) share() float64 { return float64(v.right) / float64(max(v.total, 1)) }

// count is how many wrong switches the causes made, all causes if none is named.
func (v *verdict) count(causes ...string) (n int) {
	for cause, k := range v.wrong {
		if len(causes) == 0 || slices.Contains(causes, cause) {
			n += k
		}
	}
	return n
}

// per10 is the same for ten minutes.
func (v *verdict) per10(causes ...string) float64 {
	return float64(v.count(causes...)) * float64(10*time.Minute) / float64(v.length)
}

// percentile returns the p-th of the slots as time.
func percentile(slots []int, p int) time.Duration {
	if len(slots) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(slots))
	return time.Duration(s[(len(s)-1)*p/100]) * slot
}

// judge plays the scene to e.
func judge(s *scene, e elector) verdict {
	v := verdict{length: time.Duration(s.slots()) * slot}
	floor := make([]uint64, s.slots())
	s.play(e.Record, func(now time.Time, i int) { floor[i] = e.floor(now) })
	for i, id := range floor {
		if t, ok := s.holder(i); ok && i >= t.from+second {
			v.total++
			if id == t.peer {
				v.right++
			}
		}
		if i > 0 && floor[i-1] != 0 && id != floor[i-1] {
			v.switches++
			if !s.spoke(id, i) {
				v.blame(s.cause(id, i), 1)
			}
		}
	}
	for _, t := range s.turns {
		s.timeTurn(t, floor, &v)
	}
	return v
}

// spoke reports whether id had a turn within the last second.
func (s *scene) spoke(id uint64, i int) bool {
	return slices.ContainsFunc(s.turns, func(t span) bool { return t.peer == id && t.from <= i && i < t.to+second })
}

// cause names what id did within the last second and a half, the shortest first.
func (s *scene) cause(id uint64, i int) string {
	for _, what := range []string{"coughs", "slams", "types", "hums", "babble", "music", "fan"} {
		if slices.ContainsFunc(s.others, func(o span) bool {
			return o.what == what && o.peer == id && o.from <= i && i < o.to+second*3/2
		}) {
			return what
		}
	}
	return "nothing"
}

// timeTurn notes how long t took to be noticed. The clock starts when its holder
// is alone; turns of one who had the floor already are not timed.
func (s *scene) timeTurn(t span, floor []uint64, v *verdict) {
	if t.from > 0 && floor[t.from-1] == t.peer {
		return
	}
	alone, first := 0, 0
	for i := t.from; i < min(t.to, len(floor)); i++ {
		if _, ok := s.holder(i); ok {
			if alone++; alone == 1 {
				first = i
			}
		}
		if floor[i] == t.peer {
			n := 0
			if alone > 0 {
				n = i - first + 1
			}
			v.latency = append(v.latency, n)
			return
		}
	}
	if alone >= second {
		v.missed++
	}
}
