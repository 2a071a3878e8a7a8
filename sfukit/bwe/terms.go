package bwe

import (
	"math/bits"
	"time"
)

// Constants of the delay and the loss term. They are those of the estimator that
// clients and operators of the earlier server know, so that a fleet may mix both.
const (
	processNoise     = 1e-4 // Q, variance per packet; with R it makes the gain 0.132
	measurementNoise = 5e-3 // R, variance
	overuse          = 12_500.0
	delayCooldown    = 200 * time.Millisecond
	delayStep        = 8_000.0 // bit/s for every feedback without overuse

	lossWindow   = 64   // packets, a bitmap in one word
	lossHigh     = 0.10 // from here the rate goes down
	lossLow      = 0.02 // below here it goes up
	lossCooldown = 250 * time.Millisecond
	lossStep     = 5_000.0 // bit/s for every feedback with little loss
)

// delayTerm lowers its rate when packets arrive with growing distance: a queue
// fills on the way. Lost packets between two received ones do not matter.
type delayTerm struct {
	rate
	gradient float64 // of the one-way delay, µs per packet, filtered
	variance float64 // of the gradient; 1 at first, so that the first packet sets it

	seen      bool // whether sent and arrived are set
	sent      time.Time
	arrived   time.Time
	backedOff bool
	last      time.Time
}

// record takes the arrival of one packet.
func (d *delayTerm) record(p *Packet) {
	if p.SendTime.IsZero() || d.seen && p.SendTime.Before(d.sent) {
		return // a packet that was overtaken shows no queue
	}
	if d.seen {
		change := p.RecvTime.Sub(d.arrived) - p.SendTime.Sub(d.sent)
		d.filter(float64(change) / float64(time.Microsecond))
	}
	d.seen, d.sent, d.arrived = true, p.SendTime, p.RecvTime
}

// filter is one step of a Kalman filter whose state is expected to stay.
func (d *delayTerm) filter(z float64) {
	d.variance += processNoise
	gain := d.variance / (d.variance + measurementNoise)
	d.gradient += gain * (z - d.gradient)
	d.variance *= 1 - gain
}

// adapt moves the rate once for a feedback message.
func (d *delayTerm) adapt(now time.Time) {
	if d.gradient <= overuse {
		d.raise(delayStep)
		return
	}
	if !d.backedOff || now.Sub(d.last) >= delayCooldown {
		d.backedOff, d.last = true, now
		d.backOff()
	}
}

// lossTerm lowers its rate when too many of the latest packets were lost.
type lossTerm struct {
	rate
	lost      uint64 // one bit for each of the latest lossWindow packets, newest lowest
	n         int    // packets in lost
	backedOff bool
	last      time.Time
}

func (l *lossTerm) record(lost bool) {
	l.lost <<= 1
	if lost {
		l.lost |= 1
	}
	l.n = min(l.n+1, lossWindow)
}

// adapt moves the rate once for a feedback message.
func (l *lossTerm) adapt(now time.Time) {
	switch loss := l.fraction(); {
	case loss < lossLow:
		l.raise(lossStep)
	case loss >= lossHigh && (!l.backedOff || now.Sub(l.last) >= lossCooldown):
		l.backedOff, l.last = true, now
		l.backOff()
	}
}

func (l *lossTerm) fraction() float64 {
	if l.n == 0 {
		return 0
	}
	return float64(bits.OnesCount64(l.lost)) / float64(l.n)
}
