package sdpx_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

func TestCallWithPion(t *testing.T) {
	inCall(t, testCallWithPion)
}

func testCallWithPion(t *testing.T, c *call) {
	mic := c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendrecv)
	c.clientAdds(webrtc.MimeTypeVP8, "cam", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	c.want("0 audio sendrecv", "1 video sendonly")

	// Two waiting tracks, one offer.
	a, v := c.serverAdds(webrtc.MimeTypeOpus, "a"), c.serverAdds(webrtc.MimeTypeVP8, "v")
	c.serverOffers()
	if r := c.clientAnswers(); !r.Accepted(a) || !r.Accepted(v) || r.Accepted("1") {
		t.Errorf("accepted %v, %v and, of the client's, %v; want true, true, false", r.Accepted(a), r.Accepted(v), r.Accepted("1"))
	}
	c.want("0 audio sendonly", "1 video sendonly",
		"s-a audio recvonly", "s-v video recvonly")

	// Off by text alone; the client offers meanwhile; on again.
	c.roles[v] = sdpx.OursIdle
	c.serverOffers()
	if r := c.clientAnswers(); r.Accepted(v) || !r.Accepted(a) {
		t.Errorf("accepted idle %v, active %v; want false, true", r.Accepted(v), r.Accepted(a))
	}
	c.want("0 audio sendonly", "1 video sendonly",
		"s-a audio recvonly", "s-v video inactive")
	c.must("mute", mic.Sender().ReplaceTrack(nil))
	c.clientAdds(webrtc.MimeTypeVP8, "screen", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	c.want("0 audio sendonly", "1 video sendonly",
		"s-a audio recvonly", "s-v video inactive", "2 video sendonly")
	c.roles[v] = sdpx.OursActive
	c.serverOffers()
	if r := c.clientAnswers(); !r.Accepted(v) || !r.Accepted(a) {
		t.Errorf("accepted %v and %v, want both", r.Accepted(v), r.Accepted(a))
	}
	c.want("0 audio sendonly", "1 video sendonly",
		"s-a audio recvonly", "s-v video recvonly", "2 video sendonly")
}

// A client's line that goes silent is inactive for the client and unchanged for
// pion, so that pion stops nothing.
func TestClientLineGoesIdleAndBack(t *testing.T) {
	inCall(t, testClientLineGoesIdleAndBack)
}

func testClientLineGoesIdleAndBack(t *testing.T, c *call) {
	c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	server := c.server.GetTransceivers()[0]
	for _, d := range []sdpx.Direction{sdpx.Inactive, sdpx.SendOnly, sdpx.RecvOnly, sdpx.SendRecv} {
		offer, err := c.client.CreateOffer(nil)
		c.must("offer", err)
		text := strings.Replace(offer.SDP, "a=sendonly", "a="+d.String(), 1)
		o, err := sdpx.CheckOffer(text, limits)
		c.must("check", err)
		c.must("set", c.server.SetRemoteDescription(webrtc.SessionDescription{
			Type: webrtc.SDPTypeOffer, SDP: o.ForPion(c.role),
		}))
		answer, err := c.server.CreateAnswer(nil)
		c.must("answer", err)
		c.must("set answer", c.server.SetLocalDescription(answer))
		got, _ := sdpx.Answer(answer.SDP, o, c.role)
		want := "a=inactive"
		if d.Sends() {
			want = "a=recvonly"
		}
		if !strings.Contains(got, want) || server.Direction() != webrtc.RTPTransceiverDirectionRecvonly {
			t.Errorf("client %s: transceiver %s, answer without %s:\n%s", d, server.Direction(), want, got)
		}
	}
	if n := len(c.server.GetTransceivers()); n != 1 {
		t.Errorf("%d transceivers, want 1", n)
	}
}

// After a lost answer pion is brought back to stable with a synthetic one, and a
// fresh offer shows the same lines and new ones.
func TestAbandonedOffer(t *testing.T) {
	inCall(t, testAbandonedOffer)
}

func testAbandonedOffer(t *testing.T, c *call) {
	c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	a := c.serverAdds(webrtc.MimeTypeOpus, "a")
	c.serverOffers()
	for range 2 { // twice in a row
		text, err := sdpx.SyntheticAnswer(c.remote, c.pending)
		c.must("synthetic answer", err)
		c.must("server takes it", c.server.SetRemoteDescription(
			webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
		c.remote = text
		c.want("0 audio sendonly")
		c.serverAdds(webrtc.MimeTypeVP8, fmt.Sprint("v", len(c.roles)))
		c.serverOffers()
	}
	if r := c.clientAnswers(); !r.Accepted(a) {
		t.Error("the abandoned line was not accepted")
	}
	c.want("0 audio sendonly", "s-a audio recvonly",
		"s-v2 video recvonly", "s-v3 video recvonly")
	c.clientAdds(webrtc.MimeTypeVP8, "cam", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
}

// A client that offers after we abandoned our offer does not know our lines. They
// come back in the next offer, behind its own.
func TestClientOffersAfterAbandonedOffer(t *testing.T) {
	inCall(t, testClientOffersAfterAbandonedOffer)
}

func testClientOffersAfterAbandonedOffer(t *testing.T, c *call) {
	c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	v := c.serverAdds(webrtc.MimeTypeVP8, "v")
	c.serverOffers()
	text, err := sdpx.SyntheticAnswer(c.remote, c.pending)
	c.must("synthetic answer", err)
	c.must("server takes it", c.server.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: text}))
	c.clientAdds(webrtc.MimeTypeVP8, "cam", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	c.serverOffers()
	if r := c.clientAnswers(); !r.Accepted(v) {
		t.Errorf("%s was not accepted", v)
	}
	c.want("0 audio sendonly", "1 video sendonly", "s-v video recvonly")
}

// reject turns a section of a client's answer into a refused one, as short as the
// standards allow.
func reject(text, mid string) string {
	head, rest, _ := strings.Cut(text, "m=")
	for s := range strings.SplitSeq(rest, "m=") {
		if strings.Contains(s, "a=mid:"+mid+"\r\n") {
			kind, _, _ := strings.Cut(s, " ")
			s = kind + " 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
		}
		head += "m=" + s
	}
	return head
}

// A line the client rejects is known to be, is offered as rejected from then on,
// and does not disturb pion.
func TestRejectedLine(t *testing.T) {
	inCall(t, testRejectedLine)
}

func testRejectedLine(t *testing.T, c *call) {
	c.clientAdds(webrtc.MimeTypeOpus, "mic", webrtc.RTPTransceiverDirectionSendonly)
	c.clientOffers()
	a, v := c.serverAdds(webrtc.MimeTypeOpus, "a"), c.serverAdds(webrtc.MimeTypeVP8, "v")
	c.serverOffers()
	c.must("client takes the offer", c.client.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.pending}))
	answer, err := c.client.CreateAnswer(nil)
	c.must("answer", err)
	c.must("answer, locally", c.client.SetLocalDescription(answer))
	if r := c.serverTakes(reject(answer.SDP, v)); r.Accepted(v) || !r.Accepted(a) {
		t.Errorf("accepted rejected %v, other %v; want false, true", r.Accepted(v), r.Accepted(a))
	}
	if want := (sdpx.Line{MID: v, Kind: sdpx.KindVideo, Rejected: true}); c.lines[2] != want {
		t.Errorf("line %+v, want %+v", c.lines[2], want)
	}
	b := c.serverAdds(webrtc.MimeTypeVP8, "b")
	c.serverOffers()
	if !strings.Contains(c.pending, "a=group:BUNDLE 0 s-a s-b\r\n") || !strings.Contains(c.pending, "m=video 0 ") {
		t.Errorf("the rejected line lives on:\n%s", c.pending)
	}
	c.must("client takes the second offer", c.client.SetRemoteDescription(
		webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.pending}))
	answer, err = c.client.CreateAnswer(nil)
	c.must("second answer", err)
	c.must("second answer, locally", c.client.SetLocalDescription(answer))
	if r := c.serverTakes(reject(answer.SDP, v)); !r.Accepted(b) || r.Accepted(v) {
		t.Errorf("accepted new %v, rejected %v; want true, false", r.Accepted(b), r.Accepted(v))
	}
}

