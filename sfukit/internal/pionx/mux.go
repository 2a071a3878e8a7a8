package pionx

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

// advertisingMux is pion's UDP mux with the addresses that candidates show
// taken out of its hands. Pion would show every interface of a wildcard bind,
// and its filters do not apply there.
//
// Two candidates of one family on one socket would also mean two goroutines
// draining one queue, and packets overtaking each other between them. So only
// the first address of a family gets pion's reading connection; every other one
// gets a connection that only writes.
type advertisingMux struct {
	*ice.UDPMuxDefault
	local      net.Addr // what pion's mux believes it is bound to
	advertised []net.Addr
}

func newAdvertisingMux(mux *ice.UDPMuxDefault, addrs []netip.AddrPort) *advertisingMux {
	m := &advertisingMux{UDPMuxDefault: mux, local: mux.LocalAddr()}
	for _, a := range addrs {
		m.advertised = append(m.advertised, net.UDPAddrFromAddrPort(a))
	}
	return m
}

// GetListenAddresses returns exactly the addresses clients are to be told, in order.
func (m *advertisingMux) GetListenAddresses() []net.Addr { return m.advertised }

// GetConn returns the connection of one agent (by ufrag) for one advertised address.
func (m *advertisingMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	conn, err := m.UDPMuxDefault.GetConn(ufrag, m.bound(addr))
	if err != nil || m.reads(addr) {
		return conn, err
	}
	return newWriteOnly(conn), nil
}

// bound returns the address pion's mux accepts for a candidate address: the
// socket's own if it is bound to one, any of the right family otherwise.
func (m *advertisingMux) bound(addr net.Addr) net.Addr {
	if u, ok := m.local.(*net.UDPAddr); ok && !u.IP.IsUnspecified() {
		return m.local
	}
	return addr
}

// reads reports whether addr is the first advertised address of its family.
func (m *advertisingMux) reads(addr net.Addr) bool {
	for _, a := range m.advertised {
		if isIPv4(a) == isIPv4(addr) {
			return a.String() == addr.String()
		}
	}
	return true
}

func isIPv4(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return ok && u.IP.To4() != nil
}

// writeOnly is a connection whose reads block until it is closed.
type writeOnly struct {
	net.PacketConn
	once   sync.Once
	closed chan struct{}
}

func newWriteOnly(conn net.PacketConn) net.PacketConn {
	w := &writeOnly{PacketConn: conn, closed: make(chan struct{})}
	if ap, ok := conn.(ice.AddrPortReaderWriter); ok {
		return &writeOnlyAddrPort{writeOnly: w, writer: ap}
	}
	return w
}

func (w *writeOnly) ReadFrom([]byte) (int, net.Addr, error) {
	<-w.closed
	return 0, nil, net.ErrClosed
}

func (w *writeOnly) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		w.stop() // pion ends a reader by a deadline in the past
	}
	return nil
}

func (w *writeOnly) SetDeadline(t time.Time) error { return w.SetReadDeadline(t) }

func (w *writeOnly) Close() error {
	w.stop()
	return w.PacketConn.Close()
}

func (w *writeOnly) stop() { w.once.Do(func() { close(w.closed) }) }

// writeOnlyAddrPort keeps pion's allocation-free write path.
type writeOnlyAddrPort struct {
	*writeOnly
	writer ice.AddrPortReaderWriter
}

func (w *writeOnlyAddrPort) ReadFromAddrPort([]byte) (int, netip.AddrPort, error) {
	<-w.closed
	return 0, netip.AddrPort{}, net.ErrClosed
}

func (w *writeOnlyAddrPort) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return w.writer.WriteToAddrPort(b, to)
}
