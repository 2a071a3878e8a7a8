package sfukit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

func TestICERestart(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	other := camera(t, reg, "room", 1)
	viewer := camera(t, reg, "room", 2)
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.flows(mid, 5)
	for round := range 2 {
		before := viewer.pc.LocalDescription().SDP
		viewer.renegotiateWith(&webrtc.OfferOptions{ICERestart: true})
		if was, is := attribute(before, "ice-ufrag"), attribute(viewer.pc.LocalDescription().SDP, "ice-ufrag"); was == is {
			t.Fatalf("round %d: the user fragment is still %s: no restart", round, is)
		}
		viewer.flows(mid, 20)
	}
	other.flows(other.from(2, sfukit.KindVideo), 20)
	if n := len(viewer.peer.Room().Peers()); n != 2 {
		t.Errorf("%d peers after restarts, want 2", n)
	}
}

// attribute returns the first value of an attribute in a description.
func attribute(sdp, name string) string {
	_, rest, _ := strings.Cut(sdp, "a="+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func TestTrickledCandidates(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	peer := camera(t, reg, "room", 1).peer
	const host = "candidate:1 1 udp 2130706431 192.0.2.7 50000 typ host"
	for _, test := range []struct {
		name      string
		candidate *sfukit.ICECandidate
		bad       bool
	}{
		{"no more", nil, false},
		{"empty: no more", &sfukit.ICECandidate{SDPMid: ptr("0")}, false},
		{"host", &sfukit.ICECandidate{Candidate: host}, false},
		{"with everything", &sfukit.ICECandidate{
			Candidate: host + " ufrag abcd generation 0", SDPMid: ptr("0"), SDPMLineIndex: ptr(uint16(0)), UsernameFragment: ptr("abcd"),
		}, false},
		{"of a mid that is not there", &sfukit.ICECandidate{Candidate: host, SDPMid: ptr("77")}, false},
		{"mDNS", &sfukit.ICECandidate{Candidate: "candidate:1 1 udp 1 0f2f5d0a-4a6f-4c0e-8d5f-2c1c8ad1ab1e.local 50000 typ host"}, false},
		{"TCP", &sfukit.ICECandidate{Candidate: "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active"}, false},
		{"relay", &sfukit.ICECandidate{Candidate: "candidate:1 1 udp 1 2001:db8::7 50000 typ relay raddr 192.0.2.7 rport 4"}, false},
		{"nonsense", &sfukit.ICECandidate{Candidate: "nonsense"}, true},
		{"cut short", &sfukit.ICECandidate{Candidate: "candidate:1 1 udp 2130706431 192.0.2.7"}, true},
		{"bad port", &sfukit.ICECandidate{Candidate: "candidate:1 1 udp 1 192.0.2.7 70000 typ host"}, true},
		{"too long", &sfukit.ICECandidate{Candidate: host + strings.Repeat(" x y", 200)}, true},
	} {
		before := reg.Stats().Counters.BadCandidates
		err := peer.AddICECandidate(test.candidate)
		counted := reg.Stats().Counters.BadCandidates - before
		if errors.Is(err, sfukit.ErrBadCandidate) != test.bad || err != nil && !test.bad || (counted == 1) != test.bad {
			t.Errorf("%s: error %v and %d counted, want bad %t", test.name, err, counted, test.bad)
		}
	}
}

// candidates returns the transport, address and port of the answer's candidates
// for RTP, in order.
func candidates(answer string) (out []string) {
	for line := range strings.Lines(answer) {
		f := strings.Fields(line)
		if strings.HasPrefix(line, "a=candidate:") && f[1] == "1" {
			out = append(out, f[2]+" "+net.JoinHostPort(f[4], f[5]))
		}
	}
	return out
}

func TestAdvertisedAddresses(t *testing.T) {
	t.Parallel()
	addrs := func(s ...string) (out []netip.Addr) {
		for _, a := range s {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	for _, test := range []struct {
		name string
		bind string
		set  func(*sfukit.Config)
		want []string
	}{
		{"bind address", "127.0.0.1", func(*sfukit.Config) {}, []string{"127.0.0.1"}},
		{"public instead of bind", "127.0.0.1", func(c *sfukit.Config) { c.PublicIPs = addrs("203.0.113.5") }, []string{"203.0.113.5"}},
		{"public and local", "0.0.0.0", func(c *sfukit.Config) {
			c.PublicIPs, c.LocalIP = addrs("203.0.113.5"), netip.MustParseAddr("10.1.2.3")
		}, []string{"203.0.113.5", "10.1.2.3"}},
		{"local same as public", "0.0.0.0", func(c *sfukit.Config) {
			c.PublicIPs, c.LocalIP = addrs("10.1.2.3"), netip.MustParseAddr("10.1.2.3")
		}, []string{"10.1.2.3"}},
		{"both families and local", "", func(c *sfukit.Config) {
			c.PublicIPs, c.LocalIP = addrs("203.0.113.5", "2001:db8::5"), netip.MustParseAddr("192.168.7.7")
		}, []string{"203.0.113.5", "2001:db8::5", "192.168.7.7"}},
		{"local beside bind", "127.0.0.1", func(c *sfukit.Config) { c.LocalIP = netip.MustParseAddr("10.1.2.3") }, []string{"127.0.0.1", "10.1.2.3"}},
		{"wildcard", "0.0.0.0", func(*sfukit.Config) {}, interfaceAddresses(t, false)},
		{"wildcard with loopback", "0.0.0.0", func(c *sfukit.Config) { c.IncludeLoopback = true }, interfaceAddresses(t, true)},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := newRegistry(t, func(c *sfukit.Config) { c.BindAddress = test.bind; test.set(c) })
			port := reg.UDPAddr().Port()
			var want, advertised []string
			for _, a := range test.want {
				want = append(want, fmt.Sprintf("udp %s", net.JoinHostPort(a, fmt.Sprint(port))))
			}
			for _, a := range reg.Advertised() {
				advertised = append(advertised, "udp "+a.String())
			}
			if !slices.Equal(advertised, want) {
				t.Errorf("Advertised says %v, want %v", advertised, want)
			}
			answer := answerTo(t, reg)
			// Pion lists one family after the other, each in order.
			byFamily := func(a, b string) int { return strings.Count(a, "[") - strings.Count(b, "[") }
			slices.SortStableFunc(want, byFamily)
			got := candidates(answer)
			slices.SortStableFunc(got, byFamily)
			if !slices.Equal(got, want) {
				t.Errorf("the answer has candidates %v, want %v", got, want)
			}
			if !strings.Contains(answer, "a=ice-lite\r\n") {
				t.Error("the answer does not say that we are ICE-lite")
			}
		})
	}
}

// answerTo joins a client that never connects and returns the answer it gets.
func answerTo(t *testing.T, reg *sfukit.Registry) string {
	t.Helper()
	peer, answer, err := reg.Join(context.Background(), sfukit.Join{Room: "answer", ID: 1, Offer: plainOffer(t)})
	if err != nil {
		t.Fatal(err)
	}
	peer.Close()
	return answer
}

// plainOffer is the offer of a client with a microphone and two cameras.
func plainOffer(t testing.TB) string {
	t.Helper()
	pc, err := newClientAPI(t, nil).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pc.GracefulClose() }()
	if _, err := pc.CreateDataChannel("", nil); err != nil {
		t.Fatal(err)
	}
	addTrack(t, pc, webrtc.MimeTypeOpus, "mic")
	addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	addTrack(t, pc, webrtc.MimeTypeVP8, "screen", "q", "h", "f")
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return offer.SDP
}

// interfaceAddresses is what a wildcard bind has to show: the IPv4 addresses of
// the interfaces that are up; loopback last, if asked for or alone.
func interfaceAddresses(t *testing.T, loopback bool) (out []string) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var inner []string
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			p := netip.MustParsePrefix(a.String()).Addr()
			switch {
			case i.Flags&net.FlagUp == 0 || !p.Is4():
			case p.IsLoopback():
				inner = append(inner, p.String())
			case !p.IsLinkLocalUnicast():
				out = append(out, p.String())
			}
		}
	}
	if loopback || len(out) == 0 {
		out = append(out, inner...)
	}
	return out
}

