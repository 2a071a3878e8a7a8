package udpsock_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// What pion's mux takes, and what it looks for so as not to allocate addresses.
var (
	_ net.PacketConn           = (*udpsock.Conn)(nil)
	_ ice.AddrPortReaderWriter = (*udpsock.Conn)(nil)
)

func haveIPv6() bool {
	u, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = u.Close()
	return true
}

func TestFamilies(t *testing.T) {
	for _, tc := range []struct{ name, bind, peer string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1:0"},
		{"IPv4 wildcard", "0.0.0.0:0", "127.0.0.1:0"},
		{"IPv4 bound as mapped", "[::ffff:127.0.0.1]:0", "127.0.0.1:0"},
		{"IPv6", "[::1]:0", "[::1]:0"},
		{"IPv4 peer of a dual-stack socket", "[::]:0", "127.0.0.1:0"},
		{"IPv6 peer of a dual-stack socket", "[::]:0", "[::1]:0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if strings.Contains(tc.bind+tc.peer, "[::]") || strings.Contains(tc.bind+tc.peer, "[::1]") {
				if !haveIPv6() {
					t.Log("this system has no IPv6")
					return
				}
			}
			c := listen(t, tc.bind)
			u, err := net.ListenPacket("udp", tc.peer)
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			host := u.LocalAddr().(*net.UDPAddr).IP
			server := &net.UDPAddr{IP: host, Port: c.LocalAddr().(*net.UDPAddr).Port}
			if _, err := u.WriteTo([]byte("ping"), server); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1500)
			n, from, err := c.ReadFromAddrPort(b)
			if err != nil || string(b[:n]) != "ping" || from != addrOf(u) {
				t.Fatalf("read %q from %v, %v, want \"ping\" from %v", b[:n], from, err, addrOf(u))
			}
			mapped := netip.AddrPortFrom(netip.AddrFrom16(from.Addr().As16()), from.Port())
			for _, to := range []netip.AddrPort{from, mapped} {
				write(t, c, "direct", to)
				if got := read(t, u); got != "direct" {
					t.Errorf("peer %v got %q, want \"direct\"", to, got)
				}
				c.Cork()
				write(t, c, "corked", to)
				c.Uncork()
				if got := read(t, u); got != "corked" {
					t.Errorf("peer %v got %q, want \"corked\"", to, got)
				}
			}
			if _, err := c.WriteTo([]byte("addr"), u.LocalAddr()); err != nil {
				t.Fatal(err)
			}
			if got := read(t, u); got != "addr" {
				t.Errorf("peer got %q by WriteTo, want \"addr\"", got)
			}
		})
	}
}

func TestReadFrom(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	for _, p := range []string{"whole", "cut short", ""} {
		if _, err := u.WriteToUDPAddrPort([]byte(p), addrOf(c)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"whole", "cut s", ""} {
		b := make([]byte, 5)
		n, from, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != want || from.String() != u.LocalAddr().String() {
			t.Errorf("ReadFrom = %q, %v, %v, want %q, %v", b[:n], from, err, want, u.LocalAddr())
		}
	}
	s := c.Stats()
	if s.DatagramsIn != 3 || s.BytesIn != 14 {
		t.Errorf("Stats in = %d datagrams, %d bytes, want 3, 14", s.DatagramsIn, s.BytesIn)
	}
}

func TestLargeDatagrams(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	for _, corked := range []bool{false, true} {
		for _, size := range []int{1472, 1473, 9000, 65507} {
			p := strings.Repeat("x", size)
			if corked {
				c.Cork()
			}
			write(t, c, p, addrOf(u))
			if corked {
				c.Uncork()
			}
			if got := read(t, u); got != p {
				t.Errorf("corked %v: peer got %d bytes, want %d", corked, len(got), size)
			}
		}
	}
	write(t, c, strings.Repeat("x", 65508), addrOf(u))
	if got := c.Stats().Dropped[udpsock.DropTooLarge]; got != 1 {
		t.Errorf("dropped as too large = %d, want 1", got)
	}
}

func TestCloseEndsRead(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	done := make(chan error)
	go func() {
		_, _, err := c.ReadFromAddrPort(make([]byte, 1500))
		done <- err
	}()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v, want nil", err)
		}
	}
	if err := <-done; err != net.ErrClosed {
		t.Errorf("read during Close = %v, want net.ErrClosed", err)
	}
	if _, _, err := c.ReadFromAddrPort(nil); err != net.ErrClosed {
		t.Errorf("read after Close = %v, want net.ErrClosed", err)
	}
	if _, err := c.WriteToAddrPort(nil, netip.MustParseAddrPort("127.0.0.1:9")); err != net.ErrClosed {
		t.Errorf("write after Close = %v, want net.ErrClosed", err)
	}
	c.Stats() // must not fail on a closed socket
}

