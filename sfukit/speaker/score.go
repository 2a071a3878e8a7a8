package speaker

import "math"

// minScore is the lowest activity score. It keeps ratios of scores finite: a
// peer with no activity at all loses by ln(score/minScore), about 27 for a
// fully active one.
const minScore = 1e-10

// Rates of the exponential distribution that models a speaker's activity over
// each interval, tuned for the default N1, N2 and N3.
const (
	lambdaImmediate = 0.78
	lambdaMedium    = 24
	lambdaLong      = 47
)

// A volume counts as active in a medium interval from the band of activeVolume
// on, which is -47 dBov.
const activeVolume = 80

// margin is how far a volume must be above the noise floor, in dB; for parity
// it is the width of a band.
const margin = 12

// scale holds the activity score of every possible count 0..n.
type scale []float64

// newScale tabulates S(v) = ln C(n,v) + v·ln p + (n-v)·ln(1-p) - ln λ + λ·v
// with p = 1/2, at least minScore: the logarithm of how likely it is that v of
// n sub-intervals are active in speech (binomial) against in silence
// (exponential with rate λ). Volfin and Cohen, "Dominant speaker
// identification for multipoint videoconferencing", Computer Speech and
// Language 27 (2013).
func newScale(n int, lambda float64) scale {
	s := make(scale, n+1)
	lnChoose := 0.0
	for v := range s {
		if v > 0 {
			lnChoose += math.Log(float64(n-v+1) / float64(v))
		}
		s[v] = max(minScore, lnChoose-float64(n)*math.Ln2-math.Log(lambda)+lambda*float64(v))
	}
	return s
}

// of returns the score of count v; more than all counts as all.
func (s scale) of(v int) float64 { return s[min(v, len(s)-1)] }

// scorer evaluates the levels of one peer.
type scorer struct {
	n2, n3                  int
	band                    int // width of one of the N1 bands, in dB
	margin                  int // of a volume above the noise floor, in dB
	active                  int // least band that is active
	full                    int // least active volumes of an active medium interval
	immediate, medium, long scale
	quorum                  float64 // long score that a challenger must exceed even against silence
	parity                  bool
}

func newScorer(c Config) scorer {
	band := (maxVolume + c.N1) / c.N1 // the 128 volumes in N1 bands, rounded up
	s := scorer{
		n2: c.N2, n3: c.N3,
		band:      band,
		margin:    margin,
		active:    activeVolume / band, // at least 1, so silence is never active
		full:      c.N2/2 + 1,
		immediate: newScale(c.N1, lambdaImmediate),
		medium:    newScale(c.N2, lambdaMedium),
		long:      newScale(c.N3, lambdaLong),
		parity:    c.Parity,
	}
	s.quorum = s.long.of(c.N3 / 2)
	if c.Parity {
		s.margin, s.full, s.quorum = band, c.N2*4/5+1, minScore
	}
	return s
}

// rate sets the scores of p from its history of N2·N3 volumes: the newest one,
// the newest N2 of them, and all. Volumes within the margin of the peer's noise
// floor count as silence.
func (s *scorer) rate(p *peer) {
	var newest, medium, long int
	p.sum = 0
	for block := range s.n3 {
		loud := 0
		for i := range s.n2 {
			v := p.levels.ago(block*s.n2 + i)
			p.sum += v
			if v < p.floor.volume+s.margin {
				continue
			}
			band := v / s.band
			if block == 0 && i == 0 {
				newest = band
			}
			if band >= s.active {
				loud++
			}
		}
		if block == 0 {
			medium = loud
		}
		if loud >= s.full {
			long++
		}
	}
	p.immediate, p.medium, p.long = s.immediate.of(newest), s.medium.of(medium), s.long.of(long)
}
