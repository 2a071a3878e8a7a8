package sfukit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// camera joins a peer that publishes one running video track.
func camera(t testing.TB, reg *sfukit.Registry, room sfukit.RoomID, id sfukit.PeerID) *client {
	t.Helper()
	var cam *source
	c := join(t, reg, room, id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	cam.run(20*time.Millisecond, 1)
	return c
}

// lastOffer returns the id of the latest offer of ours, which is how many there
// were: a slow machine may see copies.
func (c *client) lastOffer() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offers[len(c.offers)-1].ID
}

// offer waits for the n-th offer, counted from 1 and with copies.
func (c *client) offer(n int) sfukit.Offer {
	c.t.Helper()
	var o sfukit.Offer
	c.wait(fmt.Sprintf("offer %d", n), func() bool {
		if len(c.offers) >= n {
			o = c.offers[n-1]
			return true
		}
		return false
	})
	return o
}

// offerID waits for the offer with an id.
func (c *client) offerID(id uint64) sfukit.Offer {
	c.t.Helper()
	var o sfukit.Offer
	c.wait(fmt.Sprintf("offer with id %d", id), func() bool {
		for _, o = range c.offers {
			if o.ID == id {
				return true
			}
		}
		return false
	})
	return o
}

// makeAnswer takes an offer of ours as takeOffer does, but keeps the answer. It
// waits for the connection: before, an offer is a restart to pion.
func (c *client) makeAnswer(o sfukit.Offer) string {
	c.t.Helper()
	c.wait("connection", func() bool { return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	c.signal.Lock()
	defer c.signal.Unlock()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP}); err != nil {
		c.t.Fatalf("client takes offer %d: %v", o.ID, err)
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		c.t.Fatalf("client makes answer: %v", err)
	}
	if err := c.pc.SetLocalDescription(answer); err != nil {
		c.t.Fatalf("client sets answer: %v", err)
	}
	return answer.SDP
}

// flows waits for n more packets on a mid.
func (c *client) flows(mid string, n int) {
	c.t.Helper()
	c.packets(mid, c.count(mid)+n)
}

// silence is an answer hook that holds back every answer while it is true.
type silence struct{ atomic.Bool }

func (s *silence) hook(sfukit.Offer) bool { return !s.Load() }

func newSilence() *silence {
	s := &silence{}
	s.Store(true)
	return s
}

func TestLostAnswer(t *testing.T) {
	t.Parallel() // it waits three seconds for the repetition
	reg := newRegistry(t)
	var seen atomic.Int64
	camera(t, reg, "room", 1)
	viewer := join(t, reg, "room", 2, clientConfig{answer: func(sfukit.Offer) bool { return seen.Add(1) > 1 }})
	viewer.flows(viewer.from(1, sfukit.KindVideo), 5)
	first, second := viewer.offer(1), viewer.offer(2)
	if first != second {
		t.Errorf("the repeated offer differs: id %d, %d bytes; want id %d, %d bytes", second.ID, len(second.SDP), first.ID, len(first.SDP))
	}
	before := reg.Stats().Counters
	if err := viewer.peer.Answer(context.Background(), viewer.pc.LocalDescription().SDP, first.ID); err != nil {
		t.Errorf("late duplicate of the answer: %v, want no error", err)
	}
	after := reg.Stats().Counters
	if got := after.AnswersDropped - before.AnswersDropped; got != 1 {
		t.Errorf("%d answers dropped, want the late one", got)
	}
	if after.OffersResent != 1 || after.OffersAbandoned != 0 {
		t.Errorf("%d offers resent and %d abandoned, want 1 and 0", after.OffersResent, after.OffersAbandoned)
	}
	viewer.flows(viewer.from(1, sfukit.KindVideo), 5)
}

// TestAnswerNeverComes has two clients whose first answer is lost for good: one
// never saw the offer, the other took it and only its answer vanished.
func TestAnswerNeverComes(t *testing.T) {
	t.Parallel() // it waits nine seconds until the offers are abandoned
	reg := newRegistry(t)
	camera(t, reg, "room", 1)
	second := func(o sfukit.Offer) bool { return o.ID > 1 }
	deaf := join(t, reg, "room", 2, clientConfig{answer: second})
	mute := join(t, reg, "room", 3, clientConfig{answer: second})
	lost := mute.makeAnswer(mute.offer(1))
	for _, c := range []*client{deaf, mute} {
		fresh := c.offer(4) // the first and its two copies, then the fresh one
		for n := 1; n <= 3; n++ {
			if o := c.offer(n); o.ID != 1 {
				t.Errorf("peer %d: offer %d has id %d, want 1", c.peer.ID(), n, o.ID)
			}
		}
		if fresh.ID != 2 {
			t.Errorf("peer %d: the offer after the abandoned one has id %d, want 2", c.peer.ID(), fresh.ID)
		}
		c.flows(c.from(1, sfukit.KindVideo), 5)
	}
	if err := mute.peer.Answer(context.Background(), lost, 1); err != nil {
		t.Errorf("answer to the abandoned offer: %v, want no error", err)
	}
	n := reg.Stats().Counters
	if n.OffersResent != 4 || n.OffersAbandoned != 2 || n.OffersFailed != 0 || n.AnswersDropped != 1 {
		t.Errorf("%d offers resent, %d abandoned, %d failed, %d answers dropped; want 4, 2, 0, 1",
			n.OffersResent, n.OffersAbandoned, n.OffersFailed, n.AnswersDropped)
	}
	camera(t, reg, "room", 4)
	for _, c := range []*client{deaf, mute} {
		c.flows(c.from(4, sfukit.KindVideo), 5)
	}
}

