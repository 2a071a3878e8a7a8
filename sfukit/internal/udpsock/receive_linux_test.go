package udpsock_test

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// One system call reads what has come.
func TestReceiveBatch(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	const burst = 40 // a full batch of 32 and one of 8
	for i := range burst {
		if _, err := u.WriteToUDPAddrPort(fmt.Appendf(nil, "%d", i), addrOf(c)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range burst {
		b := make([]byte, 10)
		n, from, err := c.ReadFromAddrPort(b)
		if err != nil || string(b[:n]) != fmt.Sprint(i) || from != addrOf(u) {
			t.Fatalf("read %q from %v, %v, want \"%d\" from %v", b[:n], from, err, i, addrOf(u))
		}
	}
	if s := c.Stats(); s.ReadBatches != 2 || s.DatagramsIn != burst {
		t.Errorf("%d batches, %d datagrams, want 2, %d", s.ReadBatches, s.DatagramsIn, burst)
	}
}

// A datagram that does not fit is dropped: cut, it could not be authenticated.
func TestReceiveTooLong(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	fits := strings.Repeat("y", udpsock.ReceiveSize)
	for _, p := range []string{fits + "y", fits} {
		if _, err := u.WriteToUDPAddrPort([]byte(p), addrOf(c)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 65536)
	n, _, err := c.ReadFromAddrPort(b)
	if err != nil || string(b[:n]) != fits {
		t.Errorf("read %d bytes, %v, want the datagram of %d", n, err, len(fits))
	}
	if s := c.Stats(); s.ReadTruncated != 1 || s.DatagramsIn != 1 || s.BytesIn != udpsock.ReceiveSize {
		t.Errorf("truncated %d, in %d of %d bytes, want 1, 1, %d", s.ReadTruncated, s.DatagramsIn, s.BytesIn, udpsock.ReceiveSize)
	}
}

func TestReceiveErrors(t *testing.T) {
	c, u := listen(t, "127.0.0.1:0"), peer(t)
	udpsock.FailReceive(c, syscall.ECONNREFUSED, syscall.EINTR, syscall.ENETUNREACH, syscall.EMSGSIZE)
	if _, err := u.WriteToUDPAddrPort([]byte("after"), addrOf(c)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, _, err := c.ReadFromAddrPort(b); err != nil || string(b[:n]) != "after" {
		t.Errorf("read = %q, %v, want \"after\"", b[:n], err)
	}
	if got := c.Stats().ReadErrors; got != 3 { // EINTR is none
		t.Errorf("ReadErrors = %d, want 3", got)
	}
	udpsock.FailReceive(c, syscall.ENOTSOCK)
	if _, _, err := c.ReadFromAddrPort(b); err != syscall.ENOTSOCK {
		t.Errorf("read = %v, want ENOTSOCK", err)
	}
}

// What the kernel discards for want of buffer is counted.
func TestReceiveDrops(t *testing.T) {
	c, err := udpsock.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udpsock.Config{ReceiveBuffer: 2048})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u := peer(t)
	const sent = 100
	for range sent {
		if _, err := u.WriteToUDPAddrPort(make([]byte, 1000), addrOf(c)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := c.ReadFromAddrPort(make([]byte, 1500)); err != nil {
		t.Fatal(err)
	}
	if s := c.Stats(); s.ReceiveDrops == 0 || s.ReceiveDrops+s.DatagramsIn != sent {
		t.Errorf("%d dropped by the kernel and %d read, want %d together", s.ReceiveDrops, s.DatagramsIn, sent)
	}
}

func TestSocketAddresses(t *testing.T) {
	for _, tc := range []struct {
		addr   string
		v4, v6 string // what comes back from a socket of that family; "" is out of reach
	}{
		{"192.0.2.1:258", "192.0.2.1:258", "192.0.2.1:258"},
		{"[2001:db8::1]:65535", "", "[2001:db8::1]:65535"},
		{"[fe80::1%7]:1", "", "[fe80::1%7]:1"},
		{"[fe80::1%lo]:1", "", "[fe80::1%1]:1"},
		{"[fe80::1%no-such-if]:1", "", "[fe80::1]:1"},
	} {
		for _, v6 := range []bool{false, true} {
			want := tc.v4
			if v6 {
				want = tc.v6
			}
			got := udpsock.RoundTrip(netip.MustParseAddrPort(tc.addr), v6)
			if got.IsValid() != (want != "") || want != "" && got != netip.MustParseAddrPort(want) {
				t.Errorf("address %s on a socket with IPv6 %v = %v, want %q", tc.addr, v6, got, want)
			}
		}
	}
}
