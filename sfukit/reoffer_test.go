package sfukit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// TestScreenComesAndGoes adds a second video track during the call, removes it,
// and shares again on the same m-line and on another.
func TestScreenComesAndGoes(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	viewer := join(t, reg, "room", 9, clientConfig{})
	presenter := camera(t, reg, "room", 1)
	camMID := viewer.from(1, sfukit.KindVideo)
	viewer.flows(camMID, 5)
	var screenMID string // at the presenter
	appears := func(want int) string {
		t.Helper()
		mid := ""
		viewer.wait("the screen beside the camera", func() bool {
			for m, i := range viewer.tracks {
				if m != camMID && i.SourceMID != "" && i.Peer == 1 {
					mid, screenMID = m, i.SourceMID
				}
			}
			return mid != "" && len(viewer.tracks) == want
		})
		viewer.flows(mid, 5)
		return mid
	}
	gone := func() {
		t.Helper()
		viewer.wait("the end of the screen", func() bool { return len(viewer.tracks) == 1 })
		viewer.flows(camMID, 5)
	}

	screen := addTrack(t, presenter.pc, webrtc.MimeTypeVP8, "screen")
	presenter.renegotiate()
	screen.run(20*time.Millisecond, 1)
	appears(2)
	first := screenMID

	if err := presenter.pc.RemoveTrack(screen.sender); err != nil {
		t.Fatal(err)
	}
	presenter.renegotiate()
	screen.close()
	gone()

	sender, err := presenter.pc.AddTrack(screen.local[0])
	if err != nil {
		t.Fatal(err)
	}
	again := &source{
		t: t, pc: presenter.pc, sender: sender, local: screen.local, rids: screen.rids,
		states: map[string]*encoder{}, stop: make(chan struct{}),
	}
	t.Cleanup(again.close)
	presenter.renegotiate()
	again.run(20*time.Millisecond, 1)
	appears(2)
	if screenMID != first {
		t.Errorf("shared again on mid %s, want %s: the test is meant to use the m-line again", screenMID, first)
	}

	if err := presenter.pc.RemoveTrack(sender); err != nil {
		t.Fatal(err)
	}
	other := addTrack(t, presenter.pc, webrtc.MimeTypeVP8, "other")
	presenter.renegotiate()
	other.run(20*time.Millisecond, 1)
	viewer.wait("the other screen alone", func() bool {
		for _, i := range viewer.tracks {
			if i.SourceMID == first {
				return false
			}
		}
		return len(viewer.tracks) == 2
	})
	appears(2)
}

func TestGlare(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	s := newSilence()
	camera(t, reg, "room", 1)
	both := join(t, reg, "room", 2, clientConfig{answer: s.hook})
	ours := both.offer(1)
	other := join(t, reg, "room", 3, clientConfig{})

	// Pion names new m-lines when it makes an offer and cannot take that back, so
	// the offer that is refused has none.
	if err := both.tryOffer(nil); !errors.Is(err, sfukit.ErrGlare) {
		t.Fatalf("offer that crosses ours: %v, want ErrGlare", err)
	}
	if n := reg.Stats().Counters.Glare; n != 1 {
		t.Errorf("%d crossings counted, want 1", n)
	}
	s.Store(false)
	both.takeOffer(ours)
	both.flows(both.from(1, sfukit.KindVideo), 5)
	cam := addTrack(t, both.pc, webrtc.MimeTypeVP8, "cam")
	both.renegotiate()
	cam.run(20*time.Millisecond, 1)
	other.flows(other.from(2, sfukit.KindVideo), 5)
	both.flows(both.from(1, sfukit.KindVideo), 5)
}

// TestClientOfferBetweenOurs checks that a line of ours survives the client's
// offers: while it is in use, and while it waits to be used again. Pion would
// never use such a line again by itself.
func TestClientOfferBetweenOurs(t *testing.T) {
	t.Parallel()
	for _, slots := range []bool{true, false} {
		t.Run(fmt.Sprintf("slots=%t", slots), func(t *testing.T) {
			reg := newRegistry(t)
			viewer := join(t, reg, "room", 9, clientConfig{slots: slots})
			reoffer := func() {
				t.Helper()
				addTrack(t, viewer.pc, webrtc.MimeTypeOpus, "mic")
				viewer.renegotiate()
			}
			line := ""
			for id := sfukit.PeerID(1); id <= 3; id++ {
				p := camera(t, reg, "room", id)
				mid := viewer.from(id, sfukit.KindVideo)
				viewer.flows(mid, 5)
				reoffer() // with the line in use
				viewer.flows(mid, 10)
				if line == "" {
					line = mid
				} else if mid != line {
					t.Errorf("peer %d came on mid %s, want %s again", id, mid, line)
				}
				p.peer.Close()
				viewer.wait("the track's end", func() bool { return len(viewer.tracks) == 0 })
				reoffer() // with the line idle
			}
			packets := viewer.packets(line, 1)
			for i, p := range packets {
				if p.SSRC != packets[0].SSRC {
					t.Fatalf("packet %d has SSRC %d, want %d for ever", i, p.SSRC, packets[0].SSRC)
				}
			}
			if n := len(viewer.peer.Stats().Published); n != 6 {
				t.Errorf("the viewer publishes %d tracks, want the 6 of its offers", n)
			}
		})
	}
}
