package sfukit_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

func TestCallForwardsAudioAndVideo(t *testing.T) {
	reg := newRegistry(t)
	var audio, video *source
	a := join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		audio = addTrack(t, pc, webrtc.MimeTypeOpus, "mic")
		video = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	b := join(t, reg, "room", 2, clientConfig{})
	audio.talk(func() uint8 { return 20 })
	video.run(33*time.Millisecond, 3)

	video1 := b.packets(b.from(1, sfukit.KindVideo), 60)
	for i, p := range video1 {
		_, frame, part := vp8Mark(p.Payload)
		_, frame0, part0 := vp8Mark(video1[0].Payload)
		if got, want := int(frame)*3+part, int(frame0)*3+part0+i; got != want {
			t.Fatalf("packet %d is number %d of the publisher's, want %d", i, got, want)
		}
		if got, want := p.SequenceNumber, video1[0].SequenceNumber+uint16(i); got != want {
			t.Fatalf("packet %d has sequence number %d, want %d", i, got, want)
		}
	}
	b.packets(b.from(1, sfukit.KindAudio), 50)
	a.wait("word of peer 2", func() bool { return a.joined[2] })
	b.wait("word of peer 1", func() bool { return b.joined[1] })
	if n := len(a.tracks); n != 0 {
		t.Errorf("the publisher is told of %d tracks, want 0: nobody else publishes", n)
	}
}

func TestRoomsAreBorders(t *testing.T) {
	reg := newRegistry(t)
	publish := func(pc *webrtc.PeerConnection) {
		addTrack(t, pc, webrtc.MimeTypeVP8, "cam").run(33*time.Millisecond, 1)
	}
	a := join(t, reg, "red", 1, clientConfig{prepare: publish})
	b := join(t, reg, "red", 2, clientConfig{prepare: publish})
	c := join(t, reg, "blue", 1, clientConfig{prepare: publish})
	d := join(t, reg, "blue", 2, clientConfig{prepare: publish})
	for _, v := range []struct {
		who  *client
		sees sfukit.PeerID
	}{{a, 2}, {b, 1}, {c, 2}, {d, 1}} {
		v.who.packets(v.who.from(v.sees, sfukit.KindVideo), 10)
	}
	for _, who := range []*client{a, b, c, d} {
		who.mu.Lock()
		if len(who.tracks) != 1 || len(who.joined) != 1 {
			t.Errorf("peer %d of %s knows tracks %v and peers %v, want one of each", who.peer.ID(), who.peer.Room().ID(), who.tracks, who.joined)
		}
		who.mu.Unlock()
	}
	a.peer.Close()
	b.wait("word that peer 1 left", func() bool { return b.left[1] == sfukit.LeaveClosed })
	if _, there := d.peer.Room().Peer(1); !there {
		t.Error("peer 1 of the other room is gone too")
	}
	select {
	case <-c.peer.Done():
		t.Error("closing peer 1 of red closed peer 1 of blue")
	default:
	}
}

func TestSamePeerReplacesItself(t *testing.T) {
	reg := newRegistry(t)
	publish := func(pc *webrtc.PeerConnection) {
		addTrack(t, pc, webrtc.MimeTypeVP8, "cam").run(33*time.Millisecond, 1)
	}
	viewer := join(t, reg, "room", 9, clientConfig{})
	first := join(t, reg, "room", 1, clientConfig{prepare: publish})
	viewer.packets(viewer.from(1, sfukit.KindVideo), 5)
	second := join(t, reg, "room", 1, clientConfig{prepare: publish})
	first.wait("end of the first session", func() bool { return first.closed == sfukit.LeaveReplaced })
	viewer.wait("word of the second session", func() bool { return viewer.joined[1] })
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.packets(mid, viewer.count(mid)+10)
	if p, ok := viewer.peer.Room().Peer(1); !ok || p != second.peer {
		t.Errorf("room has %v as peer 1, want the second session", p)
	}
	if n := len(viewer.peer.Room().Peers()); n != 2 {
		t.Errorf("room has %d peers, want 2", n)
	}
}

