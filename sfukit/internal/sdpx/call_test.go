package sdpx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// A call is a client and a server, both real, connected over a virtual network in
// virtual time, whose descriptions pass through this package only. It has no data
// channel: pion ends one by waiting for time to pass with a lock held, and virtual
// time does not pass while another goroutine waits for that lock.
type call struct {
	t       *testing.T
	client  *webrtc.PeerConnection
	server  *webrtc.PeerConnection
	roles   map[string]sdpx.Role
	lines   []sdpx.Line
	offer   *sdpx.Offer // the client's latest
	remote  string      // what the server's pion has last seen
	pending string      // our offer without an answer
	restart bool        // let the client's next offer restart ICE
	seq     uint16
}

var serverCodecs = []webrtc.RTPCodecParameters{
	{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
		SDPFmtpLine: "minptime=10;useinbandfec=1",
	}, PayloadType: 111},
	{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}, PayloadType: 96},
	{RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeRTX, ClockRate: 90000,
		SDPFmtpLine: "apt=96",
	}, PayloadType: 97},
}

func keep(_ sdpx.Kind, mime, _ string) bool { return mime == "audio/opus" || mime == "video/vp8" }

var limits = sdpx.Limits{Keep: keep}

func newPC(t *testing.T, n *vnet.Net, server bool) *webrtc.PeerConnection {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if server {
		for _, c := range serverCodecs {
			kind := webrtc.RTPCodecTypeVideo
			if strings.HasPrefix(c.MimeType, "audio/") {
				kind = webrtc.RTPCodecTypeAudio
			}
			if err := m.RegisterCodec(c, kind); err != nil {
				t.Fatal(err)
			}
		}
	} else if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if err := webrtc.ConfigureSimulcastExtensionHeaders(m); err != nil {
		t.Fatal(err)
	}
	se := webrtc.SettingEngine{}
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetLite(server)
	se.SetNet(n)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if !server {
		// As browsers do: the role of the first exchange is kept.
		if err := se.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
			t.Fatal(err)
		}
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(se),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// inCall runs a test with a call that has not begun.
func inCall(t *testing.T, test func(t *testing.T, c *call)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &call{t: t, roles: map[string]sdpx.Role{}}
		router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
		c.must("router", err)
		var nets [2]*vnet.Net
		for i := range nets {
			nets[i], err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{fmt.Sprintf("10.0.0.%d", 1+i)}})
			c.must("net", err)
			c.must("add net", router.AddNet(nets[i]))
		}
		c.must("start router", router.Start())
		c.client, c.server = newPC(t, nets[0], false), newPC(t, nets[1], true)
		defer func() {
			if err := errors.Join(c.client.GracefulClose(), c.server.GracefulClose(), router.Stop()); err != nil {
				t.Error(err)
			}
		}()
		test(t, c)
	})
}

// connect waits until both sides are.
func (c *call) connect() {
	c.t.Helper()
	for range 600 {
		if c.client.ConnectionState() == webrtc.PeerConnectionStateConnected &&
			c.server.ConnectionState() == webrtc.PeerConnectionStateConnected {
			return
		}
		time.Sleep(50 * time.Millisecond) // virtual
	}
	c.t.Fatalf("client is %s, server is %s", c.client.ConnectionState(), c.server.ConnectionState())
}

func (c *call) role(mid string) sdpx.Role { return c.roles[mid] }

func (c *call) must(what string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

func track(t *testing.T, mime, id string) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	tr, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "stream-"+id)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (c *call) clientAdds(mime, id string, d webrtc.RTPTransceiverDirection) *webrtc.RTPTransceiver {
	c.t.Helper()
	tr, err := c.client.AddTransceiverFromTrack(track(c.t, mime, id), webrtc.RTPTransceiverInit{Direction: d})
	c.must("client adds "+id, err)
	return tr
}

// serverAdds makes a line of ours and returns its mid.
func (c *call) serverAdds(mime, id string) string {
	c.t.Helper()
	tr, err := c.server.AddTransceiverFromTrack(track(c.t, mime, id),
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	c.must("server adds "+id, err)
	mid := "s-" + id
	c.must("mid", tr.SetMid(mid))
	c.roles[mid] = sdpx.OursActive
	return mid
}

// clientOffers runs an exchange that the client begins.
func (c *call) clientOffers() {
	c.t.Helper()
	offer, err := c.client.CreateOffer(&webrtc.OfferOptions{ICERestart: c.restart})
	c.must("client's offer", err)
	c.restart = false
	c.must("client's offer, locally", c.client.SetLocalDescription(offer))
	o, err := sdpx.CheckOffer(offer.SDP, limits)
	c.must("check", err)
	c.must("check again", sdpx.CheckReoffer(c.offer, c.lines, c.role, o))
	c.offer, c.remote = o, o.ForPion(c.role)
	c.must("server takes the offer", c.server.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.remote}))
	answer, err := c.server.CreateAnswer(nil)
	c.must("server's answer", err)
	gathered := webrtc.GatheringCompletePromise(c.server)
	c.must("server's answer, locally", c.server.SetLocalDescription(answer))
	<-gathered
	text, lines := sdpx.Answer(c.server.LocalDescription().SDP, o, c.role)
	c.lines = lines
	for i := range o.Sections {
		s := &o.Sections[i]
		if !c.roles[s.MID].Ours() {
			c.roles[s.MID] = sdpx.ClientIdle
			if s.Direction.Sends() {
				c.roles[s.MID] = sdpx.ClientSends
			}
		}
	}
	c.must("client takes the answer", c.client.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
	c.connect()
}

// serverOffers makes an offer and leaves it pending.
func (c *call) serverOffers() {
	c.t.Helper()
	offer, err := c.server.CreateOffer(nil)
	c.must("server's offer", err)
	c.must("server's offer, locally", c.server.SetLocalDescription(offer))
	c.pending = sdpx.ServerOffer(offer.SDP, c.lines, c.role)
}

// clientAnswers completes the exchange with what the client makes of the offer.
func (c *call) clientAnswers() *sdpx.Reply {
	c.t.Helper()
	c.must("client takes the offer", c.client.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.pending}))
	answer, err := c.client.CreateAnswer(nil)
	c.must("client's answer", err)
	c.must("client's answer, locally", c.client.SetLocalDescription(answer))
	return c.serverTakes(answer.SDP)
}

func (c *call) serverTakes(answer string) *sdpx.Reply {
	c.t.Helper()
	r, err := sdpx.ForPionAnswer(answer, c.pending, c.offer.ICE(), c.role, limits)
	c.must("check answer", err)
	c.must("server takes the answer", c.server.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: r.SDP}))
	c.remote, c.lines = r.SDP, r.Lines()
	return r
}

// want checks the client's transceivers, mid, kind and direction, and that the
// server is at rest.
func (c *call) want(lines ...string) {
	c.t.Helper()
	var got []string
	for _, tr := range c.client.GetTransceivers() {
		got = append(got, strings.Join([]string{tr.Mid(), tr.Kind().String(), tr.Direction().String()}, " "))
	}
	if strings.Join(got, "\n") != strings.Join(lines, "\n") {
		c.t.Errorf("client has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
	if s := c.server.SignalingState(); s != webrtc.SignalingStateStable {
		c.t.Errorf("server is %s, want stable", s)
	}
}
