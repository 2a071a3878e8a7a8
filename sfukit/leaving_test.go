package sfukit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// TestOfferWhileLeaving checks that a track offered by a peer that leaves in the
// same moment does not stay with the others.
func TestOfferWhileLeaving(t *testing.T) {
	reg := newRegistry(t)
	viewer := join(t, reg, "room", 1, clientConfig{})
	for i := range 20 {
		c := join(t, reg, "room", sfukit.PeerID(100+i), clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
		}})
		addTrack(t, c.pc, webrtc.MimeTypeVP8, "screen")
		offer, err := c.pc.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.peer.Offer(context.Background(), offer.SDP, func(string) {}) })
		wg.Go(func() {
			<-time.After(time.Duration(i) * 200 * time.Microsecond)
			c.peer.Close()
		})
		wg.Wait()
	}
	join(t, reg, "room", 2, clientConfig{prepare: func(pc *webrtc.PeerConnection) { addTrack(t, pc, webrtc.MimeTypeVP8, "cam") }})
	viewer.from(2, sfukit.KindVideo) // all that was said before has been heard
	viewer.wait("one track only", func() bool { return len(viewer.tracks) == 1 })
	if n := len(viewer.peer.Stats().Watched); n > 1 {
		t.Errorf("%d lines carry something, want at most 1: %+v", n, viewer.peer.Stats().Watched)
	}
}

// TestRegistryEventsInOrder checks that a peer's leaving never comes before its
// joining, however slow the application is.
func TestRegistryEventsInOrder(t *testing.T) {
	var mu sync.Mutex
	var got []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, what)
	}
	reg := newRegistry(t, func(c *sfukit.Config) {
		c.Events = sfukit.RegistryEvents{
			PeerJoined: func(_ sfukit.RoomID, id sfukit.PeerID) {
				<-time.After(20 * time.Millisecond)
				note("+" + id.String())
			},
			PeerLeft: func(_ sfukit.RoomID, id sfukit.PeerID, _ sfukit.LeaveReason) { note("-" + id.String()) },
		}
	})
	for id := range 3 {
		p, _, err := reg.Join(t.Context(), sfukit.Join{Room: "room", ID: sfukit.PeerID(id), Offer: viewerOffer})
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"+0", "-0", "+1", "-1", "+2", "-2"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// TestReplacementDoesNotWaitForEvents checks that a peer can come back while its
// old session's application is stuck, and that a join heeds its context.
func TestReplacementDoesNotWaitForEvents(t *testing.T) {
	reg := newRegistry(t)
	stuck, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(free) }) }
	t.Cleanup(release) // before the registry closes
	first, _, err := reg.Join(t.Context(), sfukit.Join{Room: "room", ID: 1, Offer: viewerOffer, Events: sfukit.PeerEvents{
		PeerJoined: func(sfukit.PeerID) { close(stuck); <-free },
	}})
	if err != nil {
		t.Fatal(err)
	}
	first.Start()
	other, _, err := reg.Join(t.Context(), sfukit.Join{Room: "room", ID: 2, Offer: viewerOffer})
	if err != nil {
		t.Fatal(err)
	}
	<-stuck
	second, _, err := reg.Join(t.Context(), sfukit.Join{Room: "room", ID: 1, Offer: viewerOffer})
	if err != nil {
		t.Fatalf("join while the old session is stuck: %v", err)
	}
	if p, ok := other.Room().Peer(1); !ok || p != second {
		t.Errorf("room has %v as peer 1, want the second session", p)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := reg.Join(gone, sfukit.Join{Room: "room", ID: 3, Offer: viewerOffer}); !errors.Is(err, context.Canceled) {
		t.Errorf("join with an ended context: %v, want context.Canceled", err)
	}
	release()
}

// TestResendsAreBounded checks that NACKs, which are small, cannot be turned into
// any amount of repairs.
func TestResendsAreBounded(t *testing.T) {
	reg := newRegistry(t)
	var cam *source
	join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) { cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam") }})
	cam.run(10*time.Millisecond, 8)
	greedy := join(t, reg, "room", 2, clientConfig{})
	mid := greedy.from(1, sfukit.KindVideo)
	greedy.packets(mid, 400)
	before, asked := greedy.peer.Stats().Watched[0], int64(0)
	for asked < 40000 {
		last := greedy.packets(mid, 1)
		n := &rtcp.TransportLayerNack{MediaSSRC: last[0].SSRC}
		for k := range 20 {
			n.Nacks = append(n.Nacks, rtcp.NackPair{PacketID: last[len(last)-1].SequenceNumber - 340 + uint16(k*17), LostPackets: 0xffff})
		}
		asked += 340
		if err := greedy.pc.WriteRTCP([]rtcp.Packet{n}); err != nil {
			t.Fatal(err)
		}
		<-time.After(12 * time.Millisecond)
	}
	greedy.wait("most of the NACKs", func() bool { return reg.Stats().Counters.NACKReceived > asked/2 })
	after := greedy.peer.Stats().Watched[0]
	const free = 512 << 10 / 200 // packets of this test that need no credit
	if resent, sent := after.Resent-before.Resent, after.Sent; resent > sent/2+free {
		t.Errorf("%d packets sent again on %d sent, want at most half and %d", resent, sent, free)
	}
	if n := reg.Stats().Counters.NACKSuppressed; n == 0 {
		t.Error("no NACK was suppressed")
	}
}
