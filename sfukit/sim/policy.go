package sim

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A Policy is what a scenario is run with: a way to estimate, under a name.
type Policy struct {
	// Name is for tables and plots.
	Name string
	// New makes the estimator of one sender or subscriber, as
	// sfukit.Config.NewEstimator does.
	New func() bwe.Estimator
}

// Default returns the policy under test: bwe.SendSide with its defaults.
func Default() Policy {
	return Policy{Name: "sendside", New: func() bwe.Estimator {
		e, err := bwe.NewSendSide(bwe.SendSideConfig{})
		if err != nil { // the zero config is valid by contract
			return Fixed(startRate)
		}
		return e
	}}
}

// Baselines returns what the default is compared with: bwe.Kalman, an estimate
// that never moves, as of a node whose estimator got stuck, and one that looks at
// nothing but loss.
func Baselines() []Policy {
	return []Policy{
		{Name: "kalman", New: func() bwe.Estimator {
			e, err := bwe.NewKalman(bwe.KalmanConfig{})
			if err != nil { // the zero config is valid by contract
				return Fixed(startRate)
			}
			return e
		}},
		{Name: "fixed-300k", New: func() bwe.Estimator { return Fixed(300 * units.Kbps) }},
		{Name: "loss-only", New: func() bwe.Estimator { return NewLossOnly(startRate) }},
	}
}

// Fixed is an estimator that always says the same, whatever it is told.
type Fixed units.Bitrate

var _ bwe.Estimator = Fixed(0)

// OnSent implements [bwe.Estimator].
func (Fixed) OnSent(time.Time, int) {}

// OnFeedback implements [bwe.Estimator].
func (Fixed) OnFeedback(time.Time, []bwe.Packet, time.Duration) {}

// OnREMB implements [bwe.Estimator].
func (Fixed) OnREMB(time.Time, units.Bitrate) {}

// OnHint implements [bwe.Estimator].
func (Fixed) OnHint(time.Time, units.Bitrate) {}

// Estimate implements [bwe.Estimator].
func (f Fixed) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: units.Bitrate(f), Term: bwe.TermNative}, true
}

// A LossOnly is an estimator that is blind for delay: the loss-based controller of
// draft-ietf-rmcat-gcc-02 section 6 alone, which grows by 5 % when less than 2 %
// is lost and shrinks by half the loss when more than 10 % is; once per second, as
// the reports it was written for. Make one with [NewLossOnly].
type LossOnly struct {
	rate           units.Bitrate
	received, lost int
	since          time.Time
}

var _ bwe.Estimator = (*LossOnly)(nil)

// NewLossOnly returns a LossOnly that begins at a rate.
func NewLossOnly(start units.Bitrate) *LossOnly { return &LossOnly{rate: start} }

// OnSent implements [bwe.Estimator].
func (*LossOnly) OnSent(time.Time, int) {}

// OnFeedback implements [bwe.Estimator].
func (l *LossOnly) OnFeedback(now time.Time, results []bwe.Packet, _ time.Duration) {
	if l.since.IsZero() {
		l.since = now
	}
	for i := range results {
		switch results[i].State {
		case bwe.Received:
			l.received++
		case bwe.Lost:
			l.lost++
		}
	}
	total := l.received + l.lost
	if now.Sub(l.since) < time.Second || total == 0 {
		return
	}
	switch share := float64(l.lost) / float64(total); {
	case share < 0.02:
		l.rate = min(l.rate*105/100, maxMedia)
	case share > 0.1:
		l.rate = max(units.Bitrate(float64(l.rate)*(1-share/2)), 30*units.Kbps)
	}
	l.received, l.lost, l.since = 0, 0, now
}

// OnREMB implements [bwe.Estimator].
func (*LossOnly) OnREMB(time.Time, units.Bitrate) {}

// OnHint implements [bwe.Estimator].
func (*LossOnly) OnHint(time.Time, units.Bitrate) {}

// Estimate implements [bwe.Estimator].
func (l *LossOnly) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: l.rate, Term: bwe.TermLoss}, true
}
