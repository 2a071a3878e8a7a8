package pionx_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
)

// check is a STUN binding request for the agent u (RFC 8489 section 5), framed
// for TCP (RFC 4571).
func check() []byte {
	b := []byte{0, 28, 0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42}
	b = append(b, make([]byte, 12)...) // transaction
	return append(b, 0, 6, 0, 3, 'u', ':', 'c', 0)
}

// TestTCPMux connects to a listener whose address is none of those advertised.
func TestTCPMux(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := func(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 1) }
	log := logging.NewDefaultLeveledLoggerForScope("", logging.LogLevelDisabled, io.Discard)
	mux := pionx.NewTCPMux(l, []netip.AddrPort{addr("2001:db8::5"), addr("203.0.113.9"), addr("10.1.2.3")}, log)
	var conns [2]net.PacketConn // of the advertised addresses the listener can have
	for i, a := range []string{"203.0.113.9", "10.1.2.3"} {
		if conns[i], err = mux.GetConnByUfrag("u", false, net.ParseIP(a)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 100)
	for round := range 3 { // a client comes again after its connection broke
		client, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := client.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write(check()); err != nil {
			t.Fatal(err)
		}
		n, from, err := conns[0].ReadFrom(b)
		if err != nil || n != 28 || from.String() != client.LocalAddr().String() {
			t.Fatalf("round %d: %d bytes from %v (%v), want 28 from %s", round, n, from, err, client.LocalAddr())
		}
		for i, c := range conns {
			if _, err := c.WriteTo([]byte{9, 9}, from); err != nil {
				t.Fatalf("round %d: write through address %d: %v", round, i, err)
			}
			if n, err := io.ReadFull(client, b[:4]); err != nil || binary.BigEndian.Uint16(b) != 2 {
				t.Fatalf("round %d: the client reads % x (%v), want a frame of 2 bytes", round, b[:n], err)
			}
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range conns {
		if err := c.Close(); err != nil {
			t.Errorf("close %d: %v", i, err)
		}
		if n, _, err := c.ReadFrom(b); err == nil {
			t.Errorf("%d bytes after the end of %d, want an error", n, i)
		}
	}
	if err := mux.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
