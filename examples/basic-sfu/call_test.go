package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// caller is a client without a browser: pion for media, signal for the rest.
type caller struct {
	t      *testing.T
	pc     *webrtc.PeerConnection
	socket *signal.Client
	frames chan signal.ServerFrame // everything but negotiation
	ended  chan struct{}
	tracks chan *webrtc.TrackRemote
	chat   *webrtc.DataChannel
	opened chan struct{} // chat is open
	said   chan string
}

// join connects to a room and answers what it is offered until the test ends.
func join(t *testing.T, base, room string, publish ...*webrtc.TrackLocalStaticRTP) *caller {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{
		t: t, pc: pc, socket: dial(t, base, room), frames: make(chan signal.ServerFrame, 256), ended: make(chan struct{}),
		tracks: make(chan *webrtc.TrackRemote, 16), opened: make(chan struct{}), said: make(chan string, 16),
	}
	t.Cleanup(func() { c.leave() })
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.tracks <- track })
	for _, track := range publish {
		if _, err := pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
	}
	negotiated, id := true, uint16(1)
	c.chat, err = pc.CreateDataChannel("chat", &webrtc.DataChannelInit{Negotiated: &negotiated, ID: &id})
	if err != nil {
		t.Fatal(err)
	}
	c.chat.OnOpen(func() { close(c.opened) })
	c.chat.OnMessage(func(m webrtc.DataChannelMessage) { c.said <- string(m.Data) })
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	c.send(signal.Offer{SDP: offer.SDP, Features: []string{signal.FeatureSlots}})
	go c.read()
	return c
}

func (c *caller) send(f signal.ClientFrame) {
	if err := c.socket.Send(f); err != nil && !errors.Is(err, signal.ErrClosed) {
		c.t.Errorf("send: %v", err)
	}
}

func (c *caller) leave() {
	c.socket.Close(signal.CloseNormal, "")
	<-c.ended
	_ = c.pc.Close()
}

func (c *caller) read() {
	defer close(c.ended)
	for {
		frame, err := c.socket.Read(context.Background())
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case signal.Answer:
			err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: f.SDP})
		case signal.OfferRenegotiate:
			err = c.answer(f)
		default:
			c.frames <- f
		}
		if err != nil {
			c.t.Errorf("%T: %v", frame, err)
		}
	}
}

func (c *caller) answer(f signal.OfferRenegotiate) error {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: f.SDP}); err != nil {
		return err
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return err
	}
	c.send(signal.AnswerRenegotiate{SDP: answer.SDP, MID: f.MID, ID: f.ID})
	return nil
}

// wait returns the next frame of one type; it passes over others.
func wait[F signal.ServerFrame](c *caller) F {
	c.t.Helper()
	limit := time.After(15 * time.Second)
	for {
		select {
		case f := <-c.frames:
			if f, ok := f.(F); ok {
				return f
			}
		case <-limit:
			var f F
			c.t.Fatalf("no %T", f)
		}
	}
}

// Two people call each other through the demo as it stands: what one says
// arrives at the other under the announced mid, chat too, and a leave is seen.
func TestCall(t *testing.T) {
	base, s := startServer(t)
	voice, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "microphone", "ann")
	if err != nil {
		t.Fatal(err)
	}
	ann := join(t, base, "den", voice)
	annID := wait[signal.Welcome](ann).PeerID
	bo := join(t, base, "den")
	boID := wait[signal.Welcome](bo).PeerID
	stranger := join(t, base, "attic")
	if m := wait[signal.TracksMap](bo); len(m.Tracks) != 1 || m.Tracks[0].PeerID != annID {
		t.Errorf("tracks_map %+v, want peer %d", m, annID)
	}
	if joined := wait[signal.PeerJoined](bo); joined.PeerID != annID {
		t.Errorf("peer_joined %+v, want peer %d", joined, annID)
	}
	update := wait[signal.TracksMapUpdate](bo)
	if len(update.Tracks) != 1 || update.Tracks[0].PeerID != annID || update.Tracks[0].Kind != "audio" {
		t.Fatalf("tracks_map_update %+v, want one audio track of peer %d", update, annID)
	}

	stop := make(chan struct{})
	defer close(stop)
	go speak(voice, stop)
	select {
	case track := <-bo.tracks:
		if p, _, err := track.ReadRTP(); err != nil || string(p.Payload) != "sound" {
			t.Errorf("first packet %v, %v", p, err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("no track arrived")
	}
	var why []sfukit.Explanation
	_, _, body := get(t, fmt.Sprintf("%s/debug/explain?room=den&peer=%d", base, boID))
	if err := json.Unmarshal([]byte(body), &why); err != nil || len(why) != 1 || uint64(why[0].Peer) != annID || why[0].Kind != "audio" {
		t.Errorf("explanation %s, %v, want one audio track of peer %d", body, err, annID)
	}
	if n := len(s.registry.Rooms()); n != 2 {
		t.Errorf("%d rooms, want 2", n)
	}

	<-ann.opened
	<-bo.opened
	if err := bo.chat.SendText("hello"); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-ann.said:
		if text != "hello" {
			t.Errorf("heard %q, want hello", text)
		}
	case <-time.After(15 * time.Second):
		t.Error("no chat arrived")
	}

	ann.send(signal.Leave{})
	if left := wait[signal.PeerLeft](bo); left.PeerID != annID || left.Reason != "closed" {
		t.Errorf("peer_left %+v, want peer %d, closed", left, annID)
	}
	// Whatever the attic heard by now is about itself: it has one member.
	self := wait[signal.Welcome](stranger).PeerID
	for len(stranger.frames) > 0 {
		switch f := (<-stranger.frames).(type) {
		case signal.TracksMap:
			if len(f.Tracks) != 0 {
				t.Errorf("the other room has %+v", f)
			}
		case signal.Speaker:
			if f.PeerID != nil && *f.PeerID != self {
				t.Errorf("the other room hears %d", *f.PeerID)
			}
		default:
			t.Errorf("the other room got %#v", f)
		}
	}
}

func speak(voice *webrtc.TrackLocalStaticRTP, stop <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := uint16(0); ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
			_ = voice.WriteRTP(&rtp.Packet{
				Header: rtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte("sound"),
			})
		}
	}
}
