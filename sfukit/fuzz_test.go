package sfukit_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// FuzzNegotiation plays a client that says anything at all: in its first offer,
// in a later one, and in its answer to ours. Whatever that does to its own call,
// nothing may panic or hang, and another client of the room still negotiates.
func FuzzNegotiation(f *testing.F) {
	reg := newRegistry(f, func(c *sfukit.Config) {
		c.DataChannels = []sfukit.DataChannel{{Label: "chat", ID: 1}}
	})
	offer, answer := realDescriptions(f, reg)
	f.Add(offer, offer, answer)
	f.Add(answer, answer, offer)
	f.Add("", "v=0\r\n", "v=0\r\n")
	for _, spoil := range badOffers {
		f.Add(cut(spoil(offer)), cut(spoil(offer)), cut(spoil(answer)))
	}
	var rooms atomic.Uint64
	f.Fuzz(func(t *testing.T, first, again, answer string) {
		room := sfukit.RoomID("fuzz") + sfukit.RoomID(rune('a'+rooms.Add(1)%26))
		ctx := context.Background()
		within(t, "a join", func() {
			if p, _, err := reg.Join(ctx, sfukit.Join{Room: room, ID: 66, Offer: first}); err == nil {
				p.Close()
			}
		})
		offers := make(chan sfukit.Offer, 8)
		odd, _, err := reg.Join(ctx, sfukit.Join{Room: room, ID: 66, Offer: offer, Events: sfukit.PeerEvents{
			Offer: func(o sfukit.Offer) { offers <- o },
		}})
		if err != nil {
			t.Fatalf("a good offer: %v", err)
		}
		odd.Start()
		defer within(t, "the odd client's end", odd.Close)
		within(t, "an offer", func() { _ = odd.Offer(ctx, again, func(string) {}) })

		good := join(t, reg, room, 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
		}})
		select { // none comes if the odd client has said that it cannot receive
		case o := <-offers:
			within(t, "an answer", func() {
				_ = odd.Answer(ctx, answer, o.ID)
				_ = odd.Answer(ctx, answer, 0)
				_ = odd.Offer(ctx, again, func(string) {})
			})
		case <-time.After(100 * time.Millisecond):
		}
		within(t, "the good client's offer", func() {
			addTrack(t, good.pc, webrtc.MimeTypeOpus, "mic")
			err := good.tryOffer(nil)
			for errors.Is(err, sfukit.ErrGlare) { // it is being told of the odd one's tracks
				<-time.After(time.Millisecond)
				err = good.tryOffer(nil)
			}
			if err != nil {
				t.Errorf("the good client's offer: %v", err)
			}
		})
		if n := len(good.peer.Stats().Published); n != 2 {
			t.Errorf("the good client publishes %d tracks, want 2", n)
		}
	})
}

// cut keeps seeds small: long texts have tests of their own.
func cut(s string) string { return s[:min(len(s), 16<<10)] }

// within runs f, which must not hang.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s hangs", what)
	}
}

// realDescriptions plays one exchange with a real client, for its words: the
// offer it joins with, and its answer to ours for one video track.
func realDescriptions(f *testing.F, reg *sfukit.Registry) (offer, answer string) {
	f.Helper()
	pc, err := newClientAPI(f, nil).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = pc.GracefulClose() }()
	if _, err := pc.CreateDataChannel("", &webrtc.DataChannelInit{Negotiated: ptr(true), ID: ptr(uint16(1))}); err != nil {
		f.Fatal(err)
	}
	addTrack(f, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
	made, err := pc.CreateOffer(nil)
	if err != nil {
		f.Fatal(err)
	}
	ours := make(chan sfukit.Offer, 8)
	peer, reply, err := reg.Join(context.Background(), sfukit.Join{
		Room: "seeds", ID: 2, Offer: made.SDP, Events: sfukit.PeerEvents{Offer: func(o sfukit.Offer) { ours <- o }},
	})
	if err != nil {
		f.Fatal(err)
	}
	peer.Start()
	defer peer.Close()
	other, _, err := reg.Join(context.Background(), sfukit.Join{Room: "seeds", ID: 1, Offer: plainOffer(f)})
	if err != nil {
		f.Fatal(err)
	}
	defer other.Close()
	o := <-ours
	for _, step := range []func() error{
		func() error { return pc.SetLocalDescription(made) },
		func() error {
			return pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: reply})
		},
		func() error {
			return pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP})
		},
		func() error {
			a, err := pc.CreateAnswer(nil)
			answer = a.SDP
			return err
		},
		func() error { return peer.Answer(context.Background(), answer, o.ID) },
	} {
		if err := step(); err != nil {
			f.Fatal(err)
		}
	}
	return made.SDP, answer
}