func TestRoomFull(t *testing.T) {
	reg := newRegistry(t, func(c *sfukit.Config) { c.MaxPeersPerRoom = 2 })
	join(t, reg, "room", 1, clientConfig{})
	join(t, reg, "room", 2, clientConfig{})
	if _, err := tryJoin(t, reg, "room", 3, clientConfig{}); !errors.Is(err, sfukit.ErrRoomFull) {
		t.Errorf("third join: %v, want ErrRoomFull", err)
	}
	join(t, reg, "room", 2, clientConfig{}) // replaces itself, needs no seat
	join(t, reg, "other", 3, clientConfig{})
}

// TestLeavingFreesLines checks that tracks come and go on the m-lines there are,
// for clients with slots and for others.
func TestLeavingFreesLines(t *testing.T) {
	for _, slots := range []bool{true, false} {
		t.Run(fmt.Sprintf("slots=%t", slots), func(t *testing.T) {
			reg := newRegistry(t)
			viewer := join(t, reg, "room", 9, clientConfig{slots: slots})
			for round := range 4 {
				id := sfukit.PeerID(round + 1)
				var cam *source
				p := join(t, reg, "room", id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
					cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
				}})
				cam.run(20*time.Millisecond, 2)
				mid := viewer.from(id, sfukit.KindVideo)
				packets := viewer.packets(mid, viewer.count(mid)+20)
				checkContinuous(t, packets, 2)
				p.peer.Close()
				viewer.wait("removal of the track", func() bool { return len(viewer.tracks) == 0 })
			}
			if n := len(viewer.received); n != 1 {
				t.Errorf("four publishers in turn took %d m-lines, want 1", n)
			}
			viewer.mu.Lock()
			defer viewer.mu.Unlock()
			if slots && len(viewer.offers) != 1 {
				t.Errorf("the viewer got %d offers, want 1: slots need no description", len(viewer.offers))
			}
		})
	}
}

// checkContinuous is the model of a receiver: consecutive sequence numbers,
// timestamps that change exactly at frame starts and never go back or leap.
func checkContinuous(t *testing.T, packets []*rtp.Packet, perFrame int) {
	t.Helper()
	for i := 1; i < len(packets); i++ {
		a, b := packets[i-1], packets[i]
		if b.SSRC != a.SSRC {
			t.Fatalf("packet %d: SSRC changed from %d to %d", i, a.SSRC, b.SSRC)
		}
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Fatalf("packet %d: sequence number %d follows %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		_, _, part := vp8Mark(b.Payload)
		step := int32(b.Timestamp - a.Timestamp)
		if part == 0 && (step <= 0 || step > 90000*3) {
			t.Fatalf("packet %d: timestamp of a new frame steps by %d", i, step)
		}
		if part != 0 && step != 0 {
			t.Fatalf("packet %d: timestamp steps by %d within a frame", i, step)
		}
	}
}

func TestSimulcastSwitchesAtKeyframesOnly(t *testing.T) {
	reg := newRegistry(t, func(c *sfukit.Config) { c.NewEstimator = plenty })
	var cam *source
	join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
	}})
	viewer := join(t, reg, "room", 2, clientConfig{})
	cam.run(33*time.Millisecond, 2)
	mid := viewer.from(1, sfukit.KindVideo)
	show := func(rid sfukit.SfuRid) {
		t.Helper()
		if err := viewer.peer.SetLayer(sfukit.LayerWish{MID: mid, MaxRID: rid}); err != nil {
			t.Fatal(err)
		}
		viewer.wait("layer "+string(rid), func() bool { return viewer.layers[mid].RID == rid })
		viewer.packets(mid, viewer.count(mid)+20)
	}
	for _, rid := range []sfukit.SfuRid{"f", "q", "f", "h", "q", "h", "f"} {
		show(rid)
	}
	packets := viewer.packets(mid, 1)
	checkContinuous(t, packets, 2)
	switches := 0
	for i := 1; i < len(packets); i++ {
		from, _, _ := vp8Mark(packets[i-1].Payload)
		to, _, part := vp8Mark(packets[i].Payload)
		if from == to {
			continue
		}
		switches++
		if key := packets[i].Payload[5]&1 == 0; part != 0 || !key {
			t.Errorf("packet %d: switch from encoding %d to %d in mid-frame or without a keyframe", i, from, to)
		}
		pid := func(p []byte) int { return int(p[2]&0x7f)<<8 | int(p[3]) }
		if got, want := pid(packets[i].Payload), (pid(packets[i-1].Payload)+1)&0x7fff; got != want {
			t.Errorf("packet %d: picture id %d after a switch, want %d", i, got, want)
		}
	}
	if switches < 6 {
		t.Errorf("%d switches seen, want at least 6", switches)
	}
}