// What has no codec of ours is rejected in its place, even as the first section,
// whose candidates then move.
func TestSectionWithoutCodec(t *testing.T) {
	inCall(t, testSectionWithoutCodec)
}

func testSectionWithoutCodec(t *testing.T, c *call) {
	h265 := "m=video 9 UDP/TLS/RTP/SAVPF 49\r\nc=IN IP4 0.0.0.0\r\na=mid:x\r\na=rtcp-mux\r\na=sendonly\r\n" +
		"a=rtpmap:49 H265/90000\r\n"
	text := chrome
	i := strings.Index(text, "m=")
	text = strings.Replace(text[:i], "BUNDLE 0 1 2", "BUNDLE x 0 1 2", 1) + h265 +
		"a=ice-ufrag:Jtwq\r\na=ice-pwd:0PV5XmhFvb8BfQl2x5pBxUqL\r\na=setup:actpass\r\n" +
		"a=fingerprint:sha-256 " + print32 + "\r\n" + text[i:]
	o, err := sdpx.CheckOffer(text, limits)
	c.must("check", err)
	c.must("set", c.server.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeOffer, SDP: o.ForPion(c.role),
	}))
	answer, err := c.server.CreateAnswer(nil)
	c.must("answer", err)
	gathered := webrtc.GatheringCompletePromise(c.server)
	c.must("set answer", c.server.SetLocalDescription(answer))
	<-gathered
	got, lines := sdpx.Answer(c.server.LocalDescription().SDP, o, c.role)
	if !strings.Contains(got, "m=video 0 UDP/TLS/RTP/SAVPF 49\r\nc=IN IP4 0.0.0.0\r\na=mid:x\r\na=inactive\r\na=rtpmap:49 H265/90000\r\nm=audio") ||
		!strings.Contains(got, "a=group:BUNDLE 0 1 2\r\n") {
		t.Errorf("not a rejected first section:\n%s", got)
	}
	if n := strings.Count(c.server.LocalDescription().SDP, "a=candidate"); n != strings.Count(got, "a=candidate") {
		t.Errorf("%d candidates, want %d", strings.Count(got, "a=candidate"), n)
	}
	if len(lines) != 4 || !lines[0].Rejected || lines[1].Rejected {
		t.Errorf("lines %+v, want the first rejected", lines)
	}
}

