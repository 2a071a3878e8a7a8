package pionx

import (
	"io"
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	ptransport "github.com/pion/transport/v4"
)

// tcpMux is pion's mux for passive ICE-TCP (RFC 6544), with the addresses that
// candidates show taken out of its hands. Pion makes a candidate of every
// interface's address, whatever is advertised, and finds an accepted connection
// its candidate by the address it was accepted at, which behind a NAT is never
// the one advertised.
//
// Here the advertised addresses pass for the interfaces' (see network), and
// every connection of one family for accepted at the same address. As with UDP
// only the first address of a family reads.
type tcpMux struct {
	ice.TCPMux // pion's, behind the interface: it must not show its LocalAddr
	addrs      []netip.Addr
}

// newTCPMux serves the addresses among advertised that the listener can be
// reached at. It owns the listener.
func newTCPMux(l net.Listener, advertised []netip.AddrPort, log logging.LeveledLogger) *tcpMux {
	m := &tcpMux{TCPMux: ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: anyListener{l}, ReadBufferSize: 64, WriteBufferSize: 4 << 20, Logger: log,
	})}
	four, six := true, true
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		six = a.IP.To4() == nil
		four = !six || a.IP.IsUnspecified()
	}
	for _, a := range advertised {
		if ip := a.Addr(); ip.Is4() && four || ip.Is6() && six {
			m.addrs = append(m.addrs, ip)
		}
	}
	return m
}

// GetConnByUfrag returns the connection of one agent for one advertised address.
func (m *tcpMux) GetConnByUfrag(ufrag string, isIPv6 bool, local net.IP) (net.PacketConn, error) {
	conn, err := m.TCPMux.GetConnByUfrag(ufrag, isIPv6, anyIP(isIPv6))
	if err != nil {
		return nil, err
	}
	for _, a := range m.addrs {
		if a.Is6() == isIPv6 {
			if local.Equal(a.AsSlice()) {
				break
			}
			return newWriteOnly(conn), nil
		}
	}
	return tcpReader{conn}, nil
}

// network is a network whose only interface has the addresses of the mux.
func (m *tcpMux) network(n ptransport.Net) ptransport.Net {
	shown := ptransport.NewInterface(net.Interface{Index: 1, Name: "advertised", Flags: net.FlagUp})
	for _, a := range m.addrs {
		shown.AddAddress(&net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(a.BitLen(), a.BitLen())})
	}
	return oneInterface{n, shown}
}

type oneInterface struct {
	ptransport.Net
	shown *ptransport.Interface
}

func (n oneInterface) Interfaces() ([]*ptransport.Interface, error) {
	return []*ptransport.Interface{n.shown}, nil
}

// tcpReader is what all TCP connections of one agent and family deliver. Pion
// reports the end of the last of them as an error, after which nobody would read
// the next; a client whose connection broke makes a new one.
type tcpReader struct{ net.PacketConn }

func (r tcpReader) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := r.PacketConn.ReadFrom(b)
		switch {
		case err == nil:
			return n, from, nil
		case from == nil: // it is not of one client, but the agent's end
			return 0, nil, io.EOF
		}
	}
}

// anyListener hands out connections that say they were accepted at the
// unspecified address of their family.
type anyListener struct{ net.Listener }

func (l anyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return anyConn{conn}, nil
}

type anyConn struct{ net.Conn }

func (c anyConn) LocalAddr() net.Addr {
	local, ok := c.Conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return c.Conn.LocalAddr()
	}
	return &net.TCPAddr{IP: anyIP(local.IP.To4() == nil), Port: local.Port}
}

func anyIP(isIPv6 bool) net.IP {
	if isIPv6 {
		return net.IPv6unspecified
	}
	return net.IPv4zero
}
