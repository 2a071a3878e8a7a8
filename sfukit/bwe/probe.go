package bwe

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Constants of the probing, where they exist those of libwebrtc.
const (
	probeDuration  = 25 * time.Millisecond
	probeLonger    = 50 * time.Millisecond // after one that showed an end, or jitter
	probePackets   = 5
	probeFirst     = 3.0 // times the start
	probeNext      = 2.0 // times the estimate or the previous result
	probeDemand    = 1.2 // times what is wanted, at most
	demandRises    = 1.2 // times what was wanted is more, and not the noise of measured rates
	probeInterval  = 3 * time.Second
	probeIdle      = 2 * time.Second // while nothing is sent
	probePause     = time.Second     // between a failure and a probe for another reason
	probeWait      = time.Second     // for the result, beyond the round trip
	probeBurst     = 64_000.0        // bits that a shaper may have saved up
	probeLongest   = 400 * time.Millisecond
	probeKnown     = 30 * time.Second       // for which it is remembered what the link passed
	probeHalves    = 100 * time.Millisecond // a cluster this long is judged by its second half, too
	recoverBelow   = 0.6                    // a drop to less than this share is worth a probe
	recoverTo      = 0.85                   // share of the earlier rate that is tried
	recoverAfter   = 250 * time.Millisecond // since the latest probe, doubled with each try
	recoverTries   = 3
	recoverExpires = 10 * time.Second
)

// prober decides when the link is probed, and how hard. There is one cluster at a
// time.
type prober struct {
	start, max float64

	told    Cluster // latest; meaningful while waiting
	ready   bool    // told is still to be handed out
	waiting bool    // for its result
	at      time.Time
	result  measurement
	tail    measurement // second half of a long cluster
	long    bool        // whether that counts
	full    bool        // the latest filled the link, or showed nothing
	verify  bool        // that is still to be repeated: it may have been jitter
	begun   bool        // the initial probes are under way or over

	demand     float64 // as told by OnDemand
	hasDemand  bool
	demandRose bool
	asked      float64 // demand as of the latest probe for it

	passed   float64 // bit/s that the link passed when it was last full, 0 for not known
	passedAt time.Time
	limited  bool // the application sends much less than it may

	doubted   float64 // bit/s that a short cluster showed, to be confirmed; 0 for none
	confirm   bool    // the cluster being planned is to confirm
	confirmed bool    // so was the latest

	recover   float64 // rate before a drop, 0 for none
	recoverAt time.Time
	tries     int // probes for it
}

// situation is what the rest of the estimator knows when a probe is considered.
type situation struct {
	bps     float64 // estimate
	quiet   bool    // no queue, no overuse
	limited bool    // the application sends less than it may
	sparse  bool    // so much less that a shaper may have saved up a burst
	idle    bool    // it sends nothing
	grown   bool    // the estimate is above what the link was known to carry
	fresh   bool    // the link was never seen full but by probes
	rtt     time.Duration
}

func (p *prober) want(wanted float64) {
	p.asked = min(p.asked, max(wanted, 0)) // what is wanted less, and then more, has risen
	p.demandRose = p.hasDemand && wanted > demandRises*p.asked
	p.demand, p.hasDemand = max(wanted, 0), true
}

// dropped notes that the estimate fell from a rate, maybe not for the first time.
func (p *prober) dropped(now time.Time, from float64) {
	if from > p.recover {
		p.recover, p.recoverAt = from, now
	}
	p.tries = 0
}

// overflowed notes what the link passed when it was full.
func (p *prober) overflowed(now time.Time, bps float64) { p.passed, p.passedAt = bps, now }

