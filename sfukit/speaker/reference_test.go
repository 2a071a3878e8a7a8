package speaker_test

import (
	"math"
	"math/big"
)

// reference is the algorithm as the deployed implementations have it, written
// down once more without regard for speed: every interval is an array, every
// array is computed from the one below it, and a score changes only where its
// array did. Parity is judged by it. Times are in milliseconds.
type reference struct {
	speakers []*refSpeaker // by ascending id, which settles ties
	dominant *refSpeaker
	idleAt   int64 // of the last look for idle speakers
	armed    bool
}

type refSpeaker struct {
	id         uint64
	levels     [50]int // newest first, 0 silence to 127
	immediates [50]int
	mediums    [10]int
	long       int
	scores     [3]float64 // immediate, medium, long

	least, nextLeast, window int // of the adaptive floor
	changed                  int64
	known                    bool
}

func (r *reference) speaker(id uint64) *refSpeaker {
	at := 0
	for ; at < len(r.speakers) && r.speakers[at].id <= id; at++ {
		if r.speakers[at].id == id {
			return r.speakers[at]
		}
	}
	s := &refSpeaker{id: id, scores: [3]float64{1e-10, 1e-10, 1e-10}}
	r.speakers = append(r.speakers[:at], append([]*refSpeaker{s}, r.speakers[at:]...)...)
	return s
}

func (r *reference) record(now int64, id uint64, dBov int) {
	r.speaker(id).level(now, 127-min(dBov, 127))
}

func (s *refSpeaker) level(now int64, v int) {
	if s.known && now < s.changed {
		return
	}
	copies := int64(1)
	if s.known {
		copies = min(max((now-s.changed)/20, 1), 50)
	}
	s.changed, s.known = now, true
	for range copies {
		copy(s.levels[1:], s.levels[:49])
		s.levels[0] = v
	}
	switch {
	case v == 0:
	case s.least == 0 || v < s.least:
		s.least, s.nextLeast, s.window = v, 0, 0
	default:
		if s.nextLeast == 0 || v < s.nextLeast {
			s.nextLeast = v
		}
		if s.window++; s.window >= 750 {
			s.least = int(math.Sqrt(float64(s.least) * float64(s.nextLeast)))
			s.nextLeast, s.window = 0, 0
		}
	}
}

// tick returns the winner and its margin, or 0 where nothing changed.
func (r *reference) tick(now int64) (uint64, float64) {
	if !r.armed {
		r.armed, r.idleAt = true, now
	} else if now-r.idleAt >= 40 {
		r.idleAt = now
		for _, s := range r.speakers {
			if now-s.changed > 40 {
				s.level(now, 0)
			}
		}
	}
	for _, s := range r.speakers {
		s.evaluate()
	}
	winner, margin := r.elect()
	if winner == nil || winner == r.dominant {
		return 0, 0
	}
	r.dominant = winner
	return winner.id, margin
}

func (s *refSpeaker) evaluate() {
	immediates := s.immediates
	for i, v := range s.levels {
		if v < s.least+10 {
			v = 0
		}
		immediates[i] = v / 10
	}
	if immediates == s.immediates {
		return
	}
	s.immediates = immediates
	s.scores[0] = refScore(immediates[0], 13, 0.78)

	mediums := s.mediums
	for i := range mediums {
		mediums[i] = 0
		for _, v := range immediates[5*i : 5*i+5] {
			if v > 7 {
				mediums[i]++
			}
		}
	}
	if mediums == s.mediums {
		return
	}
	s.mediums = mediums
	s.scores[1] = refScore(mediums[0], 5, 24)

	long := 0
	for _, v := range mediums {
		if v > 4 {
			long++
		}
	}
	if long != s.long {
		s.long = long
		s.scores[2] = refScore(long, 10, 47)
	}
}

func refScore(v, n int, lambda float64) float64 {
	choose, _ := new(big.Float).SetInt(new(big.Int).Binomial(int64(n), int64(v))).Float64()
	const p = 0.5
	score := math.Log(choose) + float64(v)*math.Log(p) + float64(n-v)*math.Log(1-p) - math.Log(lambda) + lambda*float64(v)
	return max(score, 1e-10)
}

func (r *reference) elect() (*refSpeaker, float64) {
	if len(r.speakers) == 0 {
		return nil, 0
	}
	if r.dominant == nil {
		best := r.speakers[0]
		for _, s := range r.speakers[1:] {
			if s.scores[1] > best.scores[1] || s.scores[1] == best.scores[1] && s.sum() > best.sum() {
				best = s
			}
		}
		return best, 0
	}
	winner, lead := r.dominant, 2.0
	for _, s := range r.speakers {
		var ratio [3]float64
		for i := range ratio {
			ratio[i] = math.Log(s.scores[i] / r.dominant.scores[i])
		}
		if s != r.dominant && ratio[0] > 3 && ratio[1] > 2 && ratio[2] > 0 && ratio[1] > lead {
			winner, lead = s, ratio[1]
		}
	}
	return winner, max(0, lead-2)
}

func (s *refSpeaker) sum() (n int) {
	for _, v := range s.levels {
		n += v
	}
	return n
}