// TestSilentLayerIsLeft checks that a viewer of an encoding that falls silent
// gets another one, and the old one back when it returns.
func TestSilentLayerIsLeft(t *testing.T) {
	reg := newRegistry(t, func(c *sfukit.Config) { c.NewEstimator = plenty })
	var cam *source
	join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
	}})
	viewer := join(t, reg, "room", 2, clientConfig{})
	cam.run(33*time.Millisecond, 1)
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.wait("layer f", func() bool { return viewer.layers[mid].RID == "f" })
	cam.muted.Store("f", true)
	viewer.wait("layer h instead of the silent f", func() bool { return viewer.layers[mid].RID == "h" })
	cam.muted.Delete("f")
	viewer.wait("layer f again", func() bool { return viewer.layers[mid].RID == "f" })
}

func TestPauseStopsTheTrack(t *testing.T) {
	reg := newRegistry(t)
	var cam *source
	join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	viewer := join(t, reg, "room", 2, clientConfig{})
	cam.run(20*time.Millisecond, 1)
	mid := viewer.from(1, sfukit.KindVideo)
	viewer.packets(mid, 5)
	if err := viewer.peer.SetLayer(sfukit.LayerWish{MID: mid, Paused: true}); err != nil {
		t.Fatal(err)
	}
	viewer.wait("word of the pause", func() bool { return viewer.layers[mid].Paused })
	sent := func() int64 { return viewer.peer.Stats().Watched[0].Sent }
	before, frames := sent(), reg.Stats().Counters.PacketsIn
	viewer.wait("ten more packets of the publisher", func() bool { return reg.Stats().Counters.PacketsIn >= frames+10 })
	if after := sent(); after != before {
		t.Errorf("%d packets were sent while paused, want 0", after-before)
	}
	if err := viewer.peer.SetLayer(sfukit.LayerWish{MID: mid}); err != nil {
		t.Fatal(err)
	}
	viewer.wait("packets after the pause", func() bool { return sent() > before })
	if err := viewer.peer.SetLayer(sfukit.LayerWish{MID: "nonsense"}); !errors.Is(err, sfukit.ErrNoTrack) {
		t.Errorf("SetLayer of an unknown mid: %v, want ErrNoTrack", err)
	}
}

// unlimited is an estimator for tests of anything but estimation.
type unlimited struct{}

func plenty() sfukit.BandwidthEstimator { return unlimited{} }

func (unlimited) OnSent(time.Time, int)                             {}
func (unlimited) OnFeedback(time.Time, []bwe.Packet, time.Duration) {}
func (unlimited) OnREMB(time.Time, units.Bitrate)                   {}
func (unlimited) OnHint(time.Time, units.Bitrate)                   {}
func (unlimited) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: 20 * units.Mbps, Term: bwe.TermMax}, true
}
