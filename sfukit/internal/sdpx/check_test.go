package sdpx_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

func mustCheck(t *testing.T, offer string) *sdpx.Offer {
	t.Helper()
	o, err := sdpx.CheckOffer(offer, limits)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func reasonOf(err error) sdpx.Reason {
	var e *sdpx.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Reason
}

func TestChromeOffer(t *testing.T) {
	o := mustCheck(t, chrome)
	if got, want := o.ICE(), (sdpx.Credentials{Ufrag: "Jtwq", Pwd: "0PV5XmhFvb8BfQl2x5pBxUqL"}); got != want {
		t.Errorf("ICE() = %v, want %v", got, want)
	}
	if len(o.Sections) != 3 {
		t.Fatalf("%d sections, want 3", len(o.Sections))
	}
	audio, video, data := &o.Sections[0], &o.Sections[1], &o.Sections[2]
	for _, tc := range []struct {
		what      string
		got, want any
	}{
		{"audio", fmt.Sprint(audio.MID, " ", audio.Kind, audio.Direction, audio.Port), "0 audio sendrecv 9"},
		{"audio codecs", codecs(audio), "111 audio/opus/48000/2 minptime=10;useinbandfec=1 [transport-cc]"},
		{
			"audio extensions", fmt.Sprint(audio.Extensions),
			"[{1 urn:ietf:params:rtp-hdrext:ssrc-audio-level} {4 urn:ietf:params:rtp-hdrext:sdes:mid}]",
		},
		{"audio names", audio.StreamID + " " + audio.TrackID, "s mic"},
		{"audio SSRCs", audio.SSRCs, []uint32{1001}},
		{"video", fmt.Sprint(video.MID, " ", video.Kind, video.Direction), "1 video sendonly"},
		{
			"video codecs", codecs(video),
			"96 video/VP8/90000/0  [goog-remb transport-cc ccm fir nack nack pli]\n97 video/rtx/90000/0 apt=96 []",
		},
		{"video rids", video.RIDs, []string{"h", "m", "l"}},
		{"data", fmt.Sprint(data.MID, " ", data.Kind, data.Usable()), "2 application true"},
	} {
		if !reflect.DeepEqual(tc.got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.what, tc.got, tc.want)
		}
	}
	if pt, ok := video.RTXFor(96); pt != 97 || !ok {
		t.Errorf("RTXFor(96) = %d, %v; want 97, true", pt, ok)
	}
	if pt, ok := video.RTXFor(98); ok {
		t.Errorf("RTXFor(98) = %d, want none", pt)
	}
}

func codecs(s *sdpx.Section) string {
	var out []string
	for _, c := range s.Codecs {
		out = append(out, fmt.Sprintf("%d %s/%d/%d %s %v", c.PayloadType, c.MIME, c.ClockRate, c.Channels, c.FMTP, c.Feedback))
	}
	return strings.Join(out, "\n")
}

func TestFirefoxOffer(t *testing.T) {
	o := mustCheck(t, firefox)
	video := &o.Sections[1]
	if video.Rejected || video.Port != 0 {
		t.Errorf("bundle-only section: rejected %v, port %d; want false, 0", video.Rejected, video.Port)
	}
	if got, want := codecs(video),
		"120 video/VP8/90000/0 max-fs=12288;max-fr=60 [nack pli nack]\n124 video/rtx/90000/0 apt=120 [nack]"; got != want {
		t.Errorf("codecs\n%s\nwant\n%s", got, want)
	}
	if want := map[uint32]uint32{3001: 3002}; !reflect.DeepEqual(video.SSRCs, []uint32{3001}) || !reflect.DeepEqual(video.RTX, want) {
		t.Errorf("SSRCs %v, RTX %v; want [3001], %v", video.SSRCs, video.RTX, want)
	}
	if n := len(o.Sections[0].Extensions); n != 2 {
		t.Errorf("%d extensions, want 2: the one we would send is not the client's", n)
	}
}