// TestTwoCandidatesKeepOrder sends bursts to a socket that is advertised twice.
// Two readers of one queue would let packets overtake each other.
func TestTwoCandidatesKeepOrder(t *testing.T) {
	for _, test := range []struct{ name, public, local string }{
		{"through the first", "127.0.0.1", "10.255.255.254"},
		{"through the second", "192.0.2.1", "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := newRegistry(t, func(c *sfukit.Config) {
				c.PublicIPs, c.LocalIP = []netip.Addr{netip.MustParseAddr(test.public)}, netip.MustParseAddr(test.local)
				c.BindAddress = "0.0.0.0"
			})
			var cam *source
			join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
				cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
			}})
			viewer := join(t, reg, "room", 2, clientConfig{})
			cam.feedback()
			mid := viewer.from(1, sfukit.KindVideo)
			viewer.wait("the first packet", func() bool {
				cam.frame(0, 1, 1800)
				return viewer.received[mid] != nil && len(viewer.received[mid].packets) > 0
			})
			const bursts, size = 625, 16
			start := reg.Stats().Counters.PacketsIn
			pace := time.NewTicker(2 * time.Millisecond) // lest socket buffers overflow
			defer pace.Stop()
			for range bursts {
				<-pace.C
				cam.frame(0, size, 1800)
			}
			viewer.wait("most packets at both ends", func() bool {
				return reg.Stats().Counters.PacketsIn-start > bursts*size*9/10 && len(viewer.received[mid].packets) > bursts*size/2
			})
			late, last := int64(0), 0
			for _, p := range viewer.packets(mid, 1) {
				_, frame, part := vp8Mark(p.Payload)
				if n := int(frame)*size + part; n < last {
					late++
				} else {
					last = n
				}
			}
			n := reg.Stats().Counters
			if again := n.Repaired + n.Resent; late > again {
				t.Errorf("%d packets came late, of which only %d had been lost and sent again", late, again)
			}
		})
	}
}

