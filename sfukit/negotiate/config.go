package negotiate

import (
	"errors"
	"fmt"
	"time"
)

// Defaults of [Config] and the constant of the back-off.
const (
	// Longer than a round trip over a bad mobile link plus the time a slow phone
	// takes for a large description, and short enough that a lost answer delays a
	// new participant's picture by no more than people put up with.
	defaultResendAfter = 3 * time.Second
	// With the first copy that is three offers in nine seconds,
	// about as long as a person waits before reloading the page.
	defaultMaxResends = 2
	// However hopeless a client is, it is tried about once a minute.
	maxBackoff = time.Minute
)

// ErrConfig is returned by [New], wrapped with the field and its value, when a
// [Config] is impossible.
var ErrConfig = errors.New("negotiate: invalid config")

// Config says how patient a [Machine] is. The zero value is a good
// configuration; negative values are errors.
type Config struct {
	// ResendAfter is how long an offer waits for its answer before the identical
	// offer is sent again, and the unit of the back-off after failures.
	// Default 3 s.
	ResendAfter time.Duration
	// MaxResends is how often one offer is sent again before it is abandoned.
	// Default 2.
	MaxResends int
}

func (c Config) withDefaults() (Config, error) {
	if c.ResendAfter < 0 {
		return c, fmt.Errorf("%w: ResendAfter %v, want 0 or more", ErrConfig, c.ResendAfter)
	}
	if c.MaxResends < 0 {
		return c, fmt.Errorf("%w: MaxResends %d, want 0 or more", ErrConfig, c.MaxResends)
	}
	if c.ResendAfter == 0 {
		c.ResendAfter = defaultResendAfter
	}
	if c.MaxResends == 0 {
		c.MaxResends = defaultMaxResends
	}
	return c, nil
}
