package bwe

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// How long a queue may be, and for how long. A trend alone may be jitter, and a
// queue alone may be a burst that is sent too fast: it takes both, or time.
const (
	ackedWindow = 500 * time.Millisecond // for the rate that arrives
	fullLeast   = 100 * time.Millisecond
	fullWindow  = 200 * time.Millisecond // for what the link passes behind a long queue

	fullQueue  = 100 * time.Millisecond // is a long queue
	queueQuiet = 10 * time.Millisecond  // a trend without a queue above it is jitter
	queueFull  = 25 * time.Millisecond  // a queue above it is to be emptied, growing or not
	queueSure  = 50 * time.Millisecond  // above it, a trend needs not last
	queueTrend = 40 * time.Millisecond  // for which there must be a queue, to believe a trend
	queueLasts = 150 * time.Millisecond // for which there must be one that is full

	idle        = 300 * time.Millisecond // without packets sent: there will be no feedback
	silence     = time.Second            // without feedback on packets sent: the link is down
	silenceRate = 0.5                    // share of the estimate that is sent into the dark
	limitedAt   = 0.85                   // share of the estimate below which the sender does not use it
	idleAt      = 0.7                    // and below which a shaper may save up what it does not use
	maxAcked    = 1e12                   // bit/s that is told, lest a hostile receiver have it overflow
)

// SendSideConfig bounds a [SendSide]. The zero value is a good configuration.
type SendSideConfig struct {
	// Start is the rate assumed when feedback begins, between Min and Max. Default
	// 300 kbit/s or the nearest to it that lies between them.
	Start units.Bitrate
	// Min is the rate below which neither delay nor loss presses. A REMB or a
	// hint can. Default 30 kbit/s or, if that is less, Max.
	Min units.Bitrate
	// Max is the highest estimate. Default 50 Mbit/s.
	Max units.Bitrate
}

// A SendSide estimates what the link carries from transport-wide feedback, or from
// that of RFC 8888, and probes for more. It is the estimator to use by default.
//
// The estimate is the least of these terms; see [Estimate].Term:
//
//   - delay: the trend of the one-way delay against an adaptive threshold, as in
//     draft-ietf-rmcat-gcc-02, believed only while packets do wait on the way, and
//     a bound on that wait. When the link is full, the rate falls to 85 % of what it
//     passes, and lower while a long queue drains. Otherwise it grows, fast until
//     the link was seen full, slowly near that, never above 1.25 times what arrives.
//     Beside flows that fill the queue whatever we do, which shows when a step down
//     does not shrink it, the bound on the wait is suspended, lest they take all: for
//     10 s, or until the queue is empty, the rate rises and falls as slowly as theirs.
//   - loss: what remains when loss that happens at any rate is told apart from loss
//     that the rate causes. Random loss costs next to nothing, a link that drops
//     what it cannot carry shows.
//   - probe: what the latest probe proved, until delay or loss moves it. Probes are
//     sent when feedback begins, when more is wanted than the estimate allows, and
//     as soon as the queue is empty after a drop.
//   - alr: the application sends so little that nothing can be learned. The estimate
//     then neither grows nor falls to the little that is sent.
//   - remb and hint: ceilings that the client sets, for 5 s.
//   - max: the configured maximum.
//
// Delay and loss count from the first feedback on: a client that sends REMB only
// has an estimate by REMB only. When feedback stops for a second while packets are
// sent, half the estimate is offered, as [TermLoss], until it resumes.
//
// [Prober.OnDemand] need not be called: then more is always wanted. A caller that
// does not send what [Prober.Probe] asks for gets along, more slowly.
//
// Make one with [NewSendSide]. It holds about 8 KiB. Its methods do not allocate. A
// SendSide is not safe for concurrent use.
type SendSide struct {
	max      float64
	feedback bool // whether there was any
	detector detector
	queue    queue
	acked    acked
	rate     aimd
	loss     lossBased
	alr      alr
	prober   prober
	remb     ceiling
	hint     ceiling

	probed     float64 // latest successful probe
	probedAt   time.Time
	fromProbe  bool // nothing moved the rate since
	drain      drain
	rivals     rivals
	above      time.Time // since when there is a queue, zero if there is none
	dark       time.Time // first packet sent since anything arrived, zero if none
	latest     time.Time // latest packet sent
	quietAfter time.Time // until when a probe's own queue may show
}

var (
	_ Estimator = (*SendSide)(nil)
	_ Prober    = (*SendSide)(nil)
)

