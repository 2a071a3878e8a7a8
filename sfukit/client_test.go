package sfukit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// patience is how long a test waits for what must happen at all. It bounds a
// failure; nothing is measured against it.
const patience = 20 * time.Second

// newRegistry opens a node on loopback.
func newRegistry(t testing.TB, change ...func(*sfukit.Config)) *sfukit.Registry {
	t.Helper()
	cfg := sfukit.Config{SfuConfig: sfukit.SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"}}
	for _, f := range change {
		f(&cfg)
	}
	reg, err := sfukit.NewRegistry(cfg)
	if err != nil {
		t.Fatalf("NewRegistry: %v", err)
	}
	t.Cleanup(func() {
		if err := reg.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return reg
}

// client is a browser's part in a call, played by pion with its interceptors:
// it answers our offers, sends the feedback a browser sends, and records what
// it receives.
type client struct {
	t    testing.TB
	pc   *webrtc.PeerConnection
	peer *sfukit.Peer

	closing atomic.Bool // by the test; what fails from then on is no failure

	signal sync.Mutex // held during one exchange of descriptions

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced whenever something below changes
	tracks   map[string]sfukit.TrackInfo
	received map[string]*reception // by mid
	joined   map[sfukit.PeerID]bool
	left     map[sfukit.PeerID]sfukit.LeaveReason
	layers   map[string]sfukit.LayerChange
	speakers []sfukit.SpeakerChange
	offers   []sfukit.Offer
	wanted   []sfukit.PublishLayers
	reports  []*rtcp.SenderReport
	closed   sfukit.LeaveReason
	data     []string                // "label: message" of what went to the server
	answer   func(sfukit.Offer) bool // false: this offer gets no answer
	hold     bool                    // packets are not recorded
}

// reception is what came in on one m-line.
type reception struct {
	packets []*rtp.Packet
	ssrcs   []webrtc.SSRC
	track   *webrtc.TrackRemote
}

type clientConfig struct {
	net      transport.Net
	slots    bool
	networks []webrtc.NetworkType // nil: all
	prepare  func(*webrtc.PeerConnection)
	answer   func(sfukit.Offer) bool
	events   func(*sfukit.PeerEvents)                               // adds to the client's own
	codecs   func(*webrtc.MediaEngine) error                        // nil: browserCodecs
	feedback func(*webrtc.MediaEngine, *interceptor.Registry) error // beyond newInterceptors
	// interceptors, if set, replaces newInterceptors.
	interceptors func(testing.TB, *webrtc.MediaEngine) *interceptor.Registry
}

func newClientAPI(t testing.TB, n transport.Net, networks ...webrtc.NetworkType) *webrtc.API {
	t.Helper()
	return newClientAPIWith(t, clientConfig{net: n, codecs: browserCodecs, networks: networks})
}

// browserCodecs are pion's defaults and RED, with the payload types of Chromium.
func browserCodecs(m *webrtc.MediaEngine) error {
	if err := m.RegisterDefaultCodecs(); err != nil {
		return err
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111",
	}, PayloadType: 63}, webrtc.RTPCodecTypeAudio)
}

func newClientAPIWith(t testing.TB, cfg clientConfig) *webrtc.API {
	t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled) // a socket less per client
	if len(cfg.networks) > 0 {
		e.SetNetworkTypes(cfg.networks)
	}
	if cfg.net != nil {
		e.SetNet(cfg.net)
	}
	m := &webrtc.MediaEngine{}
	if err := cfg.codecs(m); err != nil {
		t.Fatal(err)
	}
	if cfg.interceptors == nil {
		cfg.interceptors = newInterceptors
	}
	r := cfg.interceptors(t, m)
	if cfg.feedback != nil {
		if err := cfg.feedback(m, r); err != nil {
			t.Fatal(err)
		}
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(r), webrtc.WithSettingEngine(e))
}

// join connects a client to a room.
func join(t testing.TB, reg *sfukit.Registry, room sfukit.RoomID, id sfukit.PeerID, cfg clientConfig) *client {
	t.Helper()
	c, err := tryJoin(t, reg, room, id, cfg)
	if err != nil {
		t.Fatalf("join %s/%d: %v", room, id, err)
	}
	return c
}

