// Package pacer turns a subscriber's bandwidth estimate into a stable video
// tier, with hysteresis: down at once, up only when the estimate has meant it
// for a while. It decides what to send, not when packets leave; which encoding a
// tier means on a given track is the business of layer.Ladder.
package pacer

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// MinInterval is the least time between two estimates that Drive acts on. It
// gives the streaks of Config a meaning in time: three estimates are at least
// 200 ms apart, however often the estimator speaks.
const MinInterval = 100 * time.Millisecond

// Pacer is the quality state of one subscriber. It begins at layer.Low with
// video on. A Pacer comes from New and is not safe for concurrent use.
//
// There are three states. Video: a tier is sent, chosen by the thresholds.
// Audio only: the estimate fell below AudioOnly; video comes back at LowMin.
// Suspended: the estimate stayed below SuspendVideo; at AudioOnly the
// subscriber is in audio only again, so video is never restored in one step.
type Pacer struct {
	cfg Config

	tier          layer.RID // one of the three conventional names
	audioOnly     bool      // also while suspended
	suspended     bool
	upgradeStreak int // 0 whenever video is off
	suspendStreak int // 0 while suspended

	driven bool      // Drive has accepted an estimate
	last   time.Time // when; meaningful if driven
}

// New returns a Pacer, or the error of cfg.Validate.
func New(cfg Config) (*Pacer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Pacer{cfg: cfg.withDefaults(), tier: layer.Low}, nil
}

// Layer returns the tier in force. While AudioOnly reports true nothing of it
// is to be sent, and video will come back at layer.Low.
func (p *Pacer) Layer() layer.RID { return p.tier }

// AudioOnly reports whether video is off, be it for lack of bandwidth or
// because it is suspended.
func (p *Pacer) AudioOnly() bool { return p.audioOnly }

// Suspended reports whether video is suspended.
func (p *Pacer) Suspended() bool { return p.suspended }

// NextMin returns the least estimate that, held, leads to more than there is now:
// to video while there is none, else to the next tier. It is 0 at layer.High.
func (p *Pacer) NextMin() units.Bitrate {
	switch {
	case p.audioOnly:
		return p.cfg.LowMin
	case p.tier == layer.Low:
		return p.cfg.MediumMin
	case p.tier == layer.Medium:
		return p.cfg.HighMin
	}
	return 0
}

// Drive is Update with a floor under the cadence: it ignores an estimate that
// comes less than MinInterval after the one accepted before it, and returns
// NoChange. Without an estimate do not call it at all: zero is an estimate,
// and a bad one.
func (p *Pacer) Drive(now time.Time, estimate units.Bitrate) (Action, layer.RID) {
	if p.driven && now.Sub(p.last) < MinInterval {
		return NoChange, ""
	}
	p.driven, p.last = true, now
	return p.Update(estimate)
}

// Update feeds one estimate and returns what to do about it. The RID is the
// tier to send from now on with ChangeLayer and RestoreVideo, and empty with
// every other action. Each call is a step of the streaks, so the caller sets
// the pace; Drive sets it for you.
func (p *Pacer) Update(estimate units.Bitrate) (Action, layer.RID) {
	if p.suspended {
		if estimate < p.cfg.AudioOnly {
			return NoChange, ""
		}
		p.suspended = false
		return RestoreAudio, ""
	}
	if estimate < p.cfg.SuspendVideo {
		p.suspendStreak++
		if p.suspendStreak < p.cfg.SuspendStreak {
			return NoChange, ""
		}
		p.suspended, p.audioOnly = true, true
		p.suspendStreak, p.upgradeStreak = 0, 0
		return SuspendVideo, ""
	}
	p.suspendStreak = 0

	if p.audioOnly {
		if estimate < p.cfg.LowMin {
			return NoChange, ""
		}
		p.audioOnly = false
		p.tier = layer.Low
		return RestoreVideo, p.tier
	}
	if estimate < p.cfg.AudioOnly {
		p.audioOnly = true
		p.upgradeStreak = 0
		return GoAudioOnly, ""
	}
	return p.step(p.target(estimate))
}

// step moves to target: down at once, up after a streak. The streak counts
// estimates above the present tier, so it survives a target that wavers
// between two higher tiers, and what it grants is the last one asked for.
func (p *Pacer) step(target layer.RID) (Action, layer.RID) {
	switch have, want := p.tier.Rank(), target.Rank(); {
	case want == have:
		p.upgradeStreak = 0
		return NoChange, ""
	case want > have:
		p.upgradeStreak++
		if p.upgradeStreak < p.cfg.UpgradeStreak {
			return NoChange, ""
		}
	}
	p.upgradeStreak = 0
	p.tier = target
	return ChangeLayer, target
}

// target is the tier the estimate alone would allow.
func (p *Pacer) target(estimate units.Bitrate) layer.RID {
	switch {
	case estimate >= p.cfg.HighMin:
		return layer.High
	case estimate >= p.cfg.MediumMin:
		return layer.Medium
	default:
		return layer.Low
	}
}
