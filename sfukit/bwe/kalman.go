package bwe

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// ErrConfig is returned by [NewSendSide] and [NewKalman], wrapped with the field
// and its value, when the configuration is impossible.
var ErrConfig = errors.New("bwe: invalid config")

// Defaults of [SendSideConfig] and [KalmanConfig].
const (
	defaultStart = 300 * units.Kbps
	defaultMin   = 30 * units.Kbps
	defaultMax   = 50 * units.Mbps
)

// ceilingLife is how long a REMB or a hint limits the estimate. Receivers repeat
// both about every second; one that fell silent must not hold the rate down.
const ceilingLife = 5 * time.Second

// KalmanConfig bounds a [Kalman]. The zero value is a good configuration.
type KalmanConfig struct {
	// Start is the rate assumed when feedback begins, between Min and Max. Default
	// 300 kbit/s or the nearest to it that lies between them.
	Start units.Bitrate
	// Min is the rate below which neither delay nor loss presses. A REMB or a
	// hint can. Default 30 kbit/s or, if that is less, Max.
	Min units.Bitrate
	// Max is the highest estimate. Default 50 Mbit/s.
	Max units.Bitrate
}

// A Kalman estimates from how the one-way delay changes between packets, smoothed
// by a scalar Kalman filter, and from loss; the estimate is the least of these two
// and of the ceilings that the client sets, a REMB and a hint younger than 5 s.
//
// Delay and loss count from the first feedback on: for a client that sends REMB
// only, their start value must not stand for a measurement. The estimate is not
// limited to what is sent, so it rises while little is sent; whoever needs it
// proven probes. Make one with [NewKalman]. A Kalman is not safe for concurrent use.
type Kalman struct {
	max      units.Bitrate
	feedback bool // whether delay and loss have had input
	delay    delayTerm
	loss     lossTerm
	remb     ceiling
	hint     ceiling
}

var _ Estimator = (*Kalman)(nil)

// NewKalman returns a Kalman without an estimate, or an error wrapping [ErrConfig].
func NewKalman(c KalmanConfig) (*Kalman, error) {
	if err := bounds(&c.Start, &c.Min, &c.Max); err != nil {
		return nil, err
	}
	r := rate{bps: float64(c.Start), min: float64(c.Min), max: float64(c.Max)}
	return &Kalman{
		max:   c.Max,
		delay: delayTerm{rate: r, variance: 1},
		loss:  lossTerm{rate: r},
	}, nil
}

// bounds fills in the defaults of a configuration and checks it.
func bounds(start, low, high *units.Bitrate) error {
	*high = cmp.Or(*high, defaultMax)
	if *high < 0 {
		return fmt.Errorf("%w: Max %v, want above 0", ErrConfig, *high)
	}
	*low = cmp.Or(*low, min(defaultMin, *high))
	if *low < 0 || *low > *high {
		return fmt.Errorf("%w: Min %v, want above 0 and at most Max %v", ErrConfig, *low, *high)
	}
	*start = cmp.Or(*start, min(max(defaultStart, *low), *high))
	if *start < *low || *start > *high {
		return fmt.Errorf("%w: Start %v, want %v to %v", ErrConfig, *start, *low, *high)
	}
	return nil
}

// OnSent implements [Estimator]. What is sent does not matter to a Kalman.
func (k *Kalman) OnSent(time.Time, int) {}

// OnFeedback implements [Estimator]. A message in which no result is known
// changes nothing.
func (k *Kalman) OnFeedback(now time.Time, results []Packet, _ time.Duration) {
	known := false
	for i := range results {
		switch p := &results[i]; p.State {
		case Received:
			known = true
			k.loss.record(false)
			k.delay.record(p)
		case Lost:
			known = true
			k.loss.record(true)
		}
	}
	if !known {
		return
	}
	k.feedback = true
	k.delay.adapt(now)
	k.loss.adapt(now)
}

// OnREMB implements [Estimator].
func (k *Kalman) OnREMB(now time.Time, rate units.Bitrate) { k.remb.put(now, rate) }

// OnHint implements [Estimator].
func (k *Kalman) OnHint(now time.Time, rate units.Bitrate) { k.hint.put(now, rate) }

// Estimate implements [Estimator]. Of two equal terms the earlier constant is told.
func (k *Kalman) Estimate(now time.Time) (Estimate, bool) {
	e := Estimate{Target: k.max, Term: TermNone}
	limit := func(r units.Bitrate, t Term) {
		if r < e.Target || r == e.Target && e.Term == TermNone {
			e = Estimate{Target: r, Term: t}
		}
	}
	known := k.feedback
	if k.feedback {
		limit(units.Bitrate(k.delay.bps), TermDelay)
		limit(units.Bitrate(k.loss.bps), TermLoss)
	}
	if r, ok := k.remb.at(now); ok {
		known = true
		limit(r, TermREMB)
	}
	if r, ok := k.hint.at(now); ok {
		known = true
		limit(r, TermHint)
	}
	if !known {
		return Estimate{}, false
	}
	limit(k.max, TermMax)
	return e, true
}

// rate moves between two bounds.
type rate struct{ bps, min, max float64 }

func (r *rate) raise(by float64) { r.bps = min(r.bps+by, r.max) }

// backOff takes 15 % off, the step by which GCC-like controllers back off.
func (r *rate) backOff() { r.bps = max(r.bps*0.85, r.min) }

// ceiling is an upper limit that expires.
type ceiling struct {
	set  bool
	when time.Time
	rate units.Bitrate
}

func (c *ceiling) put(now time.Time, rate units.Bitrate) {
	*c = ceiling{set: true, when: now, rate: max(0, rate)}
}

func (c *ceiling) at(now time.Time) (units.Bitrate, bool) {
	return c.rate, c.set && now.Sub(c.when) < ceilingLife
}
