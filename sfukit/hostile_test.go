package sfukit_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// without returns a change that removes all lines with a prefix.
func without(prefix string) func(string) string {
	return func(offer string) string {
		var b strings.Builder
		for line := range strings.Lines(offer) {
			if !strings.HasPrefix(line, prefix) {
				b.WriteString(line)
			}
		}
		return b.String()
	}
}

func replace(old, new string) func(string) string {
	return func(offer string) string { return strings.ReplaceAll(offer, old, new) }
}

// inLast returns a change of the last section only.
func inLast(kind string, change func(string) string) func(string) string {
	return func(offer string) string {
		i := strings.LastIndex(offer, "m="+kind)
		return offer[:i] + change(offer[i:])
	}
}

// badOffers breaks an offer with audio, two videos and data in every way there is
// a reason for.
var badOffers = map[string]func(string) string{
	"size":        func(o string) string { return o + "a=x:" + strings.Repeat("y", 1<<20) + "\r\n" },
	"syntax":      func(o string) string { return strings.Replace(o, "s=-", "s=\x00", 1) },
	"sections":    func(o string) string { return o[:strings.Index(o, "m=")] },
	"kind":        replace("m=audio", "m=text"),
	"mid":         without("a=mid:1"),
	"bundle":      without("a=group:"),
	"ice":         without("a=ice-ufrag:"),
	"fingerprint": without("a=fingerprint:"),
	"setup":       replace("a=setup:actpass", "a=setup:active"),
	"crypto":      replace("a=mid:1\r\n", "a=mid:1\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"),
	"rtcp_mux":    without("a=rtcp-mux"),
	"direction":   replace("a=mid:1\r\n", "a=mid:1\r\na=inactive\r\na=recvonly\r\n"),
	"codecs": func(o string) string {
		return regexp.MustCompile(`(?m)^a=rtpmap:(\d+) .*/48000.*$`).ReplaceAllString(
			regexp.MustCompile(`(?m)^a=rtpmap:(\d+) .*/8000.*$`).ReplaceAllString(o, "a=rtpmap:$1 foreign/8000\r"), "a=rtpmap:$1 foreign/8000\r")
	},
	"payload_type": inLast("video", func(s string) string {
		return strings.Replace(s, "VP8/90000", "VP9/90000", 1)
	}),
	"extension": inLast("video", replace("urn:ietf:params:rtp-hdrext:sdes:mid", "urn:example:other")),
	"count": inLast("video", func(s string) string {
		many := "a=sendonly\r\n"
		for i := range 100 {
			many += fmt.Sprintf("a=ssrc:%d cname:x\r\n", 1000+i)
		}
		return strings.Replace(s, "a=sendonly\r\n", many, 1)
	}),
	"empty":              func(string) string { return "" },
	"not SDP":            func(string) string { return "nonsense" },
	"thousands of lines": func(o string) string { return o + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 5000) },
}

// otherReason is where the reason is not the name of the case.
var otherReason = map[string]string{"empty": "sections", "not SDP": "sections", "thousands of lines": "sections"}

