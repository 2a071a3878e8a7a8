package shaper

import (
	"errors"
	"fmt"
	"time"
)

// Defaults of [Config].
const (
	// The slack for a frame that is larger than the average. libwebrtc's is 2.5, which
	// suits a sender whose encoder keeps frames alike; a keyframe of 40 packets that
	// meets a queue of 200 ms loses 16 of them at 2.5, 10 at 1.5 and 3 at 1.25.
	defaultFactor = 1.25
	// Two rounds of a 5 ms timer, so that one that comes late costs no rate. At 1.25
	// times the target it puts 12.5 ms of the target into the path's queue. Frames that
	// come in one piece leave at once for 20 % of their packets when the stream is at
	// the target, 49 % when it has 30 % of headroom, 67 % when it has as much again;
	// the rest is copied and waits. Chrome's sender bursts for 40 ms.
	defaultBurst = 10 * time.Millisecond
	// Longer than a keyframe of a fifth of a second of the target takes at the default
	// Factor. One as large as a second of it leaves at 3.3 times the target.
	defaultMaxDelay = 300 * time.Millisecond
	defaultMaxBytes = 1 << 20

	// minWeight is what a waiting packet counts for at least, in bytes, so that a
	// bound in bytes is one in packets too.
	minWeight = 256
)

// ErrConfig is returned by [New], wrapped with the field and its value, when a
// [Config] is impossible.
var ErrConfig = errors.New("shaper: invalid config")

// Config says how packets are spread. In every field zero means the default, so
// the zero Config is a good configuration.
type Config struct {
	// Off lets every packet go at once; to a probe only its padding is spread.
	Off bool
	// Factor is how many times the target rate packets may leave at, 1 or more.
	// Default 1.25. A smaller one spares paths with a short queue and keeps keyframes
	// longer: of one of 48 kB, on a path of 1 Mbit/s that holds 200 ms, 20 of 40
	// packets are lost unshaped, 16 at 2.5, 10 at 1.5 and 3 at 1.25; the last packet
	// waits for 140, 245 and 295 ms.
	Factor float64
	// Burst is how much may leave at once after a silence, as time at the target
	// times Factor. It wants to be longer than the time between two calls of
	// [Shaper.Pop], or what falls due between them is lost. Default 10 ms.
	Burst time.Duration
	// MaxDelay is the longest a packet waits. When the target times Factor is too
	// slow for that, the rate rises as far as needed. Default 300 ms.
	MaxDelay time.Duration
	// MaxBytes is the most that waits, in bytes, where a packet counts for 256 at
	// least; at most 4096 packets with the default, 1 MiB. It guards memory:
	// to reach it takes a stream of MaxBytes in MaxDelay.
	MaxBytes int
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Factor != 0 && !(c.Factor >= 1 && c.Factor <= 1000): // this form refuses NaN as well
		return c, fmt.Errorf("%w: Factor %v, want 1 to 1000", ErrConfig, c.Factor)
	case c.Burst < 0 || c.Burst > time.Second:
		return c, fmt.Errorf("%w: Burst %v, want 0 to 1s", ErrConfig, c.Burst)
	case c.MaxDelay < 0:
		return c, fmt.Errorf("%w: MaxDelay %v, want 0 or more", ErrConfig, c.MaxDelay)
	case c.MaxBytes < 0:
		return c, fmt.Errorf("%w: MaxBytes %d, want 0 or more", ErrConfig, c.MaxBytes)
	}
	if c.Factor == 0 {
		c.Factor = defaultFactor
	}
	if c.Burst == 0 {
		c.Burst = defaultBurst
	}
	if c.MaxDelay == 0 {
		c.MaxDelay = defaultMaxDelay
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	return c, nil
}
