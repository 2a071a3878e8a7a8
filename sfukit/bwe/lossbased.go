package bwe

import (
	"math"
	"slices"
	"time"
)

const (
	lossSpan         = 250 * time.Millisecond // of sending, one observation
	lossPackets      = 15                     // in an observation, at least
	lossObservations = 20
	lossRecent       = 4     // of them, that a step down is measured against
	lossAging        = 0.9   // weight of an observation relative to the next
	lossMemory       = 50.0  // packets that the remembered loss counts for
	lossFirst        = 0.005 // remembered at first
	lossLearning     = 0.1   // by which the memory follows, for each observation
	lossInherentMax  = 0.3   // more is congestion, whatever the rates say
	lossFloor        = 1e-4  // probability that is never excluded
	lossDropMax      = 0.7   // share of the rate that one observation leaves, at least
	lossRun          = 0.1   // by which the mean length of a run of losses follows each
	lossRunMax       = 8.0
	lossLead         = 1.0 // log-likelihood by which a limit must beat none
)

// lossBased separates loss that the rate causes from loss that the link has anyway.
// Each observation is a rate and the packets lost at it. A link of capacity b that
// loses a share p of everything loses p + (1-p)(1-b/s) of what is sent at a rate s
// above b, and p below. Of all b worth considering, the one that explains the latest
// observations best is taken, each with its best p; and none, if that does as well.
// What p has lately been counts like an observation of a few packets, so that a
// steady rate, at which the two cannot be told apart, does not make the estimator
// forget. Losses in a row count as one, so to speak: the evidence is divided by the
// mean length of such runs. The model is that of libwebrtc's second loss-based
// estimator; the fit, and the memory, are our own.
type lossBased struct {
	past     [lossObservations]observation
	n        int // observations made, of which the ring holds the latest
	current  observation
	began    time.Time
	inherent float64 // share that is lost at any rate, remembered
	limit    float64 // bit/s, +Inf for none
	run      float64 // losses in a row that the latest packets are
	runs     float64 // mean of that
}

type observation struct {
	bps        float64 // sent; 0 if the sender was application limited
	lost, kept float64 // packets
	bytes      int
	limited    bool
}

func newLossBased() lossBased { return lossBased{inherent: lossFirst, limit: math.Inf(1), runs: 1} }

// record takes a packet of known fate. limited tells whether the sender is
// application limited: then what is lost is not for the rate.
func (l *lossBased) record(p *Packet, limited bool) {
	c := &l.current
	if c.lost+c.kept == 0 {
		l.began = p.SendTime
	}
	if p.SendTime.Sub(l.began) >= lossSpan && c.lost+c.kept >= lossPackets {
		l.observe(p.SendTime.Sub(l.began))
		l.began = p.SendTime
	}
	c.bytes += p.Size
	c.limited = c.limited || limited
	if p.State == Lost {
		c.lost++
		l.run++
		return
	}
	c.kept++
	if l.run > 0 {
		l.runs += lossRun * (min(l.run, lossRunMax) - l.runs)
		l.run = 0
	}
}

// observe ends the current observation, which lasted until the next began. One in
// which nothing arrived is of an outage, not of a rate.
func (l *lossBased) observe(lasted time.Duration) {
	o := l.current
	l.current = observation{}
	if o.kept == 0 {
		return
	}
	if !o.limited {
		o.bps = float64(o.bytes) * 8 / lasted.Seconds()
	}
	l.past[l.n%lossObservations] = o
	l.n++
	l.fit(o)
}

// fit looks for the best explanation and sets the limit.
func (l *lossBased) fit(latest observation) {
	n := min(l.n, lossObservations)
	if !slices.ContainsFunc(l.past[:n], func(o observation) bool { return o.lost > 0 }) {
		l.limit = math.Inf(1)
		l.inherent -= lossLearning * l.inherent
		return
	}
	free, inherent := l.explain(math.Inf(1))
	best, limit := free+lossLead, math.Inf(1)
	try := func(bps float64) {
		if v, p := l.explain(bps); v > best {
			best, limit, inherent = v, bps, p
		}
	}
	var top, lossless float64
	for i := range l.past[:n] {
		o := &l.past[i]
		top = max(top, o.bps)
		if o.lost == 0 {
			lossless = max(lossless, o.bps)
		} else if o.bps > 0 {
			// What arrived would be the capacity if all loss were congestion, or all
			// but the remembered.
			passed := o.bps * o.kept / (o.kept + o.lost)
			try(passed)
			try(min(passed/(1-l.inherent), o.bps))
		}
	}
	if lossless > 0 {
		try(lossless)
	}
	if limit < top {
		l.limit = max(limit, lossDropMax*max(l.passed(), min(l.limit, latest.bps)))
	} else {
		l.limit = math.Inf(1)
	}
	l.inherent += lossLearning * (inherent - l.inherent)
}

// proven notes that the link carried a rate without loss.
func (l *lossBased) proven(bps float64) { l.limit = max(l.limit, bps) }

// passed is the most that arrived in one of the latest observations, in bit/s: in
// a burst of losses little does, and it says little.
func (l *lossBased) passed() (most float64) {
	for i := 1; i <= min(l.n, lossRecent); i++ {
		o := &l.past[(l.n-i)%lossObservations]
		most = max(most, o.bps*o.kept/(o.kept+o.lost))
	}
	return most
}

// explain returns the log-likelihood of what was observed if the capacity is bps,
// with the inherent loss that suits best, and that loss.
func (l *lossBased) explain(bps float64) (value, inherent float64) {
	// The memory is an observation without a rate, the first.
	var lost, passes [lossObservations + 1]float64 // packets, share that a link of bps can carry
	weight := 1 / l.runs
	lost[0], passes[0] = weight*lossMemory*l.inherent, 1
	kept := weight * lossMemory * (1 - l.inherent)
	n := min(l.n, lossObservations)
	for i := 1; i <= n; i++ {
		o := &l.past[(l.n-i)%lossObservations]
		lost[i], passes[i] = weight*o.lost, 1
		if o.bps > bps {
			passes[i] = max(bps/o.bps, lossFloor)
			value += weight * o.kept * math.Log(passes[i])
		}
		kept += weight * o.kept
		weight *= lossAging
	}
	// The likelihood is concave in the inherent loss: halve where its slope is 0.
	low, high := lossFloor, lossInherentMax
	for range 10 {
		inherent = (low + high) / 2
		slope := -kept / (1 - inherent)
		for i := range n + 1 {
			slope += lost[i] * passes[i] / (1 - passes[i]*(1-inherent))
		}
		if slope > 0 {
			low = inherent
		} else {
			high = inherent
		}
	}
	value += kept * math.Log(1-inherent)
	for i := range n + 1 {
		if lost[i] > 0 {
			value += lost[i] * math.Log(1-passes[i]*(1-inherent))
		}
	}
	return value, inherent
}