func TestAdvertisedTCPAddresses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, bind    string
		public, local string
		want          []string
	}{
		{"bind address", "127.0.0.1", "", "", []string{"127.0.0.1"}},
		{"public and local", "", "203.0.113.9", "10.1.2.3", []string{"203.0.113.9", "10.1.2.3"}},
		{"public instead of bind", "127.0.0.1", "203.0.113.9", "", []string{"203.0.113.9"}},
		{"a family the listener has not", "127.0.0.1", "2001:db8::5", "10.1.2.3", []string{"10.1.2.3"}},
		{"wildcard", "0.0.0.0", "", "", interfaceAddresses(t, false)},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := newRegistry(t, func(c *sfukit.Config) {
				c.BindAddress, c.ICETCPPort = test.bind, -1
				if test.public != "" {
					c.PublicIPs = []netip.Addr{netip.MustParseAddr(test.public)}
				}
				if test.local != "" {
					c.LocalIP = netip.MustParseAddr(test.local)
				}
			})
			answer := answerTo(t, reg)
			var got []string
			port := ""
			for _, c := range candidates(answer) {
				address, ok := strings.CutPrefix(c, "tcp ")
				if !ok {
					continue
				}
				host, p, err := net.SplitHostPort(address)
				if err != nil || port != "" && p != port || p == "0" {
					t.Errorf("candidate at %s (%v), want the listener's port, as the others", address, err)
				}
				got, port = append(got, host), p
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("the answer has TCP candidates at %v, want %v", got, test.want)
			}
			if n := strings.Count(answer, " typ host tcptype passive"); n < len(test.want) {
				t.Errorf("%d passive candidates, want %d", n, len(test.want))
			}
		})
	}
}

func TestICETCP(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		set  func(*sfukit.Config)
	}{
		{"bind address", func(*sfukit.Config) {}},
		{"second address", func(c *sfukit.Config) {
			c.PublicIPs = []netip.Addr{netip.MustParseAddr("203.0.113.9")}
			c.BindAddress, c.LocalIP = "", netip.MustParseAddr("127.0.0.1")
		}},
		{"loopback of a wildcard", func(c *sfukit.Config) { c.BindAddress, c.IncludeLoopback = "", true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			callOverTCP(t, newRegistry(t, func(c *sfukit.Config) { c.ICETCPPort = -1; test.set(c) }))
		})
	}
}

// callOverTCP lets two clients without UDP meet, and restarts ICE.
func callOverTCP(t *testing.T, reg *sfukit.Registry) {
	t.Helper()
	tcp := clientConfig{networks: []webrtc.NetworkType{webrtc.NetworkTypeTCP4}}
	viewer := join(t, reg, "room", 2, tcp)
	var cam *source
	tcp.prepare = func(pc *webrtc.PeerConnection) { cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam") }
	join(t, reg, "room", 1, tcp)
	cam.run(20*time.Millisecond, 2)
	mid := viewer.from(1, sfukit.KindVideo)
	checkContinuous(t, viewer.packets(mid, 50), 2)
	pair, err := viewer.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair.Remote.Protocol != webrtc.ICEProtocolTCP {
		t.Errorf("connected through %v (%v), want TCP", pair, err)
	}
	viewer.renegotiateWith(&webrtc.OfferOptions{ICERestart: true})
	viewer.flows(mid, 20)
}
