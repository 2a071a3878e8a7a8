package sfukit_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

const (
	ptVP8 = 96 // as pion's clients number them
	ptRTX = 97
)

// pair is a publisher of one plain video track and a viewer who is ready for it.
type pair struct {
	cam       *source
	publisher *client
	viewer    *client
	mid       string // of the camera, at the viewer
}

// pairUp joins both and waits until a frame written now would arrive.
func pairUp(w *world) *pair {
	w.t.Helper()
	p := &pair{}
	p.publisher = w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		p.cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	p.viewer = w.join("room", 2, clientConfig{})
	p.mid = p.viewer.from(1, sfukit.KindVideo)
	for _, c := range []*client{p.publisher, p.viewer} {
		c.wait("connection", func() bool { return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	}
	p.viewer.wait("line", func() bool { return len(p.viewer.peer.Stats().Watched) == 1 })
	time.Sleep(time.Second)
	return p
}

// fid returns the SSRC that repairs a primary one, by the offer the client took.
func (c *client) fid(primary uint32) uint32 {
	for line := range strings.Lines(c.pc.RemoteDescription().SDP) {
		ids, ok := strings.CutPrefix(strings.TrimSpace(line), "a=ssrc-group:FID ")
		if a, b, _ := strings.Cut(ids, " "); ok && a == strconv.Itoa(int(primary)) {
			n, _ := strconv.ParseUint(b, 10, 32)
			return uint32(n)
		}
	}
	return 0
}

func TestSubscriberLossIsRepaired(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		type lostPacket struct {
			timestamp uint32
			marker    bool
		}
		lost := map[uint16]lostPacket{}
		repairs := map[uint32]uint8{} // SSRC → payload type
		n := 0
		w.lose(func(d datagram) bool {
			if d.rtp == nil || d.to != clientIP(2) {
				return false
			}
			if d.rtp.PayloadType != ptVP8 {
				repairs[d.rtp.SSRC] = d.rtp.PayloadType
				return false
			}
			if n++; n < 5 || n > 250 || n%10 > 1 { // two in a row, every ten
				return false
			}
			lost[d.rtp.SequenceNumber] = lostPacket{d.rtp.Timestamp, d.rtp.Marker}
			return true
		})
		p.cam.run(33*time.Millisecond, 3)
		time.Sleep(5 * time.Second)
		packets := inOrder(p.viewer.packets(p.mid, 1))
		holes, _ := checkRepaired(t, packets)
		if holes > 0 || len(lost) < 40 {
			t.Errorf("%d of %d lost packets were not repaired", holes, len(lost))
		}
		for i, q := range packets {
			if l, ok := lost[q.SequenceNumber]; ok && (l.timestamp != q.Timestamp || l.marker != q.Marker) {
				t.Errorf("packet %d is timestamp %d, marker %t when repaired; %d, %t when lost",
					q.SequenceNumber, q.Timestamp, q.Marker, l.timestamp, l.marker)
			}
			_, frame, part := vp8Mark(q.Payload)
			_, frame0, part0 := vp8Mark(packets[0].Payload)
			if int(frame)*3+part != int(frame0)*3+part0+i {
				t.Fatalf("packet %d is frame %d, part %d", i, frame, part)
			}
			pictures := int(pictureID(q)-pictureID(packets[0])) & 0x7fff
			if want := int(frame - frame0); pictures != want {
				t.Errorf("frame %d has picture id %d after the first, want %d", frame, pictures, want)
			}
		}
		ssrc := packets[0].SSRC
		if rtx := p.viewer.fid(ssrc); len(repairs) != 1 || repairs[rtx] != ptRTX || rtx == 0 {
			t.Errorf("repairs came as %v (SSRC: payload type), want only %d: %d", repairs, rtx, ptRTX)
		}
		if c := w.reg.Stats().Counters; c.Resent < int64(len(lost)) || c.NACKSent != 0 {
			t.Errorf("%d sent again for %d lost, %d asked of the publisher, want 0", c.Resent, len(lost), c.NACKSent)
		}
	})
}

func pictureID(p *rtp.Packet) uint16 {
	return uint16(p.Payload[2]&0x7f)<<8 | uint16(p.Payload[3])
}

// TestNACKsWithinARoundTrip checks that a packet is sent again once per round
// trip however often it is asked for.
func TestNACKsWithinARoundTrip(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		p.cam.run(33*time.Millisecond, 1)
		packets := p.viewer.packets(p.mid, 90) // long enough for reports to have told the round trip
		newest := packets[len(packets)-1]
		for _, step := range []struct {
			after              time.Duration
			resent, suppressed int64
		}{{0, 1, 1}, {0, 1, 3}, {2 * oneWay, 2, 4}} {
			time.Sleep(step.after)
			nack := &rtcp.TransportLayerNack{MediaSSRC: newest.SSRC, Nacks: []rtcp.NackPair{
				{PacketID: newest.SequenceNumber}, {PacketID: newest.SequenceNumber},
			}}
			if err := p.viewer.pc.WriteRTCP([]rtcp.Packet{nack}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(oneWay + time.Millisecond)
			c := w.reg.Stats().Counters
			if c.Resent != step.resent || c.NACKSuppressed != step.suppressed {
				t.Errorf("after %s: resent %d, suppressed %d; want %d, %d", step.after, c.Resent, c.NACKSuppressed, step.resent, step.suppressed)
			}
		}
	})
}