// TestBadAnswers sends every kind of nonsense while a good answer is awaited.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	camera(t, reg, "room", 1)
	s := &silence{}
	viewer := join(t, reg, "room", 9, clientConfig{answer: s.hook})
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.flows(mid, 5)

	s.Store(true)
	camera(t, reg, "room", 2)
	o := viewer.offerID(2)
	good := viewer.makeAnswer(o)
	sections := strings.Split(good, "m=")
	for name, bad := range map[string]string{
		"empty":          "",
		"not SDP":        "nonsense\r\n",
		"lines in chaos": strings.ReplaceAll(good, "=", "~"),
		"no section":     sections[0],
		"a section less": strings.Join(sections[:len(sections)-1], "m="),
		"a section more": good + "m=" + sections[len(sections)-1],
		"swapped": sections[0] + "m=" + sections[len(sections)-1] + "m=" +
			strings.Join(append(sections[2:len(sections)-1:len(sections)-1], sections[1]), "m="),
		"another mid":        strings.ReplaceAll(good, "a=mid:"+mid+"\r\n", "a=mid:other\r\n"),
		"another kind":       strings.ReplaceAll(good, "m=video", "m=audio"),
		"another ICE ufrag":  strings.ReplaceAll(good, "a=ice-ufrag:", "a=ice-ufrag:x"),
		"no fingerprint":     strings.ReplaceAll(good, "a=fingerprint:", "a=nothing:"),
		"our own offer back": o.SDP,
	} {
		before := reg.Stats().Counters.BadAnswers
		if err := viewer.peer.Answer(context.Background(), bad, o.ID); !errors.Is(err, sfukit.ErrBadAnswer) {
			t.Errorf("%s: %v, want ErrBadAnswer", name, err)
		}
		if got := reg.Stats().Counters.BadAnswers - before; got != 1 {
			t.Errorf("%s: %d bad answers counted, want 1", name, got)
		}
	}
	viewer.flows(mid, 5)
	if err := viewer.peer.Answer(context.Background(), good, 1); err != nil {
		t.Errorf("answer with the id of an older offer: %v, want no error", err)
	}
	if w := viewer.peer.Stats().Watched; len(w) != 1 {
		t.Errorf("%d tracks watched after an answer with an older offer's id, want 1", len(w))
	}
	if err := viewer.peer.Answer(context.Background(), good, o.ID); err != nil {
		t.Fatalf("good answer after bad ones: %v", err)
	}
	viewer.flows(viewer.from(2, sfukit.KindVideo), 5)
	viewer.flows(mid, 5)
}

// TestRefusedLine has a client that refuses one line of ours (port 0), which
// costs that track and nothing else.
func TestRefusedLine(t *testing.T) {
	t.Parallel()
	for _, slots := range []bool{true, false} {
		t.Run(fmt.Sprintf("slots=%t", slots), func(t *testing.T) {
			reg := newRegistry(t)
			camera(t, reg, "room", 1)
			s := &silence{}
			viewer := join(t, reg, "room", 9, clientConfig{answer: s.hook, slots: slots})
			mid := viewer.from(1, sfukit.KindVideo)
			viewer.flows(mid, 5)

			s.Store(true)
			camera(t, reg, "room", 2)
			o := viewer.offerID(2)
			answer := viewer.makeAnswer(o)
			last := strings.LastIndex(answer, "m=video 9")
			refusing := answer[:last] + "m=video 0" + answer[last+len("m=video 9"):]
			if err := viewer.peer.Answer(context.Background(), refusing, o.ID); err != nil {
				t.Fatalf("answer that refuses a line: %v", err)
			}
			s.Store(false)
			camera(t, reg, "room", 3)
			viewer.flows(viewer.from(3, sfukit.KindVideo), 5)
			viewer.flows(mid, 5)
			for _, w := range viewer.peer.Stats().Watched {
				if w.Peer == 2 && w.Sent > 0 {
					t.Errorf("%d packets were sent on the refused line, want 0", w.Sent)
				}
			}
		})
	}
}

func TestOneOfferCarriesAllTracks(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	const publishers = 5
	for id := range sfukit.PeerID(publishers) {
		join(t, reg, "room", id+1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			addTrack(t, pc, webrtc.MimeTypeOpus, "mic")
			addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
		}})
	}
	viewer := join(t, reg, "room", 9, clientConfig{})
	viewer.wait("all tracks", func() bool { return len(viewer.tracks) == 2*publishers })
	viewer.wait("lines at the server", func() bool { return len(viewer.peer.Stats().Watched) == 2*publishers })
	if n := viewer.lastOffer(); n != 1 {
		t.Errorf("%d offers brought %d tracks, want 1", n, 2*publishers)
	}
}

// TestTracksShareTheNextOffer lets many tracks arrive while an answer is awaited.
func TestTracksShareTheNextOffer(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	s := newSilence()
	camera(t, reg, "room", 1)
	viewer := join(t, reg, "room", 9, clientConfig{answer: s.hook})
	o := viewer.offer(1)
	for id := sfukit.PeerID(2); id <= 5; id++ {
		camera(t, reg, "room", id)
	}
	viewer.wait("word of all peers", func() bool { return len(viewer.joined) == 5 })
	if n := viewer.lastOffer(); n != 1 {
		t.Errorf("%d offers while the first waits for its answer, want 1", n)
	}
	s.Store(false)
	viewer.takeOffer(o)
	for id := sfukit.PeerID(1); id <= 5; id++ {
		viewer.flows(viewer.from(id, sfukit.KindVideo), 3)
	}
	if n := viewer.lastOffer(); n != 2 {
		t.Errorf("%d offers in all, want 2: what waits shares one", n)
	}
}