// NewSendSide returns a SendSide without an estimate, or an error wrapping [ErrConfig].
func NewSendSide(c SendSideConfig) (*SendSide, error) {
	if err := bounds(&c.Start, &c.Min, &c.Max); err != nil {
		return nil, err
	}
	return &SendSide{
		max:      float64(c.Max),
		detector: newDetector(),
		loss:     newLossBased(),
		rate:     aimd{bps: float64(c.Start), min: float64(c.Min), max: float64(c.Max)},
		prober:   prober{start: float64(c.Start), max: float64(c.Max)},
	}, nil
}

// OnSent implements [Estimator].
func (s *SendSide) OnSent(now time.Time, size int) {
	if s.dark.IsZero() {
		s.dark = now
	}
	s.latest = now
	s.alr.sent(now, size, s.bps())
}

// bps is the estimate before ceilings.
func (s *SendSide) bps() float64 { return max(min(s.rate.bps, s.loss.limit), s.rate.min) }

// OnFeedback implements [Estimator]. A message in which no result is known changes
// nothing.
func (s *SendSide) OnFeedback(now time.Time, results []Packet, rtt time.Duration) {
	known, received, lost := false, false, false
	for i := range results {
		p := &results[i]
		if p.State != Received && p.State != Lost {
			continue
		}
		known = true
		s.loss.record(p, s.alr.active)
		if p.Probe > 0 {
			s.prober.record(p)
		}
		if p.State == Lost {
			lost = true
			continue
		}
		received = true
		s.acked.record(p)
		s.queue.record(now, p)
		if p.Probe > 0 {
			s.detector.groups.restart()
		} else {
			s.detector.record(p)
		}
	}
	if !known {
		return
	}
	s.feedback = true
	if received {
		s.hear(now)
	}
	rtt = min(max(rtt, 0), 10*time.Second)
	s.adapt(now, rtt, received, lost)
}

// hear ends a silence.
func (s *SendSide) hear(now time.Time) {
	if s.silent(now) {
		s.detector.restart()
		s.queue.restart()
		s.fromProbe = false
	}
	s.dark = time.Time{}
}

func (s *SendSide) silent(now time.Time) bool {
	return s.feedback && !s.dark.IsZero() && s.latest.Sub(s.dark) >= silence/2 && now.Sub(s.dark) >= silence
}

// adapt moves the rate once for a feedback message; received and lost tell whether
// it knows of a packet that arrived, and of one that did not.
func (s *SendSide) adapt(now time.Time, rtt time.Duration, received, lost bool) {
	_, acked := s.acked.rates(ackedWindow)
	queue := s.queue.delay()
	bps, full, probed := s.prober.take()
	if probed {
		s.probed, s.probedAt = bps, now
		s.quietAfter = now.Add(rtt + 100*time.Millisecond)
		if !s.prober.result.lossy() {
			s.loss.proven(bps)
		}
		if full {
			s.rate.link.probed(bps)
			s.prober.overflowed(now, bps)
		} else if s.rate.link.bps > 0 && bps > s.rate.link.bps {
			s.rate.link.forget()
		}
		// A queue too short to be seen shows by what it drops.
		lower := acked > 0 && s.prober.result.lossy() && !s.alr.active
		if lower {
			bps = max(bps, acked)
		}
		if bps > s.rate.bps && !s.drain.active || lower {
			s.rate.set(bps)
			s.fromProbe = true
			s.acked.restart() // less was sent until now: it says nothing of the link
		}
		s.rate.hold(now)
		s.rate.grown = false
	}
	over := s.overused(now, queue, acked)
	switch {
	case over:
		window := min(max(now.Sub(s.above), fullLeast), ackedWindow)
		if queue > fullQueue {
			window = min(window, fullWindow)
		}
		passed, _ := s.acked.rates(window)
		if !s.drain.shrinks(queue) && s.rate.mayDrop(now, passed, rtt) {
			before := s.rate.bps
			s.rate.drop(now, passed, acked, s.alr.active, queue < fullQueue)
			s.prober.dropped(now, before)
			s.prober.overflowed(now, s.rate.link.bps)
			s.drain.begin(now, queue, s.rate.contended)
			s.fromProbe = false
		}
	case lost && s.rate.contended:
		s.rivals.lossy = true
		s.rate.yield(now, s.rivals.fair)
		s.rate.hold(now)
	case probed:
	case !received || s.detector.state != normal || s.drain.active || s.alr.active || now.Before(s.quietAfter):
		s.rate.hold(now)
	default:
		before := s.rate.bps
		s.rate.raise(now, acked, rtt, s.queue.settled() && queue < queueQuiet)
		s.fromProbe = s.fromProbe && s.rate.bps == before
	}
	if probed && !full && !over {
		s.prober.proceed(now, bps)
	}
	s.prober.consider(now, situation{
		bps:     s.bps(),
		quiet:   !over && !s.rate.contended && s.queue.settled() && queue < queueQuiet && !s.drain.active,
		sparse:  s.alr.active || acked < idleAt*s.bps()*(1-s.loss.inherent),
		limited: s.alr.active || acked < limitedAt*s.bps(),
		grown:   s.rate.grown,
		fresh:   s.rate.dropped.IsZero(),
		rtt:     rtt,
	})
}

