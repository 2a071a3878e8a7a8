package pacer

import (
	"errors"
	"fmt"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Errors that Validate and New return, wrapped with the field and its value.
var (
	// ErrUpgradeStreak is returned when UpgradeStreak is negative.
	ErrUpgradeStreak = errors.New("pacer: upgrade streak must not be negative")
	// ErrSuspendStreak is returned when SuspendStreak is negative.
	ErrSuspendStreak = errors.New("pacer: suspend streak must not be negative")
	// ErrBitrateOrder is returned when the thresholds are not in the order
	// 0 ≤ SuspendVideo ≤ AudioOnly ≤ LowMin ≤ MediumMin ≤ HighMin, a zero
	// field standing for its default.
	ErrBitrateOrder = errors.New("pacer: bitrate thresholds out of order")
)

// Config holds the thresholds of a Pacer. In every field zero means the
// default, so the zero Config is the default configuration. Thresholds may be
// equal, which removes the tier between them.
type Config struct {
	// SuspendVideo suspends video when the estimate stays below it.
	// Default 10 kbit/s; 1 bit/s suspends on an estimate of zero only.
	SuspendVideo units.Bitrate
	// AudioOnly turns video off when the estimate falls below it, and lifts a
	// suspension when the estimate reaches it. Default 80 kbit/s.
	AudioOnly units.Bitrate
	// LowMin turns video on again when the estimate reaches it. Default
	// 150 kbit/s. The gap above AudioOnly is the hysteresis.
	LowMin units.Bitrate
	// MediumMin is the least estimate for layer.Medium. Default 350 kbit/s.
	MediumMin units.Bitrate
	// HighMin is the least estimate for layer.High. Default 700 kbit/s.
	HighMin units.Bitrate
	// SuspendStreak is how many estimates in a row must lie below
	// SuspendVideo to suspend; until then such estimates change nothing, not even
	// to audio only. Default 2.
	SuspendStreak int
	// UpgradeStreak is how many estimates in a row must ask for a higher tier
	// before it is given. Default 3. Downgrades between tiers never wait.
	UpgradeStreak int
}

// DefaultConfig returns the configuration that the zero Config stands for,
// with every field filled in.
func DefaultConfig() Config {
	return Config{
		SuspendVideo:  10 * units.Kbps,
		AudioOnly:     80 * units.Kbps,
		LowMin:        150 * units.Kbps,
		MediumMin:     350 * units.Kbps,
		HighMin:       700 * units.Kbps,
		SuspendStreak: 2,
		UpgradeStreak: 3,
	}
}

// withDefaults replaces every zero field by its default.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	for _, f := range []struct{ field, def *units.Bitrate }{
		{&c.SuspendVideo, &d.SuspendVideo},
		{&c.AudioOnly, &d.AudioOnly},
		{&c.LowMin, &d.LowMin},
		{&c.MediumMin, &d.MediumMin},
		{&c.HighMin, &d.HighMin},
	} {
		if *f.field == 0 {
			*f.field = *f.def
		}
	}
	if c.SuspendStreak == 0 {
		c.SuspendStreak = d.SuspendStreak
	}
	if c.UpgradeStreak == 0 {
		c.UpgradeStreak = d.UpgradeStreak
	}
	return c
}

// Validate reports the first thing wrong with c after defaults: the streaks
// (ErrUpgradeStreak, then ErrSuspendStreak), then the order of the thresholds
// (ErrBitrateOrder).
func (c Config) Validate() error {
	c = c.withDefaults()
	if c.UpgradeStreak < 0 {
		return fmt.Errorf("UpgradeStreak %d: %w", c.UpgradeStreak, ErrUpgradeStreak)
	}
	if c.SuspendStreak < 0 {
		return fmt.Errorf("SuspendStreak %d: %w", c.SuspendStreak, ErrSuspendStreak)
	}
	if c.SuspendVideo < 0 {
		return fmt.Errorf("SuspendVideo %v is negative: %w", c.SuspendVideo, ErrBitrateOrder)
	}
	type threshold struct {
		name string
		rate units.Bitrate
	}
	below := threshold{"SuspendVideo", c.SuspendVideo}
	for _, t := range []threshold{
		{"AudioOnly", c.AudioOnly},
		{"LowMin", c.LowMin},
		{"MediumMin", c.MediumMin},
		{"HighMin", c.HighMin},
	} {
		if below.rate > t.rate {
			return fmt.Errorf("%s %v above %s %v: %w", below.name, below.rate, t.name, t.rate, ErrBitrateOrder)
		}
		below = t
	}
	return nil
}