// TestBadOffers sends each at Join and during a call, which goes on.
func TestBadOffers(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	publisher := camera(t, reg, "room", 1)
	viewer := camera(t, reg, "room", 2)
	first, second := viewer.from(1, sfukit.KindVideo), publisher.from(2, sfukit.KindVideo)
	flow := func() {
		t.Helper()
		viewer.flows(first, 3)
		publisher.flows(second, 3)
	}
	flow()
	goodJoin := plainOffer(t)
	addTrack(t, viewer.pc, webrtc.MimeTypeOpus, "mic")
	addTrack(t, viewer.pc, webrtc.MimeTypeVP8, "screen")
	goodReoffer, err := viewer.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range badOffers {
		reason := "sdpx: " + name
		if other := otherReason[name]; other != "" {
			reason = "sdpx: " + other
		}
		before := reg.Stats().Counters
		_, _, err := reg.Join(context.Background(), sfukit.Join{Room: "room", ID: 3, Offer: spoil(goodJoin)})
		if !errors.Is(err, sfukit.ErrBadOffer) || !strings.Contains(err.Error(), reason+":") {
			t.Errorf("Join with bad %s: %v, want ErrBadOffer for %q", name, err, reason)
		}
		err = viewer.peer.Offer(context.Background(), spoil(goodReoffer.SDP), noAnswer(t))
		if !errors.Is(err, sfukit.ErrBadOffer) || !strings.Contains(err.Error(), reason+":") {
			t.Errorf("Offer with bad %s: %v, want ErrBadOffer for %q", name, err, reason)
		}
		after := reg.Stats().Counters
		if got := after.BadOffers - before.BadOffers; got != 2 || after.Joins != before.Joins {
			t.Errorf("bad %s: %d bad offers and %d joins counted, want 2 and 0", name, got, after.Joins-before.Joins)
		}
	}
	flow()
	// What only a re-offer can do wrong.
	for name, spoil := range map[string]func(string) string{
		"a section less": func(o string) string {
			return without("a=group:")(o[:strings.Index(o, "m=")]) + "m=" + strings.Split(o, "m=")[1]
		},
		"another mid": func(o string) string {
			return strings.ReplaceAll(replace("a=mid:0\r\n", "a=mid:z\r\n")(o), "BUNDLE 0", "BUNDLE z")
		},
		"new payload use": inLast("video", replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP9/90000")),
	} {
		if err := viewer.peer.Offer(context.Background(), spoil(goodReoffer.SDP), noAnswer(t)); !errors.Is(err, sfukit.ErrBadOffer) {
			t.Errorf("Offer with %s: %v, want ErrBadOffer", name, err)
		}
	}
	flow()
	viewer.renegotiate()
	publisher.wait("the tracks of the good offer", func() bool { return len(publisher.tracks) == 3 })
	flow()
	if room, _ := reg.Room("room"); len(room.Peers()) != 2 {
		t.Errorf("%d peers in the room, want 2", len(room.Peers()))
	}
}

// TestNoiseAtTheSocket throws what the internet throws at a UDP port.
func TestNoiseAtTheSocket(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	camera(t, reg, "room", 1)
	viewer := join(t, reg, "room", 2, clientConfig{})
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.flows(mid, 5)
	conn, err := net.Dial("udp4", reg.UDPAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	ufrag := attribute(viewer.pc.RemoteDescription().SDP, "ice-ufrag")
	random := make([]byte, 1500)
	kinds := [][]byte{
		{},
		{0},
		{22},
		{128},
		binding("nobody:somebody"), binding(ufrag + ":somebody"), binding(ufrag), binding(":"), binding(""),
		append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 5, 220}, random[:1400]...), // DTLS handshake
		append([]byte{23, 254, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16}, random[:16]...),    // DTLS data
		append([]byte{21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, 2, 0),               // DTLS alert
		append([]byte{0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, random[:200]...),        // RTP
		append([]byte{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1}, random[:20]...),        // RTCP
		append([]byte("GET / HTTP/1.1\r\n"), random...),
	}
	for round := range 40 {
		for _, k := range kinds {
			if _, err := conn.Write(k); err != nil {
				t.Fatal(err)
			}
			if len(k) > 1 { // cut short anywhere
				if _, err := conn.Write(k[:1+round*7%(len(k)-1)]); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = rand.Read(random)
		if _, err := conn.Write(random[:1+round*37]); err != nil {
			t.Fatal(err)
		}
		if round%10 == 9 {
			viewer.flows(mid, 3)
		}
	}
	viewer.flows(mid, 20)
	camera(t, reg, "room", 3)
	viewer.flows(viewer.from(3, sfukit.KindVideo), 5)
	if n := reg.Stats().Counters; n.Leaves["ice_failed"]+n.Leaves["dtls_failed"]+n.Leaves["remote_closed"] != 0 {
		t.Errorf("peers left: %v, want none", n.Leaves)
	}
}

// binding is a STUN binding request (RFC 8489 section 5) of a user, with an
// integrity that cannot be right.
func binding(user string) []byte {
	attributes := binary.BigEndian.AppendUint16([]byte{0, 6}, uint16(len(user)))
	attributes = append(attributes, user...)
	attributes = append(attributes, make([]byte, (4-len(user)%4)%4)...)
	attributes = append(attributes, 0, 8, 0, 20)
	attributes = append(attributes, make([]byte, 20)...)
	b := binary.BigEndian.AppendUint16([]byte{0, 1}, uint16(len(attributes)))
	b = append(b, 0x21, 0x12, 0xa4, 0x42)
	return append(append(b, "transaction."...), attributes...)
}

// loudTrack is a track that can write any packet on its connection.
type loudTrack struct{ writer atomic.Value }

func (l *loudTrack) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	l.writer.Store(ctx.WriteStream())
	for _, c := range ctx.CodecParameters() {
		if c.MimeType == webrtc.MimeTypeVP8 {
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, errors.New("no VP8")
}

func (*loudTrack) Unbind(webrtc.TrackLocalContext) error { return nil }
func (*loudTrack) ID() string                            { return "loud" }
func (*loudTrack) RID() string                           { return "" }
func (*loudTrack) StreamID() string                      { return "local" }
func (*loudTrack) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeVideo }

// TestInventedStreams has an authenticated peer that uses ever new SSRCs.
func TestInventedStreams(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	camera(t, reg, "room", 1)
	loud := &loudTrack{}
	var cam *source
	attacker := join(t, reg, "room", 2, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeOpus, "mic")
		if _, err := pc.AddTransceiverFromTrack(loud, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
	}})
	cam.talk(func() uint8 { return 30 })
	viewer := join(t, reg, "room", 3, clientConfig{})
	attacker.flows(attacker.from(1, sfukit.KindVideo), 5)
	viewer.flows(viewer.from(2, sfukit.KindAudio), 5)
	const invented = 400
	writer, ok := loud.writer.Load().(webrtc.TrackLocalWriter)
	if !ok {
		t.Fatal("the track has not been bound")
	}
	drops := func() int64 { return reg.Stats().Counters.IngressDrops["too_many_streams"] }
	ssrc := uint32(1)
	attacker.wait("streams beyond the limit", func() bool {
		for range invented / 10 {
			ssrc++
			h := rtp.Header{Version: 2, PayloadType: 96, SSRC: ssrc, SequenceNumber: 1}
			if _, err := writer.WriteRTP(&h, []byte{0x10, 0, 0, 0}); err != nil {
				t.Errorf("write: %v", err)
			}
		}
		return drops() > 50
	})
	if ssrc < 200 {
		t.Errorf("the limit was met after %d streams, want at least 200 to be let pass", ssrc)
	}
	viewer.flows(viewer.from(1, sfukit.KindVideo), 10)
	viewer.flows(viewer.from(2, sfukit.KindAudio), 10)
	attacker.flows(attacker.from(1, sfukit.KindVideo), 10)
	if peers := viewer.peer.Room().Peers(); len(peers) != 3 {
		t.Errorf("%d peers in the room, want 3", len(peers))
	}
	select {
	case <-attacker.peer.Done():
		t.Errorf("the peer has left: %v", attacker.peer.Reason())
	default:
	}
}

// noAnswer fails a test in which a refused offer is answered.
func noAnswer(t *testing.T) func(string) {
	return func(string) { t.Error("a refused offer was answered") }
}

// TestFeedbackThatClaims has an authenticated peer send feedback of forty octets that
// claims 65535 packets, again and again: it is ended, and nobody else is.
func TestFeedbackThatClaims(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	camera(t, reg, "room", 1)
	attacker, viewer := join(t, reg, "room", 2, clientConfig{}), join(t, reg, "room", 3, clientConfig{})
	attacker.flows(attacker.from(1, sfukit.KindVideo), 5)
	claim := rtcp.RawPacket{0x8f, 205, 0, 9, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0, 0, 1, 0}
	for range 8 {
		claim = append(claim, 0x3f, 0xff) // 8191 packets arrived
	}
	claim = append(claim, 0, 0, 0, 0)
	attacker.wait("the attacker to be ended", func() bool {
		_ = attacker.pc.WriteRTCP([]rtcp.Packet{&claim})
		return attacker.peer.Reason() != sfukit.LeaveNone
	})
	if why := attacker.peer.Reason(); why != sfukit.LeaveMisbehaved {
		t.Errorf("ended for %v, want %v", why, sfukit.LeaveMisbehaved)
	}
	if n := reg.Stats().Counters.BadRTCP; n < 17 || n > 100 {
		t.Errorf("%d datagrams of it were parsed, want 17 and a few that were on their way", n)
	}
	viewer.flows(viewer.from(1, sfukit.KindVideo), 10)
}
