package sfukit_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// theatre is a real call whose audience has fallen asleep: the publisher and
// every subscriber are connected by ICE and DTLS and the tracks negotiated, then
// the subscribers stop reading their sockets. The node goes on sending SRTP that
// the kernel throws away, so a measurement of the process is one of the node.
type theatre struct {
	reg    *sfukit.Registry
	inject func(packet []byte)
	packet []byte
	seq    uint16
	ts     uint32
}

func openTheatre(t testing.TB, subscribers int) *theatre {
	t.Helper()
	// Silence must not count as a lost path while we measure.
	th := &theatre{reg: newRegistry(t, func(c *sfukit.Config) { c.DisconnectTimeout = time.Hour })}
	var cam *source
	publisher := join(t, th.reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	ssrc := uint32(cam.sender.GetParameters().Encodings[0].SSRC)
	publisher.wait("connection", func() bool { return publisher.peer.Stats().Connected })
	th.inject = sfukit.Inject(publisher.peer, ssrc)
	th.packet = vp8Packet(t, cam, ssrc)
	audience := make([]*seat, subscribers)
	for i := range subscribers {
		audience[i] = takeSeat(t, th.reg, sfukit.PeerID(i+2))
	}
	for _, a := range audience {
		a.wait("connection", func() bool { s := a.peer.Stats(); return s.Connected && len(s.Watched) == 1 })
	}
	deadline := time.Now().Add(patience)
	for th.send(true); th.reg.Stats().Counters.PacketsOut < int64(subscribers); th.send(true) {
		if time.Now().After(deadline) {
			t.Fatalf("%d packets for %d subscribers", th.reg.Stats().Counters.PacketsOut, subscribers)
		}
		<-time.After(20 * time.Millisecond)
	}
	for _, a := range audience {
		a.socket.asleep.Store(true)
	}
	return th
}

// vp8Packet is a packet as the publisher's client would send it, 1100 bytes of
// payload, an inter frame.
func vp8Packet(t testing.TB, cam *source, ssrc uint32) []byte {
	t.Helper()
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: ssrc, Marker: true}
	for _, e := range cam.sender.GetParameters().HeaderExtensions {
		if e.URI == "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" {
			_ = h.SetExtension(uint8(e.ID), []byte{0, 0})
		}
	}
	payload := make([]byte, 1100)
	copy(payload, []byte{0x90, 0xc0, 0x80, 0, 0, 0x11, 0x02, 0})
	b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send delivers the next frame to the node.
func (th *theatre) send(key bool) {
	b := th.packet
	th.seq++
	th.ts += 3000
	binary.BigEndian.PutUint16(b[2:], th.seq)
	binary.BigEndian.PutUint32(b[4:], th.ts)
	payload := b[len(b)-1100:]
	binary.BigEndian.PutUint16(payload[2:], 0x8000|th.seq&0x7fff)
	payload[4] = byte(th.seq)
	if key {
		copy(payload[5:], []byte{0x10, 0x02, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01})
	} else {
		copy(payload[5:], []byte{0x11, 0x02, 0, 0, 0, 0, 0, 0, 0, 0})
	}
	th.inject(b)
}

// seat is a subscriber that plays nothing.
type seat struct {
	*client
	socket *sleeper
}

// sleeper is a socket that can stop reading what keeps arriving.
type sleeper struct {
	net.PacketConn
	asleep atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (s *sleeper) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.PacketConn.ReadFrom(b)
	if s.asleep.Load() {
		<-s.closed
	}
	return n, from, err
}

func (s *sleeper) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.PacketConn.Close()
}

func takeSeat(t testing.TB, reg *sfukit.Registry, id sfukit.PeerID) *seat {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	socket := &sleeper{PacketConn: conn, closed: make(chan struct{})}
	silence := &logging.DefaultLoggerFactory{Writer: io.Discard}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: silence.NewLogger("mux")})
	t.Cleanup(func() { _ = mux.Close() })
	e := webrtc.SettingEngine{LoggerFactory: silence}
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICEUDPMux(mux)
	m := &webrtc.MediaEngine{}
	if err := browserCodecs(m); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(m, &interceptor.Registry{}); err != nil {
		t.Fatal(err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, pc: pc, changed: make(chan struct{}), tracks: map[string]sfukit.TrackInfo{}}
	if _, err := pc.CreateDataChannel("", nil); err != nil {
		t.Fatal(err)
	}
	peer, answer, err := reg.Join(context.Background(), sfukit.Join{
		Room: "room", ID: id, Offer: c.makeOffer(), Events: sfukit.PeerEvents{Offer: func(o sfukit.Offer) {
			c.takeOffer(o)
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.peer = peer
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	peer.Start()
	t.Cleanup(func() { _ = pc.Close() })
	return &seat{c, socket}
}

// BenchmarkForwardPion is the whole way of one packet of a publisher, from its
// decrypted bytes through the rewriting of N subscribers, their SRTP and the
// corked socket to the kernel. An operation is a packet in; ns/forward is the
// time for one of the packets out.
func BenchmarkForwardPion(b *testing.B) {
	for _, n := range []int{1, 10, 60} {
		b.Run(fmt.Sprintf("subs=%d", n), func(b *testing.B) {
			th := openTheatre(b, n)
			for range 2000 { // histories grow to their size
				th.send(false)
			}
			b.ReportAllocs()
			b.SetBytes(int64(n * len(th.packet)))
			before := th.reg.Stats().Counters
			for b.Loop() {
				th.send(false)
			}
			after := th.reg.Stats().Counters
			if out := after.PacketsOut - before.PacketsOut; out != int64(b.N*n) {
				b.Errorf("%d packets forwarded, want %d", out, b.N*n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/forward")
		})
	}
}
