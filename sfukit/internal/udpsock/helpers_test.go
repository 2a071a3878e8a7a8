package udpsock_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

func listen(t testing.TB, addr string) *udpsock.Conn {
	t.Helper()
	c, err := udpsock.Listen(netip.MustParseAddrPort(addr), udpsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func addrOf(c net.PacketConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// peer returns a socket of the standard library on the IPv4 loopback.
func peer(t testing.TB) *net.UDPConn {
	t.Helper()
	u, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}

// read reads one datagram from a peer, and fails instead of waiting for ever.
func read(t testing.TB, u net.PacketConn) string {
	t.Helper()
	if err := u.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	n, _, err := u.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func write(t testing.TB, c *udpsock.Conn, p string, to netip.AddrPort) {
	t.Helper()
	if n, err := c.WriteToAddrPort([]byte(p), to); n != len(p) || err != nil {
		t.Fatalf("WriteToAddrPort(%d bytes, %v) = %d, %v, want %d, nil", len(p), to, n, err, len(p))
	}
}

// nothing fails the test if a datagram has arrived at u. Loopback delivers
// within the sending system call, so what was sent would be there.
func nothing(t testing.TB, u *net.UDPConn) {
	t.Helper()
	if err := u.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 65536)
	if n, _, err := u.ReadFrom(b); err == nil {
		t.Fatalf("got %q, want nothing yet", b[:n])
	}
}
