package sfukit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// TestDynacastOnAnOldLine: a simulcast track that comes back on its m-line has all
// encodings wanted, and its publisher must hear so, since its sender still has those
// switched off that nobody wanted before.
func TestDynacastOnAnOldLine(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	c := join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		addTrack(t, pc, webrtc.MimeTypeVP8, "camera", "q", "h", "f")
	}})
	mid := c.pc.GetTransceivers()[0].Mid()
	is := func(rids ...sfukit.SfuRid) func() bool {
		return func() bool {
			n := len(c.wanted)
			return n > 0 && c.wanted[n-1].MID == mid && slices.Equal(c.wanted[n-1].RIDs, rids)
		}
	}
	c.wait("the word that nobody wants h and f", is("q"))

	again, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, sdp := range []string{strings.Replace(again.SDP, "a=sendonly", "a=inactive", 1), again.SDP} {
		if err := c.peer.Offer(t.Context(), sdp, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
	c.wait("the word that all are wanted again", is("q", "h", "f"))
}