// A stopped section of the client is recycled under another mid and kind: the old
// line vanishes from our offers, the new one works.
func TestRecycledSection(t *testing.T) {
	inCall(t, testRecycledSection)
}

func testRecycledSection(t *testing.T, c *call) {
	exchange := func(text string) string {
		t.Helper()
		o, err := sdpx.CheckOffer(text, limits)
		c.must("check", err)
		c.must("check again", sdpx.CheckReoffer(c.offer, c.lines, c.role, o))
		c.offer = o
		c.must("set", c.server.SetRemoteDescription(webrtc.SessionDescription{
			Type: webrtc.SDPTypeOffer, SDP: o.ForPion(c.role),
		}))
		answer, err := c.server.CreateAnswer(nil)
		c.must("answer", err)
		c.must("set answer", c.server.SetLocalDescription(answer))
		got, lines := sdpx.Answer(answer.SDP, o, c.role)
		c.lines = lines
		return got
	}
	exchange(chrome)
	stopped := strings.Replace(chrome, "BUNDLE 0 1 2", "BUNDLE 0 2", 1)
	stopped = strings.Replace(stopped, "m=video 9", "m=video 0", 1)
	stopped = strings.Replace(stopped, "a=sendonly", "a=inactive", 1)
	if got := exchange(stopped); !strings.Contains(got, "m=video 0 ") || !strings.Contains(got, "a=mid:1\r\n") {
		t.Errorf("the stopped section is not rejected:\n%s", got)
	}
	again := strings.Replace(chrome, "BUNDLE 0 1 2", "BUNDLE 0 7 2", 1)
	again = strings.Replace(again, "a=mid:1\r\n", "a=mid:7\r\n", 1)
	if got := exchange(again); strings.Contains(got, "m=video 0 ") || !strings.Contains(got, "a=mid:7\r\n") {
		t.Errorf("the recycled section is not accepted:\n%s", got)
	}
	c.roles["0"], c.roles["7"] = sdpx.ClientSends, sdpx.ClientSends
	c.serverAdds(webrtc.MimeTypeVP8, "v")
	c.serverOffers()
	if strings.Contains(c.pending, "a=mid:1\r\n") || !strings.Contains(c.pending, "BUNDLE 0 7 2 s-v\r\n") {
		t.Errorf("the old line is still offered:\n%s", c.pending)
	}
	if !strings.Contains(c.pending, "a=simulcast:recv h;m;l\r\n") {
		t.Errorf("the offer forgets simulcast:\n%s", c.pending)
	}
}
