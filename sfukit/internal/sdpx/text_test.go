package sdpx_test

import (
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// crlf makes a description from lines.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func TestForPionOfFirefox(t *testing.T) {
	o := mustCheck(t, firefox)
	got := o.ForPion(func(mid string) sdpx.Role {
		if mid == "1" { // pretend that we made it
			return sdpx.OursIdle
		}
		return sdpx.Absent
	})
	transport := []string{
		"a=setup:actpass", "a=ice-ufrag:1d2c3b4a", "a=ice-pwd:6ca4f3d0b1e2a9c8d7e6f5a4b3c2d1e0",
		"a=fingerprint:sha-256 " + print32,
	}
	want := crlf("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=ice-options:trickle",
		"m=audio 9 UDP/TLS/RTP/SAVPF 109", "c=IN IP4 0.0.0.0", "a=mid:0") + crlf(transport...) +
		crlf("a=rtcp-mux", "a=sendonly",
			"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
			"a=rtpmap:109 opus/48000/2", "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
			"a=msid:{ms} {audio}", "a=ssrc:2001 cname:-",
			"m=video 9 UDP/TLS/RTP/SAVPF 120 124", "c=IN IP4 0.0.0.0", "a=mid:1") + crlf(transport...) +
		crlf("a=rtcp-mux", "a=rtcp-rsize", "a=recvonly", "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
			"a=rtpmap:120 VP8/90000", "a=fmtp:120 max-fs=12288;max-fr=60", "a=rtcp-fb:120 nack pli", "a=rtcp-fb:120 nack",
			"a=rtpmap:124 rtx/90000", "a=fmtp:124 apt=120", "a=rtcp-fb:124 nack")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What names the sender: RIDs if there are any, else one SSRC with its repair, else
// one that does not exist.
func TestForPionSources(t *testing.T) {
	for _, tc := range []struct {
		name, offer string
		want, not   []string
	}{
		{
			"simulcast", chrome,
			[]string{"a=msid:s cam", "a=rid:l send", "a=simulcast:send h;m;l", "a=extmap-allow-mixed"},
			[]string{"a=candidate", "H264", "red/48000", "telephone-event", "~l", "a=inactive", "a=sendrecv"},
		},
		{
			"SSRC and repair", firefox,
			[]string{"a=ssrc-group:FID 3001 3002", "a=ssrc:3001 cname:-"},
			[]string{"a=ssrc:3002"},
		},
		{
			"neither, nor a name", strings.NewReplacer("a=ssrc:2001 cname:{who}\r\n", "", "a=msid:{ms} {audio}\r\n", "").Replace(firefox),
			[]string{"a=msid:- 0\r\n", "a=ssrc:4294967295 cname:-"},
			nil,
		},
		{
			"several SSRCs", strings.Replace(firefox, "a=ssrc:2001", "a=ssrc:2000 cname:x\r\na=ssrc:2001", 1),
			[]string{"a=ssrc:2000 cname:-"},
			[]string{"a=ssrc:2001"},
		},
	} {
		got := mustCheck(t, tc.offer).ForPion(nil)
		for _, w := range tc.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: no %q in\n%s", tc.name, w, got)
			}
		}
		for _, n := range tc.not {
			if strings.Contains(got, n) {
				t.Errorf("%s: %q in\n%s", tc.name, n, got)
			}
		}
	}
}

// pion's text for a client's line, two of ours, and one it made up.
var made = crlf("v=0", "s=-", "a=group:BUNDLE 0 1 2 3",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=recvonly", "a=candidate:1 1 udp 1 10.0.0.1 7878 typ host",
	"m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=ssrc:7 cname:x", "a=msid:x y", "a=sendonly",
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2", "a=sctp-port:5000",
	"m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:3", "a=sendrecv")

