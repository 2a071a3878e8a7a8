package pionx_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// TestLastErrorOfDTLS gives the client a fingerprint that is not its own.
func TestLastErrorOfDTLS(t *testing.T) {
	h := newListener()
	conn, pc := newConn(t, h), newClient(t, false)
	digits := regexp.MustCompile(`(a=fingerprint:sha-256 )\S+`)
	wrong := "${1}" + strings.TrimSuffix(strings.Repeat("00:", 32), ":")
	connect(t, conn, pc, func(s string) string { return digits.ReplaceAllString(s, wrong) })
	h.await(t, transport.DTLSFailed)
	conn.Close()
	if got := conn.LastError(); !strings.Contains(got, "fingerprint") || len(got) > 200 || strings.ContainsAny(got, "\r\n") {
		t.Errorf("LastError %q, want one short line about the fingerprint", got)
	}
}

func TestMalformed(t *testing.T) {
	h := newListener()
	conn, pc := newConn(t, h), newClient(t, false)
	connect(t, conn, pc, same)
	h.await(t, transport.Connected)
	short := rtcp.RawPacket{0x81, byte(rtcp.TypePayloadSpecificFeedback), 0, 1, 0, 0, 0, 7} // a PLI that names no media
	for deadline := time.Now().Add(patience); ; {
		if err := pc.WriteRTCP([]rtcp.Packet{&short}); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("send RTCP: %v", err) // the client may be a little behind
		}
	}
	select {
	case <-h.malformed:
	case <-time.After(patience):
		t.Fatalf("RTCP that cannot be parsed went unnoticed for %s", patience)
	}
	if n := h.reports.Load(); n != 0 {
		t.Errorf("%d packets delivered of it, want 0", n)
	}
	if got := conn.LastError(); got != "" {
		t.Errorf("LastError of a sound connection is %q, want none", got)
	}
}

func TestCheckCandidate(t *testing.T) {
	for _, test := range []struct {
		attribute string
		good      bool
	}{
		{"candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host", true},
		{"candidate:1 1 tcp 1518280447 2001:db8::7 9 typ host tcptype active", true},
		{"candidate:1 1 udp 2130706431 192.0.2.7", false},
		{"candidate:1 1 udp 2130706431 192.0.2.7 70000 typ host", false},
		{"", false},
	} {
		if err := pionx.CheckCandidate(test.attribute); (err == nil) != test.good {
			t.Errorf("CheckCandidate(%q) = %v, want good %t", test.attribute, err, test.good)
		}
	}
}