// TestRefusals changes one thing of a good offer at a time.
func TestRefusals(t *testing.T) {
	// In the audio section, whose direction Chrome has as sendrecv.
	audio := func(lines string) func(string) string { return edit("a=sendrecv\r\n", "a=sendrecv\r\n"+lines) }
	var many strings.Builder
	for i := range 65 {
		fmt.Fprintf(&many, "a=ssrc:%d cname:x\r\n", 5000+i)
	}
	for _, tc := range []struct {
		name string
		edit func(string) string
		want sdpx.Reason
	}{
		{"untouched", edit("", ""), ""},
		{"LF only", edit("\r\n", "\n"), ""},
		{"setup passive", edit("a=setup:actpass", "a=setup:passive"), ""},
		{"too long", func(s string) string { return s + strings.Repeat("a=x\r\n", 1<<16) }, sdpx.ReasonSize},
		{"empty", func(string) string { return "" }, sdpx.ReasonSections},
		{"no text of SDP", func(string) string { return "hello\nm=audio 9 UDP/TLS/RTP/SAVPF 111\n" }, sdpx.ReasonSyntax},
		{"NUL", edit("mic", "m\x00c"), sdpx.ReasonSyntax},
		{"bare CR", edit("s mic\r\n", "s mic\ra=inactive\r\n"), sdpx.ReasonSyntax},
		{"many sections", func(s string) string { return s + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", 1030) }, sdpx.ReasonSections},
		{"m=text", edit("m=application", "m=text"), sdpx.ReasonKind},
		{"m=image", edit("m=application", "m=image"), sdpx.ReasonKind},
		{"plain RTP", edit("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP"), sdpx.ReasonKind},
		{"audio over SCTP", edit("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 UDP/DTLS/SCTP"), sdpx.ReasonKind},
		{"application over RTP", edit("UDP/DTLS/SCTP webrtc-datachannel", "UDP/TLS/RTP/SAVPF 0"), sdpx.ReasonKind},
		{"two data sections", func(s string) string {
			i := strings.Index(s, "m=application")
			d := strings.Replace(s[i:], "a=mid:2", "a=mid:3", 1)
			return strings.Replace(s, "BUNDLE 0 1 2", "BUNDLE 0 1 2 3", 1) + d
		}, sdpx.ReasonKind},
		{"no mid", edit("a=mid:1\r\n", ""), sdpx.ReasonMID},
		{"mid twice", edit("a=mid:1\r\n", "a=mid:0\r\n"), sdpx.ReasonMID},
		{"two mids", audio("a=mid:9\r\n"), sdpx.ReasonMID},
		{"long mid", edit("a=mid:1\r\n", "a=mid:12345678901234567\r\n"), sdpx.ReasonMID},
		{"mid with a space", edit("a=mid:1\r\n", "a=mid:1 2\r\n"), sdpx.ReasonMID},
		{"no group", edit("a=group:BUNDLE 0 1 2\r\n", ""), sdpx.ReasonBundle},
		{"section outside the group", edit("BUNDLE 0 1 2", "BUNDLE 0 2"), sdpx.ReasonBundle},
		{"all rejected", func(s string) string {
			s = strings.ReplaceAll(s, "m=audio 9", "m=audio 0")
			return strings.ReplaceAll(strings.ReplaceAll(s, "m=video 9", "m=video 0"), "m=application 9", "m=application 0")
		}, sdpx.ReasonBundle},
		{"no ufrag", edit("a=ice-ufrag:Jtwq\r\n", ""), sdpx.ReasonICE},
		{"short ufrag", edit("a=ice-ufrag:Jtwq", "a=ice-ufrag:Jtw"), sdpx.ReasonICE},
		{"ufrag with a colon", edit("a=ice-ufrag:Jtwq", "a=ice-ufrag:Jt:wq"), sdpx.ReasonICE},
		{"long ufrag", edit("a=ice-ufrag:Jtwq", "a=ice-ufrag:"+strings.Repeat("x", 257)), sdpx.ReasonICE},
		{"short password", edit("0PV5XmhFvb8BfQl2x5pBxUqL", "0PV5XmhFvb8BfQl2x5pBx"), sdpx.ReasonICE},
		{"no fingerprint", edit("a=fingerprint:sha-256 "+print32+"\r\n", ""), sdpx.ReasonFingerprint},
		{"sha-1 only", edit("a=fingerprint:sha-256", "a=fingerprint:sha-1"), sdpx.ReasonFingerprint},
		{"short fingerprint", edit(":19:08", ":19"), sdpx.ReasonFingerprint},
		{"fingerprint of other letters", edit(":19:08", ":19:0x"), sdpx.ReasonFingerprint},
		{"fingerprint without colons", edit("6B:8B", "6B-8B"), sdpx.ReasonFingerprint},
		{"setup active", edit("a=setup:actpass", "a=setup:active"), sdpx.ReasonSetup},
		{"no setup", edit("a=setup:actpass\r\n", ""), sdpx.ReasonSetup},
		{"SDES", audio("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n"), sdpx.ReasonCrypto},
		{"no rtcp-mux", edit("a=rtcp-mux\r\n", ""), sdpx.ReasonRTCPMux},
		{"two directions", audio("a=inactive\r\n"), sdpx.ReasonDirection},
		{"no codec of ours", edit("VP8/90000", "H265/90000"), sdpx.ReasonCodecs},
		{"payload type 128", edit("RTP/SAVPF 96", "RTP/SAVPF 128 96"), sdpx.ReasonPayloadType},
		{"payload type twice", edit("RTP/SAVPF 96", "RTP/SAVPF 96 96"), sdpx.ReasonPayloadType},
		{"payload type of letters", edit("RTP/SAVPF 96", "RTP/SAVPF x 96"), sdpx.ReasonPayloadType},
		{"rtpmap twice", audio("a=rtpmap:111 opus/48000/2\r\n"), sdpx.ReasonPayloadType},
		{"rtpmap without clock", edit("opus/48000/2", "opus"), sdpx.ReasonPayloadType},
		{"extension id twice", audio("a=extmap:1 urn:x\r\n"), sdpx.ReasonExtension},
		{"extension id 0", audio("a=extmap:0 urn:x\r\n"), sdpx.ReasonExtension},
		{"extension without URI", audio("a=extmap:7\r\n"), sdpx.ReasonExtension},
		{"extension with a bad URI", audio("a=extmap:7 http://[\r\n"), sdpx.ReasonExtension},
		{"extension id with two meanings", audio("a=extmap:10 urn:x\r\n"), sdpx.ReasonExtension},
		{"extension without id yet", audio("a=extmap:4096 urn:x\r\n"), ""},
		{"too many SSRCs", audio(many.String()), sdpx.ReasonCount},
		{"too many rids", edit("a=rid:h send\r\n", "a=rid:h send\r\n"+repeat("a=rid:x%d send\r\n", 8)), sdpx.ReasonCount},
		{"too many extensions", audio(repeat("a=extmap:1%02[1]d urn:%[1]d\r\n", 80)), sdpx.ReasonCount},
		{"too much feedback", audio(repeat("a=rtcp-fb:111 x%d\r\n", 30)), sdpx.ReasonCount},
		{"long rid", edit("a=rid:h send", "a=rid:hhhhhhhhhhhhhhhhh send"), sdpx.ReasonCount},
	} {
		_, err := sdpx.CheckOffer(tc.edit(chrome), limits)
		if got := reasonOf(err); got != tc.want {
			t.Errorf("%s: refused for %q (%v), want %q", tc.name, got, err, tc.want)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%s: an error of %d bytes", tc.name, len(err.Error()))
		}
	}
}

func edit(before, after string) func(string) string {
	return func(s string) string {
		if before == "" {
			return s
		}
		return strings.ReplaceAll(s, before, after)
	}
}

func repeat(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}

func TestSimulcastForms(t *testing.T) {
	for _, tc := range []struct {
		name, lines string
		want        []string
	}{
		{"none", "", nil},
		{"order of simulcast, not of rid", "a=rid:a send\r\na=rid:b send\r\na=simulcast:send b;a\r\n", []string{"b", "a"}},
		{"both ways", "a=rid:a send\r\na=rid:z recv\r\na=simulcast:recv z send a\r\n", []string{"a"}},
		{"alternatives and pauses", "a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=simulcast:send ~a,b;~c\r\n", []string{"a", "c"}},
		{"older form", "a=rid:a send\r\na=rid:b send\r\na=simulcast: send rid=a;b\r\n", []string{"a", "b"}},
		{"unknown and repeated", "a=rid:a send\r\na=simulcast:send a;x;a\r\n", []string{"a"}},
		{"restrictions", "a=rid:a send pt=96;max-width=640\r\na=simulcast:send a\r\n", []string{"a"}},
		{"rid alone", "a=rid:a send\r\n", []string{"a"}},
	} {
		text := strings.Replace(chrome, "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;~l\r\n", tc.lines, 1)
		o := mustCheck(t, text)
		if got := o.Sections[1].RIDs; !reflect.DeepEqual(got, tc.want) && len(got)+len(tc.want) > 0 {
			t.Errorf("%s: rids %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestCheckReoffer(t *testing.T) {
	first := mustCheck(t, chrome)
	lines := []sdpx.Line{{MID: "0", Kind: sdpx.KindAudio}, {MID: "1", Kind: sdpx.KindVideo}, {MID: "2", Kind: sdpx.KindApplication}}
	ours := func(mid string) sdpx.Role {
		if mid == "9" {
			return sdpx.OursActive
		}
		return sdpx.Absent
	}
	stopped := append([]sdpx.Line{}, lines...)
	stopped[1].Rejected = true
	for _, tc := range []struct {
		name  string
		lines []sdpx.Line
		edit  func(string) string
		want  sdpx.Reason
	}{
		{"the same", lines, edit("", ""), ""},
		{"shorter than the session", append(lines[:3:3], sdpx.Line{MID: "3", Kind: sdpx.KindAudio}), edit("", ""), sdpx.ReasonSections},
		{"longer than the session", lines[:1], edit("", ""), ""},
		{"another mid", lines, renameMID("1", "7"), sdpx.ReasonMID},
		{"another kind", []sdpx.Line{{MID: "0", Kind: sdpx.KindVideo}}, edit("", ""), sdpx.ReasonMID},
		{"recycled", stopped, renameMID("1", "7"), ""},
		{"recycled under a mid in use", append(stopped[:2:2], sdpx.Line{MID: "7", Kind: sdpx.KindApplication}), renameMID("1", "7"), sdpx.ReasonMID},
		{"new under a mid of ours", lines[:2], renameMID("2", "9"), sdpx.ReasonMID},
	} {
		err := sdpx.CheckReoffer(first, tc.lines, ours, mustCheck(t, tc.edit(chrome)))
		if got := reasonOf(err); got != tc.want {
			t.Errorf("%s: refused for %q (%v), want %q", tc.name, got, err, tc.want)
		}
	}
	if err := sdpx.CheckReoffer(nil, nil, nil, first); err != nil {
		t.Errorf("first offer: %v", err)
	}
}

// A payload type means one thing, in an offer and from one to the next: pion would
// stop half-way through a description that says otherwise.
func TestPayloadTypesAgree(t *testing.T) {
	all := sdpx.Limits{}
	i, j := strings.Index(chrome, "m=audio"), strings.Index(chrome, "m=video")
	second := strings.Replace(strings.Replace(chrome[i:j], "a=mid:0", "a=mid:5", 1), "PCMU/8000", "PCMU/16000", 1)
	two := strings.Replace(chrome, "BUNDLE 0", "BUNDLE 0 5", 1) + second
	if _, err := sdpx.CheckOffer(two, all); reasonOf(err) != sdpx.ReasonPayloadType {
		t.Errorf("two sections: %v, want %s", err, sdpx.ReasonPayloadType)
	}
	before, err := sdpx.CheckOffer(chrome, all)
	if err != nil {
		t.Fatal(err)
	}
	after, err := sdpx.CheckOffer(strings.Replace(chrome, "VP9/90000", "AV1/90000", 1), all)
	if err != nil {
		t.Fatal(err)
	}
	if err := sdpx.CheckReoffer(before, nil, nil, after); reasonOf(err) != sdpx.ReasonPayloadType {
		t.Errorf("two offers: %v, want %s", err, sdpx.ReasonPayloadType)
	}
}

// A codec with a clock it cannot have, or a parameter of another, is none of ours,
// whatever its name.
func TestImpossibleCodecs(t *testing.T) {
	for _, edit := range []func(string) string{
		edit("opus/48000/2", "opus/16000/2"), edit("opus/48000/2", "opus/48000"), edit("VP8/90000", "VP8/48000"),
		edit("a=fmtp:111 minptime=10", "a=fmtp:111 apt=473;minptime=10"),
	} {
		if _, err := sdpx.CheckOffer(edit(chrome), limits); reasonOf(err) != sdpx.ReasonCodecs {
			t.Errorf("%v, want %s", err, sdpx.ReasonCodecs)
		}
	}
}

func renameMID(from, to string) func(string) string {
	return func(s string) string {
		s = strings.Replace(s, "BUNDLE 0 1 2", strings.Replace("BUNDLE 0 1 2", from, to, 1), 1)
		return strings.Replace(s, "a=mid:"+from+"\r\n", "a=mid:"+to+"\r\n", 1)
	}
}