func tryJoin(t testing.TB, reg *sfukit.Registry, room sfukit.RoomID, id sfukit.PeerID, cfg clientConfig) (*client, error) {
	t.Helper()
	if cfg.codecs == nil {
		cfg.codecs = browserCodecs
	}
	pc, err := newClientAPIWith(t, cfg).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{
		t: t, pc: pc, changed: make(chan struct{}), tracks: map[string]sfukit.TrackInfo{},
		received: map[string]*reception{}, joined: map[sfukit.PeerID]bool{},
		left: map[sfukit.PeerID]sfukit.LeaveReason{}, layers: map[string]sfukit.LayerChange{}, answer: cfg.answer,
	}
	t.Cleanup(func() {
		c.closing.Store(true)
		_ = pc.GracefulClose()
	})
	pc.OnTrack(c.read)
	if cfg.prepare != nil {
		cfg.prepare(pc)
	}
	if err := c.padOffer(cfg.net != nil); err != nil {
		t.Fatal(err)
	}
	offer := c.makeOffer()
	events := c.events()
	if cfg.events != nil {
		cfg.events(&events)
	}
	peer, answer, err := reg.Join(context.Background(), sfukit.Join{
		Room: room, ID: id, Offer: offer, Slots: cfg.slots, Events: events,
	})
	if err != nil {
		return nil, err
	}
	c.peer = peer
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("client takes answer: %v\n%s", err, answer)
	}
	peer.Start()
	return c, nil
}

// padOffer sees to it that there is a section even in a viewer's offer: for
// data or, in virtual time, for audio. Pion closes an SCTP association while it
// holds a lock that others wait for, and while anyone waits for a lock virtual
// time stands still.
func (c *client) padOffer(virtual bool) error {
	if !virtual {
		_, err := c.pc.CreateDataChannel("", &webrtc.DataChannelInit{Negotiated: ptr(true), ID: ptr(uint16(1000))})
		return err
	}
	if len(c.pc.GetTransceivers()) > 0 {
		return nil
	}
	_, err := c.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	return err
}

func ptr[T any](v T) *T { return &v }

func (c *client) makeOffer() string {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

// renegotiate makes an offer of the client's own during the call, again if it
// crosses one of ours. Pion cannot roll back, so the offer is set only when it
// has been accepted.
func (c *client) renegotiate() {
	c.t.Helper()
	c.renegotiateWith(nil)
}

func (c *client) renegotiateWith(options *webrtc.OfferOptions) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		err := c.tryOffer(options)
		if err == nil {
			return
		}
		if !errors.Is(err, sfukit.ErrGlare) || time.Now().After(deadline) {
			c.t.Fatalf("client offer: %v", err)
		}
		<-time.After(time.Millisecond) // for takeOffer to have its turn
	}
}

// tryOffer makes one offer of the client's own.
func (c *client) tryOffer(options *webrtc.OfferOptions) error {
	c.signal.Lock()
	defer c.signal.Unlock()
	offer, err := c.pc.CreateOffer(options)
	if err != nil {
		return err
	}
	var answer string
	if err := c.peer.Offer(context.Background(), offer.SDP, func(a string) { answer = a }); err != nil {
		return err
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("client takes answer: %w\n%s", err, answer)
	}
	return nil
}

func (c *client) update(f func()) {
	c.mu.Lock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
}

// wait returns when the condition holds; it is evaluated with c.mu held,
// whenever something has changed and every few milliseconds.
func (c *client) wait(what string, cond func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, changed := c.check(cond)
		if ok {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("peer %d: no %s within %s: %s", c.peer.ID(), what, patience, c.describe())
		}
		select {
		case <-changed:
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *client) check(cond func() bool) (ok bool, changed chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return cond(), c.changed
}

// count returns how many packets have come on a mid.
func (c *client) count(mid string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.received[mid]; r != nil {
		return len(r.packets)
	}
	return 0
}

func (c *client) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := fmt.Sprintf("tracks %v, left %v, layers %v", c.tracks, c.left, c.layers)
	for mid, r := range c.received {
		s += fmt.Sprintf(", mid %s: %d packets", mid, len(r.packets))
	}
	return s + fmt.Sprintf("; client: ICE %s, DTLS %s; server: %+v",
		c.pc.ICEConnectionState(), c.pc.SCTP().Transport().State(), c.peer.Stats())
}