// TestPublisherLossIsRepaired loses packets on the way in: the node asks for
// each once, since the repair counts (pion/webrtc#3063), and the viewer gets it
// under the number kept for it.
func TestPublisherLossIsRepaired(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		lost := map[uint16]bool{}
		n := 0
		w.lose(func(d datagram) bool {
			if d.rtp == nil || d.from != clientIP(1) || d.rtp.PayloadType != ptVP8 {
				return false
			}
			if n++; n < 10 || n > 300 || n%10 > 1 {
				return false
			}
			lost[d.rtp.SequenceNumber] = true
			return true
		})
		p.cam.run(33*time.Millisecond, 3)
		packets := p.viewer.packets(p.mid, 400)
		if holes, _ := checkRepaired(t, packets); holes > 0 || len(lost) < 50 {
			t.Errorf("%d of %d lost packets were not repaired", holes, len(lost))
		}
		overtaken := 0
		for i := 1; i < len(packets); i++ {
			if int16(packets[i].SequenceNumber-packets[i-1].SequenceNumber) < 0 {
				overtaken++
			}
		}
		if overtaken == 0 {
			t.Error("no packet came late, though repairs take a round trip: newer ones were held back")
		}
		c := w.reg.Stats().Counters
		if want := int64(len(lost)); c.NACKSent != want || c.Repaired != want {
			t.Errorf("%d lost, %d asked for, %d repaired; want each once", len(lost), c.NACKSent, c.Repaired)
		}
	})
}

// TestLostBeginningOfAKeyframe loses the first packet of the keyframe a line
// begins with. When its repair comes, the packets that overtook it have been
// dropped; the viewer gets them when it asks.
func TestLostBeginningOfAKeyframe(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		wish := sfukit.LayerWish{MID: p.mid, Paused: true}
		if err := p.viewer.peer.SetLayer(wish); err != nil {
			t.Fatal(err)
		}
		p.cam.feedback()
		p.cam.deaf.Store(true) // there is one keyframe, and its beginning is lost
		frame := func() {
			p.cam.frame(0, 4, 9000)
			time.Sleep(5 * oneWay) // longer than a repair takes
		}
		frame()
		frame()
		wish.Paused = false
		if err := p.viewer.peer.SetLayer(wish); err != nil {
			t.Fatal(err)
		}
		lost := false
		w.lose(func(d datagram) bool {
			first := d.rtp != nil && d.from == clientIP(1) && d.rtp.PayloadType == ptVP8 && !lost
			lost = lost || first
			return first
		})
		p.cam.start("").key.Store(true)
		for range 30 {
			frame()
		}
		packets := inOrder(p.viewer.packets(p.mid, 1))
		if holes, _ := checkRepaired(t, packets); holes > 0 {
			t.Errorf("%d packets are missing", holes)
		}
		if _, frame, part := vp8Mark(packets[0].Payload); frame != 3 || part != 0 {
			t.Errorf("the line begins with frame %d, part %d, want 3, 0", frame, part)
		}
		if c := w.reg.Stats().Counters; c.Repaired != 1 {
			t.Errorf("%d packets repaired, want 1", c.Repaired)
		}
	})
}

// TestUselessPacketsCloseTheirNumber checks that what cannot be forwarded is
// neither asked for again nor leaves a hole.
func TestUselessPacketsCloseTheirNumber(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		p.cam.run(33*time.Millisecond, 1)
		p.viewer.packets(p.mid, 30)
		p.cam.junk.Store(true) // an empty payload descriptor before every frame
		packets := p.viewer.packets(p.mid, 90)
		checkContinuous(t, packets, 1)
		c := w.reg.Stats().Counters
		if c.IngressDrops["bad_payload"] < 50 || c.NACKSent != 0 {
			t.Errorf("%d bad payloads, %d asked for; want many and 0", c.IngressDrops["bad_payload"], c.NACKSent)
		}
	})
}

// TestOutageEndsWithKeyframe loses everything for longer than packets are kept. The
// viewer asks for what nobody has any more, and a keyframe comes without its asking;
// after an outage that is short enough, none does.
func TestOutageEndsWithKeyframe(t *testing.T) {
	for _, tc := range []struct {
		outage time.Duration
		want   bool
	}{{500 * time.Millisecond, false}, {1500 * time.Millisecond, true}} {
		virtually(t, func(w *world) {
			p := pairUp(w)
			p.cam.run(33*time.Millisecond, 2)
			p.viewer.packets(p.mid, 60)
			time.Sleep(time.Second)
			before := p.cam.plis.Load()
			w.lose(func(d datagram) bool { return d.rtp != nil && d.to == clientIP(2) })
			time.Sleep(tc.outage)
			w.lose(nil)
			time.Sleep(time.Second / 2)
			if asked := p.cam.plis.Load() - before; asked > 0 != tc.want || asked > 2 {
				t.Errorf("after an outage of %v the publisher is asked for %d keyframes; want some: %v, and no more than 2", tc.outage, asked, tc.want)
			}
			if n := w.reg.Stats().Counters.PLIReceived; n != 0 {
				t.Errorf("the viewer asked for %d keyframes, want 0", n)
			}
		})
	}
}
