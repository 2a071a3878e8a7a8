package sdpx_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
)

// mutate drops, repeats and swaps lines, and mixes in what stands elsewhere.
func mutate(r *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\r\n")
	lines = lines[:len(lines)-1] // nothing stands behind the last line end
	for range 1 + r.IntN(4) {
		i, j := r.IntN(len(lines)), r.IntN(len(lines))
		switch r.IntN(5) {
		case 0:
			lines = append(lines[:i:i], lines[i+1:]...)
		case 1:
			lines = append(lines[:i:i], append([]string{lines[j]}, lines[i:]...)...)
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3: // one number for another
			lines[i] = strings.Map(func(c rune) rune {
				if c >= '0' && c <= '9' && r.IntN(3) == 0 {
					return '0' + rune(r.IntN(10))
				}
				return c
			}, lines[i])
		case 4:
			lines[i] = strings.NewReplacer("sendonly", "inactive", "sendrecv", "recvonly", "m=video 9", "m=video 0",
				"VP8", "H264", "send", "recv", "FID", "SIM", "opus", "PCMU").Replace(lines[i])
		}
	}
	return strings.Join(lines, "")
}

// TestPionTakesWhatIsAccepted: whatever CheckOffer lets pass, as a first offer or as
// a later one, pion answers, is stable afterwards, and can make an offer itself. The
// descriptions are a browser's with a few lines out of place, which is what gets past a parser.
func TestPionTakesWhatIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, err := vnet.NewNet(&vnet.NetConfig{})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 4))
		accepted, again := 0, 0
		for range 300 {
			base := chrome
			if r.IntN(2) == 0 {
				base = firefox
			}
			first := mutate(r, base)
			o, err := sdpx.CheckOffer(first, limits)
			if err != nil {
				continue
			}
			accepted++
			pc := newPC(t, n, true)
			lines := takes(t, pc, o)
			for range 6 {
				next, err := sdpx.CheckOffer(mutate(r, first), limits)
				if err != nil || sdpx.CheckReoffer(o, lines, nil, next) != nil {
					continue
				}
				again++
				o, lines = next, takes(t, pc, next)
			}
			if _, err := pc.CreateOffer(nil); err != nil {
				t.Errorf("no offer of ours after that: %v\n%s", err, o.ForPion(nil))
			}
			if err := pc.GracefulClose(); err != nil {
				t.Error(err)
			}
		}
		if accepted < 60 || again < 150 {
			t.Errorf("only %d first and %d later offers were accepted", accepted, again)
		}
	})
}

// takes runs an exchange without a client.
func takes(t *testing.T, pc *webrtc.PeerConnection, o *sdpx.Offer) []sdpx.Line {
	t.Helper()
	text := o.ForPion(nil)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: text}); err != nil {
		t.Fatalf("refused: %v\n%s", err, text)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatalf("no answer: %v\n%s", err, text)
	}
	if err := pc.SetLocalDescription(answer); err != nil {
		t.Fatalf("own answer refused: %v\n%s", err, answer.SDP)
	}
	if s := pc.SignalingState(); s != webrtc.SignalingStateStable {
		t.Fatalf("%s after an exchange", s)
	}
	got, lines := sdpx.Answer(answer.SDP, o, nil)
	if len(lines) != len(o.Sections) {
		t.Fatalf("%d sections answered, %d offered:\n%s", len(lines), len(o.Sections), got)
	}
	return lines
}
