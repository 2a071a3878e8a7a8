package sdpx_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// flows sends on a line of ours until the client has a packet of it. It fails after
// ten virtual seconds.
func (c *call) flows(when string, out *webrtc.TrackLocalStaticRTP, received *atomic.Int64) {
	c.t.Helper()
	before := received.Load()
	for range 500 {
		c.seq++
		c.must("send", out.WriteRTP(&rtp.Packet{
			Header: rtp.Header{Version: 2, SequenceNumber: c.seq, Timestamp: uint32(c.seq) * 3000, Marker: true},
			// A VP8 payload descriptor and a little of a frame.
			Payload: []byte{0x10, 1, 2, 3, 4},
		}))
		time.Sleep(20 * time.Millisecond) // virtual
		if received.Load() > before {
			return
		}
	}
	c.t.Errorf("%s: nothing arrived", when)
}

// A line of ours carries media through everything that is done to it by text: off
// and on, offers of the client in between, an ICE restart, an abandoned offer.
func TestMediaFlows(t *testing.T) {
	inCall(t, testMediaFlows)
}

func testMediaFlows(t *testing.T, c *call) {
	var received atomic.Int64
	c.client.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		go func() {
			for {
				if _, _, err := tr.ReadRTP(); err != nil {
					return // the receiver was stopped
				}
				received.Add(1)
			}
		}()
	})
	c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()

	out := track(t, webrtc.MimeTypeVP8, "v")
	tr, err := c.server.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	c.must("add", err)
	c.must("mid", tr.SetMid("s-v"))
	c.roles["s-v"] = sdpx.OursActive

	// The first offer is lost, with the line in it.
	c.serverOffers()
	text, err := sdpx.SyntheticAnswer(c.remote, c.pending)
	c.must("synthetic answer", err)
	c.must("server takes it", c.server.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
	c.remote = text
	c.serverOffers()
	c.clientAnswers()
	c.flows("after an abandoned offer", out, &received)

	c.roles["s-v"] = sdpx.OursIdle
	c.serverOffers()
	c.clientAnswers()
	c.clientAdds(webrtc.MimeTypeVP8, "cam", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	c.roles["s-v"] = sdpx.OursActive
	c.serverOffers()
	c.clientAnswers()
	c.flows("after off, an offer of the client, and on", out, &received)

	before := c.offer.ICE()
	c.restart = true
	c.clientOffers()
	if c.offer.ICE() == before {
		t.Error("a restart without new credentials")
	}
	c.flows("after an ICE restart", out, &received)
	c.serverOffers()
	c.clientAnswers()
	c.flows("after one more offer", out, &received)
	if n := len(c.server.GetTransceivers()); n != 3 {
		t.Errorf("the server has %d transceivers, want 3", n)
	}
}
