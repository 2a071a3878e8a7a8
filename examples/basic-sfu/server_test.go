package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// startDemo runs the demo in this process, on free ports, until the test ends,
// and returns the address of its page without a slash at the end.
func startDemo(t *testing.T, change ...func(*config)) string {
	url, _ := startServer(t, change...)
	return url
}

// startServer is startDemo for tests that look behind the page.
func startServer(t *testing.T, change ...func(*config)) (string, *server) {
	t.Helper()
	cfg, err := parseFlags([]string{"-udp-port", "-1"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := newServer(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		s.goAway() // or web.Close would wait for the sessions
		web.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return web.URL, s
}

func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestPages(t *testing.T) {
	base := startDemo(t)
	for _, tc := range []struct {
		path        string
		status      int
		contentType string
		contains    string
	}{
		{"/", 200, "text/html", "<html"},
		{"/?room=x", 200, "text/html", "<html"},
		{"/app.js", 200, "text/javascript", "import"},
		{"/healthz", 200, "text/plain", "ok"},
		{"/debug/rooms", 200, "application/json", `"rooms"`},
		{"/debug/explain?room=x&peer=y", 400, "text/plain", "number"},
		{"/debug/explain?room=x&peer=1", 404, "text/plain", "no such peer"},
		{"/nothing", 404, "text/plain", ""},
		{"/sfu/ws/room", 426, "text/plain", ""},
		{"/sfu/ws/" + strings.Repeat("x", 257), 400, "text/plain", "256"},
	} {
		status, header, body := get(t, base+tc.path)
		if status != tc.status || !strings.HasPrefix(header.Get("Content-Type"), tc.contentType) || !strings.Contains(body, tc.contains) {
			t.Errorf("GET %.30s: %d, %s, %.60q, want %d, %s, with %q", tc.path, status, header.Get("Content-Type"), body,
				tc.status, tc.contentType, tc.contains)
		}
	}
}

// Every metric is announced once, named sfu_*, and every label set is bounded.
func TestMetrics(t *testing.T) {
	base := startDemo(t)
	_, header, body := get(t, base+"/metrics")
	if got := header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("content type %q", got)
	}
	sample := regexp.MustCompile(`^(sfu_[a-z_]+)(\{(outcome|reason|close_code|term|mode|binding)="[a-z0-9_]+"\})? [0-9]+$`)
	announced := map[string]string{}
	samples := 0
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if f := strings.Fields(line); strings.HasPrefix(line, "# TYPE ") {
			if announced[f[2]] != "" {
				t.Errorf("%s is announced twice", f[2])
			}
			announced[f[2]] = f[3]
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || announced[m[1]] == "" {
			t.Errorf("not a sample of an announced metric: %s", line)
			continue
		}
		if (announced[m[1]] == "counter") != strings.HasSuffix(m[1], "_total") {
			t.Errorf("%s is a %s", m[1], announced[m[1]])
		}
		samples++
	}
	if samples < 50 {
		t.Errorf("%d samples:\n%s", samples, body)
	}
	for _, want := range []string{
		"sfu_active_rooms 0", `sfu_client_ws_session_ended_total{close_code="4031"} 0`, `sfu_client_disconnect_total{reason="ice_failed"} 0`,
		`sfu_participants_by_estimate_term{term="alr"} 0`, `sfu_participants_by_video_mode{mode="suspended"} 0`, `sfu_tracks_bound{binding="priority"} 0`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

func dial(t *testing.T, base, room string) *signal.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := signal.Dial(ctx, "ws"+strings.TrimPrefix(base, "http")+"/sfu/ws/"+room, signal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(signal.CloseNormal, "") })
	return c
}

func TestBadOfferIsRefused(t *testing.T) {
	base, s := startServer(t)
	c := dial(t, base, "a%2Fb")
	if err := c.Send(signal.Offer{SDP: "v=0"}); err != nil {
		t.Fatal(err)
	}
	if f, err := c.Read(context.Background()); err == nil {
		t.Fatalf("got %#v, want the end", f)
	}
	if got := c.Status(); got.Code != signal.CloseBadOffer {
		t.Errorf("closed with %v, want 4002", got)
	}
	s.sessions.Wait()
	if n := s.stats.Snapshot().Offers["sdp_err"]; n != 1 {
		t.Errorf("%d bad offers counted, want 1", n)
	}
}

func TestShutdownTellsClients(t *testing.T) {
	base, s := startServer(t)
	c := dial(t, base, "den")
	s.goAway()
	if f, err := c.Read(context.Background()); err != nil || f != (signal.GoAway{Reason: "shutdown"}) {
		t.Fatalf("got %#v, %v, want goaway", f, err)
	}
	if f, err := c.Read(context.Background()); err == nil {
		t.Fatalf("got %#v, want the end", f)
	}
	if got := c.Status(); got.Code != signal.CloseGoingAway {
		t.Errorf("closed with %v, want 1001", got)
	}
}

func TestDebugRoomsIsJSON(t *testing.T) {
	_, _, body := get(t, startDemo(t)+"/debug/rooms")
	var stats sfukit.Stats
	if err := json.Unmarshal([]byte(body), &stats); err != nil || stats.Rooms == nil {
		t.Errorf("%v in %s", err, body)
	}
}

func TestFlags(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string // in the error; "" for none
	}{
		{nil, ""},
		{[]string{"-https", "-public-ip", "192.0.2.1, 2001:db8::1", "-max-peers", "4", "-tcp-port", "0"}, ""},
		{[]string{"-addr", "8080"}, `-addr is "8080", want host:port`},
		{[]string{"-https-addr", "x"}, `-https-addr is "x", want host:port`},
		{[]string{"-addr", "127.0.0.1:99999"}, `-addr is "127.0.0.1:99999", want a port of 1 to 65535`},
		{[]string{"-https-addr", ":x"}, `-https-addr is ":x", want a port of 1 to 65535`},
		{[]string{"-udp-port", "0"}, "-udp-port is 0"},
		{[]string{"-udp-port", "70000"}, "-udp-port is 70000"},
		{[]string{"-udp-port", "x"}, "invalid value"},
		{[]string{"-tcp-port", "-2"}, "-tcp-port is -2"},
		{[]string{"-max-peers", "-1"}, "-max-peers is -1"},
		{[]string{"-audio-top-n", "3", "-video-last-n", "9"}, ""},
		{[]string{"-audio-top-n", "-1"}, "-audio-top-n is -1"},
		{[]string{"-video-last-n", "-1"}, "-video-last-n is -1"},
		{[]string{"-public-ip", "here"}, `-public-ip has "here"`},
		{[]string{"-public-ip", "192.0.2.1,"}, `-public-ip has ""`},
		{[]string{"-public-ip", "0.0.0.0"}, `-public-ip has "0.0.0.0"`},
		{[]string{"-public-ip", "ff02::1"}, `-public-ip has "ff02::1"`},
		{[]string{"-public-ip", "2001:db8::1,2001:db8::2"}, `-public-ip is "2001:db8::1,2001:db8::2"`},
		{[]string{"-nonsense"}, "-nonsense"},
		{[]string{"lobby"}, `unexpected argument "lobby"`},
	} {
		cfg, err := parseFlags(tc.args, io.Discard)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%q: %v", tc.args, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%q: %+v, %v, want an error with %q", tc.args, cfg, err, tc.want)
		}
	}
	cfg, _ := parseFlags([]string{"-public-ip", "192.0.2.1, 2001:db8::1"}, io.Discard)
	if want := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}; len(cfg.publicIPs) != 2 ||
		cfg.publicIPs[0] != want[0] || cfg.publicIPs[1] != want[1] {
		t.Errorf("public addresses %v, want %v", cfg.publicIPs, want)
	}
}

func TestReachesLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "localhost:80": true, ":80": true, "[::1]:80": true, "0.0.0.0:80": true, "192.0.2.1:80": false,
	} {
		if got := reachesLoopback(addr); got != want {
			t.Errorf("reachesLoopback(%q) = %v, want %v", addr, got, want)
		}
	}
}

// runDemo runs the whole program with a context that has ended already, so that
// it starts, stops and returns.
func runDemo(args ...string) (code int, stdout, stderr string) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	media, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	_, tcpPort, _ := net.SplitHostPort(busy.Addr().String())
	_, udpPort, _ := net.SplitHostPort(media.LocalAddr().String())
	free := []string{"-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0", "-udp-port", "-1"}
	for _, tc := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"runs", free, 0, "open http://127.0.0.1:", ""},
		{"https", append(free, "-https"), 0, "open https://127.0.0.1:", ""},
		{"help", []string{"-h"}, 0, "-udp-port", ""},
		{"port out of range", []string{"-addr", "127.0.0.1:99999"}, 2, "", `-addr is "127.0.0.1:99999"`},
		{"flag", []string{"-x"}, 2, "", "basic-sfu: flag provided but not defined: -x"},
		{"two addresses of a family", append(free, "-public-ip", "192.0.2.1,192.0.2.2"), 2, "", `-public-ip is "192.0.2.1,192.0.2.2", want at most one IPv4 and one IPv6 address`},
		{"busy web port", append(free, "-addr", busy.Addr().String()), 1, "", "address already in use; choose another with -addr\n"},
		{"busy secure port", append(free, "-https", "-https-addr", busy.Addr().String()), 1, "", "address already in use; choose another with -https-addr\n"},
		{"busy media port", append(free, "-udp-port", udpPort), 1, "", "; choose another with -udp-port\n"},
		{"busy media port for TCP", append(free, "-tcp-port", tcpPort), 1, "", "; choose another with -tcp-port\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := runDemo(tc.args...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("exit %d\nstdout %s\nstderr %s\nwant %d, %q, %q", code, stdout, stderr, tc.code, tc.stdout, tc.stderr)
			}
			if lines := strings.Count(stderr, "\n"); code != 0 && lines != 1 {
				t.Errorf("%d lines on stderr, want 1:\n%s", lines, stderr)
			}
		})
	}
}

func TestCertificate(t *testing.T) {
	now := time.Now()
	cert, err := selfSigned(now)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range append(interfaceAddresses(), "localhost", "127.0.0.1", "::1") {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if now.Before(leaf.NotBefore) || now.AddDate(0, 0, 29).After(leaf.NotAfter) {
		t.Errorf("valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	}
}
