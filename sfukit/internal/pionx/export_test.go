package pionx

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"

// Guard ends a client that sends too much RTCP that cannot be read.
func Guard(h transport.Handler) transport.Handler { return &guarded{Handler: h} }

// MalformedBurst is how much of it may come at once.
const MalformedBurst = malformedBurst

// NewTCPMux serves ICE-TCP at advertised addresses.
var NewTCPMux = newTCPMux

// MaxSSRCs is how many SSRCs of a kind a peer may use.
const MaxSSRCs = maxSSRCs