func TestServerOffer(t *testing.T) {
	data := crlf("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:2", "a=sctp-port:5000")
	head := crlf("v=0", "s=-", "a=group:BUNDLE 0 1 2")
	audio := crlf("m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=recvonly", "a=candidate:1 1 udp 1 10.0.0.1 7878 typ host")
	lines := []sdpx.Line{{MID: "0", Kind: sdpx.KindAudio}}
	for _, tc := range []struct {
		name  string
		lines []sdpx.Line
		roles map[string]sdpx.Role
		want  string
	}{
		{
			"active", lines,
			map[string]sdpx.Role{"0": sdpx.ClientSends, "1": sdpx.OursActive},
			head + audio + crlf("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=ssrc:7 cname:x", "a=msid:x y", "a=sendonly", "a=rtcp-fb:* ack ccfb") + data,
		},
		{
			"idle", lines,
			map[string]sdpx.Role{"0": sdpx.ClientIdle, "1": sdpx.OursIdle},
			head + strings.Replace(audio, "a=recvonly", "a=inactive", 1) + crlf("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=inactive", "a=rtcp-fb:* ack ccfb") + data,
		},
		{
			"a line of the session stays whatever its role", lines,
			map[string]sdpx.Role{"1": sdpx.OursIdle},
			head + strings.Replace(audio, "a=recvonly", "a=inactive", 1) + crlf("m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=inactive", "a=rtcp-fb:* ack ccfb") + data,
		},
		{
			"rejected, its candidates move",
			[]sdpx.Line{{MID: "0", Kind: sdpx.KindAudio, Rejected: true}},
			map[string]sdpx.Role{"1": sdpx.OursIdle},
			crlf("v=0", "s=-", "a=group:BUNDLE 1 2",
				"m=audio 0 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0", "a=inactive", "a=rtpmap:111 opus/48000/2",
				"m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=inactive", "a=rtcp-fb:* ack ccfb", "a=candidate:1 1 udp 1 10.0.0.1 7878 typ host") + data,
		},
	} {
		got := sdpx.ServerOffer(made, tc.lines, func(mid string) sdpx.Role { return tc.roles[mid] })
		if got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestAnswerDirections goes through what we are to a line and what the client says.
func TestAnswerDirections(t *testing.T) {
	for _, tc := range []struct {
		role  sdpx.Role
		offer string
		want  string
	}{
		{sdpx.Absent, "sendrecv", "recvonly"},
		{sdpx.Absent, "sendonly", "recvonly"},
		{sdpx.Absent, "recvonly", "inactive"},
		{sdpx.Absent, "inactive", "inactive"},
		{sdpx.ClientSends, "inactive", "inactive"},
		{sdpx.ClientIdle, "sendonly", "recvonly"},
		{sdpx.OursActive, "sendrecv", "sendonly"},
		{sdpx.OursActive, "recvonly", "sendonly"},
		{sdpx.OursActive, "sendonly", "inactive"},
		{sdpx.OursActive, "inactive", "inactive"},
		{sdpx.OursIdle, "recvonly", "inactive"},
	} {
		o := mustCheck(t, strings.Replace(firefox, "a=sendrecv", "a="+tc.offer, 1))
		pion := crlf("v=0", "s=-", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 109", "a=mid:0", "a=msid:a b", "a=recvonly",
			"m=video 9 UDP/TLS/RTP/SAVPF 120", "a=mid:1", "a=recvonly")
		got, lines := sdpx.Answer(pion, o, func(mid string) sdpx.Role {
			if mid == "0" {
				return tc.role
			}
			return sdpx.Absent
		})
		if !strings.Contains(got, "a="+tc.want+"\r\nm=video") || strings.Contains(got, "a=msid") != (tc.want == "sendonly") {
			t.Errorf("role %d, offered %s: no %s, or msid where nothing is sent, in\n%s", tc.role, tc.offer, tc.want, got)
		}
		if len(lines) != 2 || lines[0] != (sdpx.Line{MID: "0", Kind: sdpx.KindAudio}) {
			t.Errorf("role %d, offered %s: lines %v", tc.role, tc.offer, lines)
		}
	}
}

// An answer to a single rid without a=simulcast must not have one.
func TestAnswerWithoutSimulcast(t *testing.T) {
	o := mustCheck(t, strings.Replace(chrome, "a=simulcast:send h;m;~l\r\n", "", 1))
	pion := crlf("v=0", "a=group:BUNDLE 0 1 2", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=recvonly",
		"m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=rid:h recv", "a=simulcast:recv h", "a=recvonly")
	if got, _ := sdpx.Answer(pion, o, nil); strings.Contains(got, "simulcast") || !strings.Contains(got, "a=rid:h recv") {
		t.Errorf("got\n%s\nwant the rid and no simulcast", got)
	}
}

// answering makes the text of an offer what an answer may say.
func answering(offer string) string {
	return strings.ReplaceAll(offer, "a=setup:actpass", "a=setup:passive")
}

func TestForPionAnswerRefuses(t *testing.T) {
	pending := strings.ReplaceAll(firefox, "a=sendrecv", "a=sendonly")
	good := strings.ReplaceAll(answering(firefox), "a=sendrecv", "a=recvonly")
	ice := sdpx.Credentials{Ufrag: "1d2c3b4a", Pwd: "6ca4f3d0b1e2a9c8d7e6f5a4b3c2d1e0"}
	for _, tc := range []struct {
		name string
		edit func(string) string
		want sdpx.Reason
	}{
		{"untouched", edit("", ""), ""},
		{"setup active", edit("a=setup:passive", "a=setup:active"), ""},
		{"setup actpass", edit("a=setup:passive", "a=setup:actpass"), sdpx.ReasonSetup},
		{"setup of a hold", edit("a=setup:passive", "a=setup:holdconn"), sdpx.ReasonSetup},
		{"no setup", edit("a=setup:passive\r\n", ""), sdpx.ReasonSetup},
		{"rejected without mid", edit("a=bundle-only\r\na=recvonly", "a=inactive"), ""},
		{"nothing", edit(good, ""), sdpx.ReasonSections},
		{"not SDP", edit("v=0", "v=1"), sdpx.ReasonSyntax},
		{"a section more", func(s string) string { return s + s[strings.Index(s, "m=video"):] }, sdpx.ReasonSections},
		{"a section less", func(s string) string { return s[:strings.Index(s, "m=video")] }, sdpx.ReasonSections},
		{"another mid", edit("a=mid:1", "a=mid:7"), sdpx.ReasonMID},
		{"no mid", edit("a=mid:1\r\n", ""), sdpx.ReasonMID},
		{"another kind", edit("m=video", "m=audio"), sdpx.ReasonMID},
		{"all rejected", func(s string) string {
			return strings.Replace(strings.Replace(s, "a=bundle-only\r\n", "", 1), "m=audio 9", "m=audio 0", 1)
		}, sdpx.ReasonSections},
		{"another ufrag", edit("1d2c3b4a", "1d2c3b4b"), sdpx.ReasonICE},
		{"another password", edit("6ca4f3d0", "6ca4f3d1"), sdpx.ReasonICE},
		{"no fingerprint", edit("a=fingerprint", "a=nothing"), sdpx.ReasonFingerprint},
		{"two directions", edit("a=recvonly\r\n", "a=recvonly\r\na=sendonly\r\n"), sdpx.ReasonDirection},
	} {
		_, err := sdpx.ForPionAnswer(tc.edit(good), pending, ice, nil, limits)
		if got := reasonOf(err); got != tc.want {
			t.Errorf("%s: refused for %q (%v), want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestReply(t *testing.T) {
	pending := strings.ReplaceAll(firefox, "a=sendrecv", "a=sendonly")
	good := strings.ReplaceAll(answering(firefox), "a=bundle-only\r\na=sendrecv", "a=inactive")
	r, err := sdpx.ForPionAnswer(good, pending, sdpx.Credentials{}, func(string) sdpx.Role { return sdpx.OursActive }, limits)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		mid      string
		accepted bool
	}{{"0", true}, {"1", false}, {"unknown", false}} {
		if got := r.Accepted(tc.mid); got != tc.accepted {
			t.Errorf("%s: accepted %v, want %v", tc.mid, got, tc.accepted)
		}
	}
	if !strings.Contains(r.SDP, "m=video 9 UDP/TLS/RTP/SAVPF 120 124\r\n") || strings.Contains(r.SDP, "a=inactive") {
		t.Errorf("pion would see the refusal:\n%s", r.SDP)
	}
}

// An answer in payload types that were not offered accepts nothing.
func TestReplyInOtherPayloadTypes(t *testing.T) {
	pending := strings.ReplaceAll(firefox, "a=sendrecv", "a=sendonly")
	other := strings.NewReplacer("SAVPF 109", "SAVPF 108", "map:109", "map:108").Replace(answering(firefox))
	r, err := sdpx.ForPionAnswer(other, pending, sdpx.Credentials{}, nil, limits)
	if err != nil {
		t.Fatal(err)
	}
	if r.Accepted("0") || !r.Accepted("1") || !strings.Contains(r.SDP, "m=audio 9 UDP/TLS/RTP/SAVPF 109") {
		t.Errorf("accepted %v and %v, want false and true; pion would see\n%s", r.Accepted("0"), r.Accepted("1"), r.SDP)
	}
}

func TestSyntheticAnswerNeedsBoth(t *testing.T) {
	for _, tc := range [][2]string{{"", made}, {made, ""}, {"", ""}} {
		if _, err := sdpx.SyntheticAnswer(tc[0], tc[1]); reasonOf(err) != sdpx.ReasonSections {
			t.Errorf("SyntheticAnswer(%.8q, %.8q) = %v, want %s", tc[0], tc[1], err, sdpx.ReasonSections)
		}
	}
}
