package sfukit_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// pliSent returns how many keyframes have been asked of each encoding of a peer.
func pliSent(p *sfukit.Peer) map[sfukit.SfuRid]int64 {
	n := map[sfukit.SfuRid]int64{}
	for _, t := range p.Stats().Published {
		for _, e := range t.Encodings {
			n[e.RID] += e.PLISent
		}
	}
	return n
}

// TestKeyframeRequestsMerge has many viewers of two encodings ask for keyframes
// all the time, those of one by PLI and those of the other by FIR: the publisher hears of each encoding every
// half second, and asking for one does not count as asking for the other.
func TestKeyframeRequestsMerge(t *testing.T) {
	virtually(t, func(w *world) {
		var cam *source
		publisher := w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
		}})
		cam.run(33*time.Millisecond, 1)
		type watching struct {
			*client
			mid string
			rid sfukit.SfuRid
		}
		var viewers []watching
		for id := sfukit.PeerID(2); id < 10; id++ {
			c := w.join("room", id, clientConfig{})
			mid := c.from(1, sfukit.KindVideo)
			rid := []sfukit.SfuRid{"q", "f"}[id%2]
			if err := c.peer.SetLayer(sfukit.LayerWish{MID: mid, MaxRID: rid}); err != nil {
				t.Fatal(err)
			}
			viewers = append(viewers, watching{c, mid, rid})
			c.wait("layer", func() bool { return c.layers[mid].RID == rid && !c.layers[mid].Paused })
			c.packets(mid, 1)
		}
		time.Sleep(2 * time.Second) // nobody waits for anything any more
		before, asked := pliSent(publisher.peer), cam.plis.Load()
		const span = 5 * time.Second
		for range span / (50 * time.Millisecond) {
			for _, v := range viewers {
				if v.rid == "q" {
					v.pli(v.mid)
					continue
				}
				v.mu.Lock()
				ssrc := uint32(v.received[v.mid].track.SSRC())
				v.mu.Unlock()
				_ = v.pc.WriteRTCP([]rtcp.Packet{&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc}}}})
			}
			time.Sleep(50 * time.Millisecond)
		}
		after := pliSent(publisher.peer)
		const most = int64(span / (500 * time.Millisecond))
		for _, rid := range []sfukit.SfuRid{"q", "f"} {
			if n := after[rid] - before[rid]; n > most+1 || n < most-1 {
				t.Errorf("encoding %s was asked for %d keyframes in %s, want about %d", rid, n, span, most)
			}
		}
		if n := after["h"] - before["h"]; n != 0 {
			t.Errorf("encoding h was asked for %d keyframes, want 0: nobody watches it", n)
		}
		if got, want := cam.plis.Load()-asked, after["q"]+after["f"]-before["q"]-before["f"]; got < want-2 || got > want {
			t.Errorf("the publisher got %d PLIs of %d sent", got, want)
		}
	}, func(c *sfukit.Config) { c.NewEstimator = plenty })
}

// TestViewerIsShownAtOnce checks that a viewer's first picture takes no longer
// than asking for it does.
func TestViewerIsShownAtOnce(t *testing.T) {
	virtually(t, func(w *world) {
		var cam *source
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam")
		}})
		const interval = 33 * time.Millisecond
		cam.run(interval, 1)
		time.Sleep(5*time.Second + 7*time.Millisecond)
		viewer := w.join("room", 2, clientConfig{})
		mid := viewer.from(1, sfukit.KindVideo)
		viewer.wait("connection", func() bool { return viewer.peer.Stats().Connected && viewer.offers != nil })
		ready := time.Now()
		first := viewer.packets(mid, 1)[0]
		// The request and the picture each take a way, and the picture another one.
		if took, most := time.Since(ready), 3*oneWay+2*interval; took > most {
			t.Errorf("the first picture came after %s, want at most %s", took, most)
		}
		if key := first.Payload[5]&1 == 0; !key {
			t.Error("the first picture is no keyframe")
		}
	})
}

// TestWishBeforeTheLineIsAgreed checks that what a client wants of a track
// counts from when it is told of the track, not only from its answer on.
func TestWishBeforeTheLineIsAgreed(t *testing.T) {
	virtually(t, func(w *world) {
		var cam *source
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
		}})
		cam.run(33*time.Millisecond, 1)
		joined := make(chan *client, 1)
		viewer := w.join("room", 2, clientConfig{answer: func(o sfukit.Offer) bool {
			c := <-joined
			if err := c.peer.SetLayer(sfukit.LayerWish{MID: o.MID, MaxRID: "q"}); err != nil {
				t.Errorf("SetLayer of an offered line: %v", err)
			}
			return true
		}})
		joined <- viewer
		mid := viewer.from(1, sfukit.KindVideo)
		viewer.packets(mid, 60)
		viewer.mu.Lock()
		defer viewer.mu.Unlock()
		if c := viewer.layers[mid]; c.RID != "q" {
			t.Errorf("the client gets %+v, want q", c)
		}
	}, func(c *sfukit.Config) { c.NewEstimator = plenty })
}
