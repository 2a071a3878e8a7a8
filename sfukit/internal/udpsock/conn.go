package udpsock

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is a UDP socket for many peers. It implements [net.PacketConn] and the
// pair ReadFromAddrPort and WriteToAddrPort with which pion's ICE mux avoids
// allocating addresses.
//
// All methods are safe for concurrent use. One goroutine should read, because
// two would see datagrams out of order. IPv4 addresses are reported as IPv4,
// also on a dual-stack socket, and are accepted in both forms.
type Conn struct {
	drv   driver       // constant after construction
	local *net.UDPAddr // constant after construction; nil if the wrapped conn has no UDP address

	receiveBuffer, sendBuffer int // granted sizes; constant after construction

	closed atomic.Bool
	stats  counters

	// sendMu is held while datagrams are handed to the system, so that they
	// leave in the order in which they were collected. It guards spare and
	// the driver's send state, and is taken before mu.
	sendMu sync.Mutex
	spare  *batch // empty; guarded by sendMu

	mu    sync.Mutex
	corks int    // guarded by mu
	cur   *batch // collects writes; guarded by mu, replaced with sendMu held too
}

// driver does the system calls of a Conn. The send methods are called with
// Conn.sendMu held and never with Conn.mu held; they keep nothing they are
// given, never report failure and count what they drop.
type driver interface {
	// read waits for a datagram, copies it to b and says where it came from.
	// Errors that leave the socket usable are counted and not returned.
	read(b []byte) (int, netip.AddrPort, error)
	// receiveDrops is how many datagrams the system lost before read got them.
	receiveDrops() uint64
	// send hands over a batch, destination by destination.
	send(b *batch)
	// sendOne hands over one datagram without copying it first.
	sendOne(p []byte, to netip.AddrPort)
	setReadDeadline(t time.Time) error
	close() error
}

// Wrap returns a Conn that reads and writes pc one datagram at a time. It is
// for virtual networks, which offer no more than [net.PacketConn]; corks work
// as they do on a socket. The Conn owns pc from then on and closes it. The
// addresses pc deals in must be [*net.UDPAddr].
func Wrap(pc net.PacketConn) *Conn {
	c := newConn()
	c.local, _ = pc.LocalAddr().(*net.UDPAddr)
	c.drv = newPlain(pc, c)
	return c
}

func newConn() *Conn {
	return &Conn{cur: new(batch), spare: new(batch)}
}

// ReadFromAddrPort waits for a datagram, copies it to b and returns its length
// and its source. A datagram longer than b is cut, as [net.UDPConn] does. Only
// a closed Conn ([net.ErrClosed]), a read deadline ([os.ErrDeadlineExceeded])
// and a socket that has become unusable end reading; errors that concern one
// datagram or one peer are counted in [Stats] and skipped.
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.drv.read(b)
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return n, from, err
}

// ReadFrom is [Conn.ReadFromAddrPort] with the source as a [*net.UDPAddr],
// which it allocates.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// LocalAddr returns the address the socket is bound to, a [*net.UDPAddr] that
// must not be changed.
func (c *Conn) LocalAddr() net.Addr {
	if c.local == nil {
		return nil
	}
	return c.local
}

// SetDeadline sets the read deadline, see [Conn.SetReadDeadline].
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline makes reads that would wait beyond t fail with
// [os.ErrDeadlineExceeded]; the zero time means never.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if err := c.drv.setReadDeadline(t); err != nil {
		return fmt.Errorf("set read deadline of UDP socket: %w", err)
	}
	return nil
}

// SetWriteDeadline does nothing and returns nil: pion's mux would use the
// deadline to abort one peer's write on the socket that all peers share.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// Close closes the socket, ends a read that waits and drops what corks still
// hold. Later calls do nothing and return nil.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if err := c.drv.close(); err != nil {
		return fmt.Errorf("close UDP socket: %w", err)
	}
	return nil
}
