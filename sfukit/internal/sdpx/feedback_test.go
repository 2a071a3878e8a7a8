package sdpx_test

import (
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// pion's text for a microphone of the client's and an audio line of ours.
var talk = crlf("v=0", "s=-", "a=group:BUNDLE 0 1",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=rtpmap:63 red/48000/2", "a=recvonly",
	"m=audio 9 UDP/TLS/RTP/SAVPF 109 63", "a=mid:1", "a=rtpmap:109 opus/48000/2", "a=rtpmap:63 red/48000/2", "a=rtcp-fb:109 transport-cc", "a=sendonly")

// feedback lists the feedback attributes of each section.
func feedback(text string) (all []string) {
	for _, section := range strings.Split(text, "\r\nm=")[1:] {
		var lines []string
		for line := range strings.SplitSeq(section, "\r\n") {
			if v, ok := strings.CutPrefix(line, "a=rtcp-fb:"); ok {
				lines = append(lines, v)
			}
		}
		all = append(all, strings.Join(lines, ", "))
	}
	return all
}

// TestFeedbackOfOurs checks that our lines promise to take NACKs for Opus and
// congestion control feedback, and a client's never do.
func TestFeedbackOfOurs(t *testing.T) {
	for _, role := range []sdpx.Role{sdpx.OursActive, sdpx.OursIdle} {
		for _, client := range []sdpx.Role{sdpx.ClientSends, sdpx.ClientIdle} {
			roles := func(mid string) sdpx.Role { return map[string]sdpx.Role{"0": client, "1": role}[mid] }
			got := feedback(sdpx.ServerOffer(talk, nil, roles))
			if want := "109 transport-cc, 109 nack, * ack ccfb"; got[0] != "" || got[1] != want {
				t.Errorf("roles %d and %d: feedback %q and %q, want none and %q", client, role, got[0], got[1], want)
			}
		}
	}
}

// TestFeedbackInAnswers answers an offer of the client's that shows a line of ours:
// what was agreed for it must not get lost.
func TestFeedbackInAnswers(t *testing.T) {
	section := func(mid, dir string, feedback ...string) string {
		s := crlf("m=audio 9 UDP/TLS/RTP/SAVPF 109", "c=IN IP4 0.0.0.0") + common +
			crlf("a=mid:"+mid, "a=rtcp-mux", "a="+dir, "a=rtpmap:109 opus/48000/2")
		for _, f := range feedback {
			s += crlf("a=rtcp-fb:" + f)
		}
		return s
	}
	head := crlf("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1")
	ours := func(mid string) sdpx.Role {
		return map[string]sdpx.Role{"0": sdpx.ClientSends, "1": sdpx.OursActive}[mid]
	}
	for _, tc := range []struct {
		name string
		line string
		want string
	}{
		{"nothing said", section("1", "recvonly"), "109 transport-cc, 109 nack"},
		{"RFC 8888 agreed", section("1", "recvonly", "* ack ccfb"), "109 transport-cc, 109 nack, * ack ccfb"},
		{"not receiving", section("1", "inactive", "* ack ccfb"), "109 transport-cc"},
	} {
		o := mustCheck(t, head+section("0", "sendonly", "* ack ccfb", "109 nack")+tc.line)
		answer, _ := sdpx.Answer(talk, o, ours)
		got := feedback(answer)
		if got[0] != "" {
			t.Errorf("%s: feedback %q on a line the client sends on, want what pion said: none", tc.name, got[0])
		}
		if got[1] != tc.want {
			t.Errorf("%s: feedback %q on a line of ours, want %q", tc.name, got[1], tc.want)
		}
	}
}

// TestReplyCCFB reads from an answer whether the client will report by RFC 8888.
func TestReplyCCFB(t *testing.T) {
	roles := func(mid string) sdpx.Role {
		return map[string]sdpx.Role{"0": sdpx.ClientSends, "1": sdpx.OursActive}[mid]
	}
	offer := sdpx.ServerOffer(talk, nil, roles)
	body := func(mid, dir string) string {
		return crlf("m=audio 9 UDP/TLS/RTP/SAVPF "+map[string]string{"0": "111", "1": "109"}[mid], "c=IN IP4 0.0.0.0") +
			strings.Replace(common, "actpass", "active", 1) + crlf("a=mid:"+mid, "a=rtcp-mux", "a="+dir,
			map[string]string{"0": "a=rtpmap:111 opus/48000/2", "1": "a=rtpmap:109 opus/48000/2"}[mid])
	}
	head := crlf("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1")
	for _, tc := range []struct {
		line string
		want bool
	}{{"", false}, {"a=rtcp-fb:* ack ccfb\r\n", true}, {"a=rtcp-fb:109 ack ccfb\r\n", true}, {"a=rtcp-fb:109 ack\r\n", false}, {"a=rtcp-fb:109 transport-cc\r\n", false}} {
		r, err := sdpx.ForPionAnswer(head+body("0", "sendonly")+body("1", "recvonly")+tc.line, offer, sdpx.Credentials{}, roles, limits)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.CCFB("1"); got != tc.want {
			t.Errorf("answer with %q: CCFB %t, want %t", tc.line, got, tc.want)
		}
		if got := feedback(r.SDP); got[0] != "" || got[1] != "109 transport-cc, 109 nack" {
			t.Errorf("answer with %q: pion sees feedback %q, want none and what was offered", tc.line, got)
		}
		if r.CCFB("0") || r.CCFB("nobody's") {
			t.Errorf("answer with %q: CCFB true for a line without", tc.line)
		}
	}
}