// overused tells whether the link is too full.
func (s *SendSide) overused(now time.Time, queue time.Duration, acked float64) bool {
	queue = s.contend(now, queue, acked)
	if queue <= queueQuiet {
		s.above, s.rate.congested = time.Time{}, false
	} else if s.above.IsZero() {
		s.above = now
	}
	if now.Before(s.quietAfter) {
		return false
	}
	lasts := now.Sub(s.above)
	switch {
	case s.above.IsZero():
		return false
	case s.detector.state == overused:
		return queue > queueSure || lasts >= queueTrend
	}
	return queue > queueFull && lasts >= queueLasts && !s.drain.active && !s.rate.contended
}

// contend looks whether others fill the queue, and returns the queue above what is
// then the base.
func (s *SendSide) contend(now time.Time, queue time.Duration, acked float64) time.Duration {
	if s.queue.settled() {
		s.rivals.watch(now, s.queue.latest())
	}
	if s.drain.failed(s.queue.newest, queue) && (s.alr.active || acked > limitedAt*s.rate.bps) {
		if due, ok := s.rivals.found(now, queue, s.rate.before, s.queue.least()); ok {
			s.rate.set(max(s.rate.bps, due))
		} else {
			s.queue.rebase()
			queue = 0
		}
	}
	s.rate.contended, s.detector.floor = s.rivals.present(now), thresholdMin
	if s.rate.contended {
		s.detector.floor = thresholdSteep
		s.queue.hold(now) // it may be long the whole time
	}
	return queue
}

// OnREMB implements [Estimator].
func (s *SendSide) OnREMB(now time.Time, rate units.Bitrate) { s.remb.put(now, rate) }

// OnHint implements [Estimator].
func (s *SendSide) OnHint(now time.Time, rate units.Bitrate) { s.hint.put(now, rate) }

// OnDemand implements [Prober].
func (s *SendSide) OnDemand(_ time.Time, wanted units.Bitrate) { s.prober.want(float64(wanted)) }

// Probe implements [Prober].
func (s *SendSide) Probe(now time.Time) (Cluster, bool) {
	if s.feedback && now.Sub(s.latest) >= idle {
		// Nothing is sent, so that nothing is told: everything may be paused for
		// want of the very rate that the probe would find.
		s.drain.active = false
		s.queue.restart()
		s.prober.consider(now, situation{bps: s.bps(), quiet: true, limited: true, sparse: true, idle: true})
	}
	if !s.prober.ready || s.drain.active {
		return Cluster{}, false
	}
	s.prober.ready = false
	s.prober.at = now
	return s.prober.told, true
}

// Estimate implements [Estimator]. Of two equal terms the earlier constant is told.
func (s *SendSide) Estimate(now time.Time) (Estimate, bool) {
	e := Estimate{Target: units.Bitrate(s.max), Term: TermMax, Drained: units.Bitrate(s.max)}
	limit := func(r, drained units.Bitrate, t Term) {
		e.Drained = min(e.Drained, drained)
		if r < e.Target || r == e.Target && t < e.Term {
			e.Target, e.Term = r, t
		}
	}
	known := s.feedback
	if s.feedback {
		s.explain(&e)
		bps, term := s.rate.bps, TermDelay
		switch {
		case s.fromProbe:
			term = TermProbe
		case s.alr.active:
			term = TermALR
		}
		drained := bps
		bps *= s.drain.share(e.Queue)
		if l := s.loss.limit; l < bps {
			bps, term = l, TermLoss
		}
		drained = min(drained, s.loss.limit)
		if s.silent(now) {
			bps, term = min(bps, silenceRate*s.rate.bps), TermLoss
			drained = bps
		}
		limit(units.Bitrate(max(bps, s.rate.min)), units.Bitrate(max(drained, s.rate.min)), term)
	}
	if r, ok := s.remb.at(now); ok {
		known = true
		limit(r, r, TermREMB)
	}
	if r, ok := s.hint.at(now); ok {
		known = true
		limit(r, r, TermHint)
	}
	if !known {
		return Estimate{}, false
	}
	return e, true
}

func (s *SendSide) explain(e *Estimate) {
	_, acked := s.acked.rates(ackedWindow)
	e.Acked = units.Bitrate(min(acked, maxAcked))
	e.LinkCapacity = units.Bitrate(s.rate.link.bps)
	e.Queue = s.queue.delay()
	e.Loss = s.loss.inherent
	e.Probed, e.ProbedAt = units.Bitrate(s.probed), s.probedAt
}
