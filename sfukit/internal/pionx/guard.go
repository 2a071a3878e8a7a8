package pionx

import (
	"sync"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// A client may send malformedBurst datagrams of RTCP at once that cannot be read, and
// one every malformedEvery. Pion's SRTCP session parses before anyone sees them, and
// for a datagram that claims more than it holds may allocate ten megabytes: there is
// no other bound on what such a client costs.
const (
	malformedBurst = 16
	malformedEvery = time.Second
)

// guarded ends a client that sends too much RTCP that cannot be read. It is safe for
// concurrent use.
type guarded struct {
	transport.Handler

	mu    sync.Mutex
	spent time.Time // when the whole burst may come again
	ended bool
}

// Malformed implements transport.Handler.
func (g *guarded) Malformed() {
	g.Handler.Malformed()
	now := time.Now()
	g.mu.Lock()
	if now.After(g.spent) {
		g.spent = now
	}
	g.spent = g.spent.Add(malformedEvery)
	end := !g.ended && g.spent.Sub(now) > malformedBurst*malformedEvery
	g.ended = g.ended || end
	g.mu.Unlock()
	if end {
		g.State(transport.Misbehaved)
	}
}
