package udpsock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// DefaultBuffer is the size in bytes that a socket's buffers are asked to have
// unless [Config] says otherwise: a third of a second of 100 Mbit/s.
const DefaultBuffer = 4 << 20

// Config describes a socket. The zero value is a good one.
type Config struct {
	// ReceiveBuffer and SendBuffer are the sizes of the kernel's queues in
	// bytes. Zero means [DefaultBuffer], negative is invalid. The system may
	// grant less (Linux, unless the process may administer the network, no
	// more than net.core.rmem_max and net.core.wmem_max); [Stats] says what
	// it granted.
	ReceiveBuffer, SendBuffer int
}

// Listen opens a socket bound to addr. Port zero lets the system choose. An
// unspecified IPv6 address makes a dual-stack socket, which reaches IPv4 peers
// as well. The error says what was asked for and wraps the system's.
func Listen(addr netip.AddrPort, cfg Config) (*Conn, error) {
	if !addr.IsValid() {
		return nil, fmt.Errorf("udpsock: address %v: %w", addr, ErrAddress)
	}
	if cfg.ReceiveBuffer < 0 {
		return nil, fmt.Errorf("udpsock: Config.ReceiveBuffer %d is negative", cfg.ReceiveBuffer)
	}
	if cfg.SendBuffer < 0 {
		return nil, fmt.Errorf("udpsock: Config.SendBuffer %d is negative", cfg.SendBuffer)
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	network := "udp6"
	switch {
	case addr.Addr().Is4():
		network = "udp4"
	case addr.Addr().IsUnspecified():
		network = "udp"
	}
	// Binding does not wait, so there is nothing for a context to end.
	pc, err := new(net.ListenConfig).ListenPacket(context.Background(), network, addr.String())
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %v: %w", addr, err)
	}
	c, err := open(pc.(*net.UDPConn), cfg)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %v: %w", addr, errors.Join(err, pc.Close()))
	}
	return c, nil
}

func open(udp *net.UDPConn, cfg Config) (c *Conn, err error) {
	c = newConn()
	c.local = udp.LocalAddr().(*net.UDPAddr)
	c.receiveBuffer, c.sendBuffer, err = setBuffers(udp,
		cmp.Or(cfg.ReceiveBuffer, DefaultBuffer), cmp.Or(cfg.SendBuffer, DefaultBuffer))
	if err != nil {
		return nil, err
	}
	c.drv, err = newDriver(udp, c)
	return c, err
}
