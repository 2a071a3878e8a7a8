package speaker

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrConfig is returned by New, wrapped with the field and its value, when a
// field of Config is outside its range.
var ErrConfig = errors.New("speaker: invalid config")

// Fixed times of the algorithm.
const (
	// LevelIdleTimeout is the silence on the wire after which a peer's missing
	// levels are taken to be silence: two packets of 20 ms. It makes peers
	// that mute, stop or send nothing during pauses (DTX) decay.
	LevelIdleTimeout = 40 * time.Millisecond
	// SpeakerIdleTimeout is how long a peer other than the dominant speaker
	// may send no level before it is no longer a candidate.
	SpeakerIdleTimeout = time.Hour
)

// Config tunes a Detector. In every field zero means the default, so the zero
// Config is the default configuration. C1 to N3 default to the numbers of the
// deployed implementations of the algorithm (Jitsi, mediasoup); what is made of
// them differs as Parity says.
type Config struct {
	// C1, C2 and C3 are how far a challenger must be ahead of the dominant
	// speaker to replace it, as the natural logarithm of the ratio of their
	// activity scores over the immediate, medium and long interval. All three
	// must be exceeded. Default 3, 2 and 0. Finite and not negative.
	C1, C2, C3 float64
	// N1 is how many bands the loudness is divided into, 2 to 128; default 13,
	// which makes bands of 10 dB.
	N1 int
	// N2 is how many levels of 20 ms make a medium interval, 1 to 50; default
	// 5, or 100 ms.
	N2 int
	// N3 is how many medium intervals make the long one, 1 to 50; default 10,
	// or a second.
	N3 int
	// Interval is the period with which Tick will be called. Default 200 ms, with
	// Parity 300 ms. Not negative. A Tick that comes less than nine tenths of it
	// after the last effective one does nothing.
	Interval time.Duration
	// Parity makes the Detector decide exactly as the deployed implementations
	// do. Without it, so that music or a fan is noise within seconds and a cough
	// into silence is no turn:
	//   - a peer's noise floor is its quietest level of 3 s, not one that rises
	//     by halves every 15 s, and speech is 12 dB above it, not a band;
	//   - a medium interval is active when more than half of its levels are, not
	//     more than four fifths;
	//   - a challenger must have been active for more than half of the long
	//     interval, even against a silent dominant speaker, so about half a second
	//     of anything takes the floor from nobody.
	// What that is worth is in docs/bench/speaker.md.
	Parity bool
}

// withDefaults checks c and fills in the zero fields.
func (c Config) withDefaults() (Config, error) {
	for _, f := range []struct {
		name  string
		field *float64
		def   float64
	}{{"C1", &c.C1, 3}, {"C2", &c.C2, 2}, {"C3", &c.C3, 0}} {
		if v := *f.field; v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return Config{}, fmt.Errorf("%w: %s is %v, want finite and not negative", ErrConfig, f.name, v)
		}
		if *f.field == 0 {
			*f.field = f.def
		}
	}
	for _, f := range []struct {
		name          string
		field         *int
		def, min, max int
	}{{"N1", &c.N1, 13, 2, 128}, {"N2", &c.N2, 5, 1, 50}, {"N3", &c.N3, 10, 1, 50}} {
		if *f.field == 0 {
			*f.field = f.def
		}
		if v := *f.field; v < f.min || v > f.max {
			return Config{}, fmt.Errorf("%w: %s is %d, want %d to %d", ErrConfig, f.name, v, f.min, f.max)
		}
	}
	if c.Interval < 0 {
		return Config{}, fmt.Errorf("%w: Interval is %v, want 0 or more", ErrConfig, c.Interval)
	}
	if c.Interval == 0 {
		c.Interval = 200 * time.Millisecond
		if c.Parity {
			c.Interval = 300 * time.Millisecond
		}
	}
	return c, nil
}
