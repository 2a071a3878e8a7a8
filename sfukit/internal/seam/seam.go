// Package seam is the door through which package sim runs a registry over a
// network of its own, in a time of its own. Everybody else goes through
// sfukit.NewRegistry, which fills the door in.
package seam

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// A Stepper does what the goroutines of a registry would: it delivers events,
// negotiates, and does what is due at now, all before it returns. It must not be
// called concurrently with anything else that happens to the registry.
type Stepper interface{ Step(now time.Time) }

// NewRegistry makes a *sfukit.Registry from a sfukit.Config, without goroutines:
// its time is the network's, and passes when Step is called.
var NewRegistry func(config any, network transport.Network) (registry Stepper, err error)
