package sfukit_test

import (
	"bytes"
	"net"
	"sync"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
)

// bottleneck is a node's socket with a link of package sim between it and one
// client: the queue, rate and losses of the fast level, under real datagrams and
// in the time of the test.
type bottleneck struct {
	net.PacketConn
	client map[string]bool // addresses that the link leads to
	began  time.Time

	mu      sync.Mutex
	engine  *sim.Engine
	link    *sim.Link
	through bool // what became of the latest packet
}

func newBottleneck(c net.PacketConn, cfg sim.LinkConfig, seed uint64, client ...string) (*bottleneck, error) {
	cfg.Delay = 0 // it is the router's
	b := &bottleneck{PacketConn: c, client: map[string]bool{}, began: time.Now(), engine: sim.NewEngine(seed)}
	for _, ip := range client {
		b.client[ip] = true
	}
	var err error
	if b.link, err = sim.NewLink(b.engine, "down", cfg); err != nil {
		return nil, err
	}
	b.link.Watch(func(_ *sim.Packet, through bool) { b.through = through })
	return b, nil
}

// WriteTo implements net.PacketConn. What the link loses was sent all the same.
func (b *bottleneck) WriteTo(p []byte, to net.Addr) (int, error) {
	if !b.client[host(to)] {
		return b.PacketConn.WriteTo(p, to)
	}
	after, through := b.pass(len(p))
	switch {
	case !through:
		return len(p), nil
	case after == 0:
		return b.PacketConn.WriteTo(p, to)
	}
	own := bytes.Clone(p)
	time.AfterFunc(after, func() { _, _ = b.PacketConn.WriteTo(own, to) }) // too late once the node has closed
	return len(p), nil
}

// pass returns after what time a packet leaves the link, and whether it does.
func (b *bottleneck) pass(size int) (after time.Duration, through bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.engine.Run(time.Since(b.began) - b.engine.Elapsed())
	b.link.Send(&sim.Packet{Size: size, Sent: b.engine.Now()})
	return b.link.Wait(), b.through
}

func (b *bottleneck) stats() sim.LinkStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.link.Stats()
}
