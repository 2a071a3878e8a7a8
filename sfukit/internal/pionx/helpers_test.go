package pionx_test

import (
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// patience bounds a failure; nothing is measured against it.
const patience = 20 * time.Second

var vp8 = transport.Format{Codec: codec.VP8}

// listener is a Handler that remembers states and counts complaints. Packets go
// nowhere.
type listener struct {
	states    chan transport.State
	malformed chan struct{}
	streams   atomic.Int32
	reports   atomic.Int32
}

func newListener() *listener {
	return &listener{states: make(chan transport.State, 8), malformed: make(chan struct{}, 8)}
}

func (l *listener) Stream(uint32) transport.Sink { l.streams.Add(1); return sink{} }
func (l *listener) RTCP(time.Time, rtcp.Packet)  { l.reports.Add(1) }
func (l *listener) Malformed()                   { l.malformed <- struct{}{} }
func (l *listener) State(s transport.State)      { l.states <- s }
func (l *listener) Candidate(string)             {}
func (l *listener) Data(int, bool, []byte)       {}

// await returns when the state is reported; any other final one is an error.
func (l *listener) await(t *testing.T, want transport.State) {
	t.Helper()
	select {
	case s := <-l.states:
		if s != want {
			t.Fatalf("state %d, want %d", s, want)
		}
	case <-time.After(patience):
		t.Fatalf("no state %d within %s", want, patience)
	}
}

type sink struct{}

func (sink) Packet(time.Time, []byte) {}

// newConn makes a connection of a node on loopback.
func newConn(t *testing.T, h transport.Handler, channels ...transport.DataChannel) *pionx.Conn {
	t.Helper()
	stack, err := pionx.NewStack(pionx.Config{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Disconnect: 5 * time.Second, Fail: 20 * time.Second,
		Channels: channels, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	conn, err := stack.NewConn(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// newClient makes a client of the other side that offers a microphone, and data
// if told to.
func newClient(t *testing.T, data bool) *webrtc.PeerConnection {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(m)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	mic, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "mic", "client")
	if err == nil {
		_, err = pc.AddTrack(mic)
	}
	if err == nil && data {
		_, err = pc.CreateDataChannel("", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// offer returns the client's offer with its candidates.
func offer(t *testing.T, pc *webrtc.PeerConnection) string {
	t.Helper()
	made, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(made); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// connect lets a connection answer a client's offer, changed on the way.
func connect(t *testing.T, conn *pionx.Conn, pc *webrtc.PeerConnection, change func(string) string) {
	t.Helper()
	answer, _, err := conn.AcceptOffer(change(offer(t, pc)))
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

func same(s string) string { return s }