func TestCloseDropsCorked(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	c.Cork()
	write(t, c, "late", addrOf(u))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c.Uncork()
	nothing(t, u)
	if got := c.Stats().Dropped[udpsock.DropClosed]; got != 1 {
		t.Errorf("dropped as closed = %d, want 1", got)
	}
}

func TestDeadlines(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	past := time.Unix(1, 0)
	if err := c.SetDeadline(past); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadFromAddrPort(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read past the deadline = %v, want os.ErrDeadlineExceeded", err)
	}
	if err := c.SetWriteDeadline(past); err != nil {
		t.Fatal(err)
	}
	write(t, c, "still", addrOf(u))
	if got := read(t, u); got != "still" {
		t.Errorf("peer got %q, want \"still\"", got)
	}
}

func TestBadDestination(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	for _, to := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.1:0")} {
		if _, err := c.WriteToAddrPort([]byte("x"), to); err != udpsock.ErrAddress {
			t.Errorf("WriteToAddrPort to %v = %v, want ErrAddress", to, err)
		}
	}
	for _, to := range []net.Addr{nil, (*net.UDPAddr)(nil), &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.UDPAddr{Port: 9}} {
		if _, err := c.WriteTo([]byte("x"), to); err != udpsock.ErrAddress {
			t.Errorf("WriteTo %#v = %v, want ErrAddress", to, err)
		}
	}
	// An IPv4 socket cannot reach an IPv6 peer; that is counted, corked or not.
	write(t, c, "x", netip.MustParseAddrPort("[2001:db8::1]:9"))
	c.Cork()
	write(t, c, "x", netip.MustParseAddrPort("[2001:db8::1]:9"))
	c.Uncork()
	if got := c.Stats().Dropped[udpsock.DropAddress]; got != 8 {
		t.Errorf("dropped for the address = %d, want 8", got)
	}
}

func TestListenErrors(t *testing.T) {
	loopback := netip.MustParseAddrPort("127.0.0.1:0")
	for _, tc := range []struct {
		addr netip.AddrPort
		cfg  udpsock.Config
		want string
	}{
		{netip.AddrPort{}, udpsock.Config{}, "address invalid"},
		{loopback, udpsock.Config{ReceiveBuffer: -1}, "Config.ReceiveBuffer -1"},
		{loopback, udpsock.Config{SendBuffer: -2}, "Config.SendBuffer -2"},
		{netip.MustParseAddrPort("192.0.2.1:0"), udpsock.Config{}, "listen on UDP 192.0.2.1:0"},
	} {
		c, err := udpsock.Listen(tc.addr, tc.cfg)
		if err == nil {
			t.Errorf("Listen(%v, %+v) = %v, want an error", tc.addr, tc.cfg, c)
		} else if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Listen(%v, %+v) = %q, want it to say %q", tc.addr, tc.cfg, err, tc.want)
		}
	}
}

func TestBufferSizes(t *testing.T) {
	c, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"),
		udpsock.Config{ReceiveBuffer: 100_000, SendBuffer: 50_000})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s := c.Stats(); s.ReceiveBuffer != 100_000 || s.SendBuffer != 50_000 {
		t.Errorf("buffers = %d, %d, want 100000, 50000", s.ReceiveBuffer, s.SendBuffer)
	}
}

func TestDropString(t *testing.T) {
	seen := map[string]bool{}
	for d := range udpsock.NumDrops {
		s := udpsock.Drop(d).String()
		if seen[s] || s == "" || (d == 0) != (s == "unknown") {
			t.Errorf("Drop(%d) = %q, want a word of its own", d, s)
		}
		seen[s] = true
	}
	if got := udpsock.Drop(200).String(); got != "unknown" {
		t.Errorf("Drop(200) = %q, want \"unknown\"", got)
	}
}
