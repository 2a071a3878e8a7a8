package udpsock

import (
	"net"
	"net/netip"
)

// Cork makes the writes of every goroutine collect until the next [Conn.Uncork],
// whoever calls it. Corks may overlap; each Cork needs its own Uncork. What is
// collected is bounded: a full batch leaves at once.
func (c *Conn) Cork() {
	c.mu.Lock()
	c.corks++
	c.mu.Unlock()
}

// Uncork ends one cork and sends all that is collected, also what goroutines
// whose corks go on have written. When it returns, every datagram written
// before the call has been handed to the system or dropped and counted.
// Without a matching Cork it only sends.
func (c *Conn) Uncork() {
	c.mu.Lock()
	if c.corks > 0 {
		c.corks--
	}
	c.mu.Unlock()
	c.sendMu.Lock()
	c.flushLocked()
	c.sendMu.Unlock()
}

// WriteToAddrPort sends the datagram p to the given address: with a copy and
// later while any cork is held, else at once. Datagrams to one destination
// leave in the order in which they were written. On Linux it never waits for
// room in the socket's buffer; elsewhere the system may make it wait briefly.
// What the system refuses is reported as written, as what a network loses
// would be, and counted by reason in [Stats]. The errors are [net.ErrClosed]
// and [ErrAddress].
func (c *Conn) WriteToAddrPort(p []byte, to netip.AddrPort) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if !to.IsValid() || to.Port() == 0 {
		c.stats.drop(DropAddress, 1)
		return 0, ErrAddress
	}
	if len(p) > maxDatagram {
		c.stats.drop(DropTooLarge, 1)
		return len(p), nil
	}
	if to.Addr().Is4In6() {
		to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	}
	if !c.collect(p, to) {
		c.sendMu.Lock()
		// An Uncork may be about to send what is older than p, and a cork
		// may have been taken since collect looked.
		c.flushLocked()
		c.drv.sendOne(p, to)
		c.sendMu.Unlock()
	}
	return len(p), nil
}

// WriteTo is [Conn.WriteToAddrPort] for an address that must be a
// [*net.UDPAddr]; any other is [ErrAddress].
func (c *Conn) WriteTo(p []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		c.stats.drop(DropAddress, 1)
		return 0, ErrAddress
	}
	return c.WriteToAddrPort(p, udp.AddrPort())
}

// collect copies p into the batch if a cork is held, and says whether it did.
// A full batch is sent first.
func (c *Conn) collect(p []byte, to netip.AddrPort) bool {
	for {
		c.mu.Lock()
		corked := c.corks > 0
		added := corked && c.cur.add(p, to)
		c.mu.Unlock()
		if added || !corked {
			return added
		}
		c.sendMu.Lock()
		c.flushLocked()
		c.sendMu.Unlock()
	}
}

// flushLocked sends what is collected. Writers go on collecting into the other
// batch meanwhile. It needs sendMu.
func (c *Conn) flushLocked() {
	c.mu.Lock()
	full := c.cur
	if full.n == 0 {
		c.mu.Unlock()
		return
	}
	c.cur = c.spare
	c.mu.Unlock()

	c.stats.flushes.Add(1)
	c.drv.send(full)
	full.reset()
	c.spare = full
}