// consider plans a cluster if there is a reason for one.
func (p *prober) consider(now time.Time, s situation) {
	p.limited = s.sparse
	if p.waiting {
		if now.Sub(p.at) < probeWait+s.rtt {
			return
		}
		p.waiting, p.ready = false, false
	}
	if !s.quiet {
		return
	}
	since := now.Sub(p.at)
	more := !p.hasDemand || p.demand > s.bps
	switch {
	case p.doubted > 0:
		bps := p.doubted
		p.doubted, p.confirm = 0, true
		p.plan(now, bps, s.bps)
		p.confirm = false
	case !p.begun:
		p.begun = true
		p.plan(now, max(probeFirst*p.start, probeNext*s.bps), s.bps)
	case p.recover > 0 && (p.tries == recoverTries || now.Sub(p.recoverAt) >= recoverExpires || s.bps >= recoverBelow*p.recover):
		p.recover, p.tries = 0, 0
	case p.recover > 0 && since >= recoverAfter<<p.tries:
		p.tries++
		p.limited = true // as it was while the queue emptied
		p.plan(now, min(recoverTo*p.recover, probeFirst*s.bps), s.bps)
	case more && p.verify && s.fresh && since >= probePause:
		p.verify = false
		p.plan(now, probeNext*s.bps, s.bps)
	case more && s.grown && since >= p.pause(),
		more && p.demandRose && s.limited && since >= probePause,
		more && s.limited && since >= probeInterval,
		more && s.idle && since >= probeIdle:
		p.demandRose, p.asked = false, p.demand
		p.plan(now, probeNext*s.bps, s.bps)
	}
}

// pause is how long to wait before a probe for a reason that may last: the longer
// if the latest showed where the link ends.
func (p *prober) pause() time.Duration {
	if p.full {
		return probeInterval / 2
	}
	return probePause
}

// plan makes a cluster of a rate, if that is worth it.
func (p *prober) plan(now time.Time, bps, estimate float64) {
	bps = min(bps, p.max)
	if p.hasDemand {
		bps = min(bps, probeDemand*p.demand)
	}
	if bps < 1.05*estimate {
		return
	}
	rate, d := units.Bitrate(bps), p.length(bps)
	p.told = Cluster{ID: p.told.ID + 1, Rate: rate, Bytes: rate.Bytes(d), Packets: probePackets}
	p.ready, p.waiting, p.at = true, true, now
	p.result, p.tail, p.confirmed = measurement{}, measurement{}, p.confirm
	p.long = d >= probeHalves
}

// length is how long a cluster of a rate is. Many a shaper passes at once what has
// not been used for a while (the bucket of tc-tbf(8), the bursts of DOCSIS), and a
// cluster that is less than that arrives as fast as it was sent, whatever the link
// carries for longer. So where a short one shows more than the link is known to
// pass, one is sent to confirm it that exceeds this by more than a bucket: eight
// kilobytes. A sender that uses all it may finds the bucket empty.
func (p *prober) length(bps float64) time.Duration {
	d := probeDuration
	if p.full {
		d = probeLonger
	}
	if p.confirm && bps > p.passed {
		beyond := time.Duration(probeBurst / (bps - p.passed) * float64(time.Second))
		d = max(d, min(beyond, probeLongest))
	}
	return d
}

// doubtful reports whether the outcome of a short cluster may be that of a bucket.
func (p *prober) doubtful(bps float64) bool {
	return !p.confirmed && p.limited && p.passed > 0 && bps > p.passed && p.at.Sub(p.passedAt) < probeKnown
}

// record takes a packet of a cluster.
func (p *prober) record(pkt *Packet) {
	if p.waiting && !p.ready && pkt.Probe == p.told.ID {
		if p.long && p.result.bytes >= p.told.Bytes/2 {
			p.tail.record(pkt)
		}
		p.result.record(pkt)
	}
}

// take returns the outcome of a cluster, once.
func (p *prober) take() (bps float64, full, ok bool) {
	if !p.waiting || p.ready || !p.result.complete(p.told) {
		return 0, false, false
	}
	p.waiting = false
	bps, full = p.result.result()
	if tail, ended := p.tail.result(); tail > 0 && tail < bps {
		bps, full = tail, full || ended
	}
	if p.doubtful(bps) {
		p.doubted = bps
		return 0, false, false
	}
	if bps > p.passed && !full {
		p.passed = 0 // the link has grown
	}
	was := p.full
	p.full = full || bps == 0
	p.verify = p.full && !was
	return bps, full, bps > 0
}

// proceed goes on with a faster probe after one that did not fill the link.
func (p *prober) proceed(now time.Time, bps float64) { p.plan(now, probeNext*bps, bps) }