func (c *client) events() sfukit.PeerEvents {
	return sfukit.PeerEvents{
		Offer: func(o sfukit.Offer) {
			c.update(func() { c.offers = append(c.offers, o) })
			if c.answer == nil || c.answer(o) {
				c.takeOffer(o)
			}
		},
		Tracks: func(infos []sfukit.TrackInfo) {
			c.update(func() {
				for _, i := range infos {
					c.tracks[i.MID] = i
				}
			})
		},
		TracksRemoved: func(mids []string) {
			c.update(func() {
				for _, mid := range mids {
					delete(c.tracks, mid)
				}
			})
		},
		PeerJoined: func(id sfukit.PeerID) { c.update(func() { c.joined[id] = true; delete(c.left, id) }) },
		PeerLeft: func(id sfukit.PeerID, why sfukit.LeaveReason) {
			c.update(func() { c.left[id] = why; delete(c.joined, id) })
		},
		Layer:         func(l sfukit.LayerChange) { c.update(func() { c.layers[l.MID] = l }) },
		PublishLayers: func(l sfukit.PublishLayers) { c.update(func() { c.wanted = append(c.wanted, l) }) },
		Speaker:       func(s sfukit.SpeakerChange) { c.update(func() { c.speakers = append(c.speakers, s) }) },
		Data: func(label string, _ bool, msg []byte) {
			c.update(func() { c.data = append(c.data, label+": "+string(msg)) })
		},
		Closed: func(why sfukit.LeaveReason) { c.update(func() { c.closed = why }) },
	}
}

// takeOffer answers an offer of the server's.
func (c *client) takeOffer(o sfukit.Offer) {
	// Pion takes an offer that comes before its ICE agent has begun, which it does
	// in the background, for an ICE restart.
	for deadline := time.Now().Add(patience); c.pc.ICEConnectionState() == webrtc.ICEConnectionStateNew && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	c.signal.Lock()
	defer c.signal.Unlock()
	err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP})
	var answer webrtc.SessionDescription
	if err == nil {
		answer, err = c.pc.CreateAnswer(nil)
	}
	if err == nil {
		err = c.pc.SetLocalDescription(answer)
	}
	if err == nil {
		err = c.peer.Answer(context.Background(), answer.SDP, o.ID)
	}
	if err != nil && !errors.Is(err, sfukit.ErrPeerClosed) && !errors.Is(err, webrtc.ErrConnectionClosed) && c.peer.Reason() == sfukit.LeaveNone && !c.closing.Load() {
		c.t.Errorf("client answers offer %d: %v", o.ID, err)
	}
}

// read records what arrives on one track, and drains its feedback.
func (c *client) read(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	mid := ""
	for _, tr := range c.pc.GetTransceivers() {
		if tr.Receiver() == receiver {
			mid = tr.Mid()
		}
	}
	c.update(func() {
		r := c.received[mid]
		if r == nil {
			r = &reception{}
			c.received[mid] = r
		}
		r.track = track
		r.ssrcs = append(r.ssrcs, track.SSRC())
	})
	go func() {
		for {
			packets, _, err := receiver.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if sr, ok := p.(*rtcp.SenderReport); ok {
					c.update(func() { c.reports = append(c.reports, sr) })
				}
			}
		}
	}()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		c.update(func() {
			if !c.hold {
				c.received[mid].packets = append(c.received[mid].packets, p)
			}
		})
	}
}

// from returns the mid on which a peer's track of a kind arrives.
func (c *client) from(peer sfukit.PeerID, kind sfukit.Kind) string {
	c.t.Helper()
	mid := ""
	c.wait(fmt.Sprintf("%s track of peer %d", kind, peer), func() bool {
		for m, i := range c.tracks {
			if i.Peer == peer && i.Kind == kind {
				mid = m
				return true
			}
		}
		return false
	})
	return mid
}

// packets waits for n packets on a mid and returns all there are.
func (c *client) packets(mid string, n int) []*rtp.Packet {
	c.t.Helper()
	var out []*rtp.Packet
	c.wait(fmt.Sprintf("%d packets on mid %s", n, mid), func() bool {
		if r := c.received[mid]; r != nil && len(r.packets) >= n {
			out = slices.Clone(r.packets)
			return true
		}
		return false
	})
	return out
}

// pli asks the server for a keyframe on a mid.
func (c *client) pli(mid string) {
	c.mu.Lock()
	ssrc := c.received[mid].track.SSRC()
	c.mu.Unlock()
	_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(ssrc)}})
}
