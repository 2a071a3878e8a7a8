package sfukit_test

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

// tolerance is how far capture times may be off: half of what people begin to
// notice between lips and voice (ITU-R BT.1359: 45 ms).
const tolerance = 20 * time.Millisecond

// diary is when a source wrote each frame of each encoding.
type diary struct {
	mu sync.Mutex
	at map[[2]int]time.Time
}

func (d *diary) attach(s *source) {
	d.at = map[[2]int]time.Time{}
	s.wrote = func(encoding int, frame uint32) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.at[[2]int{encoding, int(frame)}] = time.Now()
	}
}

func (d *diary) of(encoding, frame int) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[[2]int{encoding, frame}]
}

// TestSenderReportsTellCaptureTimes computes when every received frame was
// captured, from every sender report of its line, across simulcast switches,
// and compares with when it was. Audio and video agree, which is lip sync.
func TestSenderReportsTellCaptureTimes(t *testing.T) {
	virtually(t, func(w *world) {
		var cam, mic *source
		var camDiary, micDiary diary
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
			mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
		}})
		viewer := w.join("room", 2, clientConfig{})
		camDiary.attach(cam)
		micDiary.attach(mic)
		cam.run(40*time.Millisecond, 2)
		mic.talk(func() uint8 { return 30 })
		video, audio := viewer.from(1, sfukit.KindVideo), viewer.from(1, sfukit.KindAudio)
		// Captures agree from the publisher's first reports on; what was placed
		// before then is only as exact as its arrival.
		for _, rid := range []sfukit.SfuRid{"q", "f", "h", "q", "f", "q", "h", "f"} {
			if err := viewer.peer.SetLayer(sfukit.LayerWish{MID: video, MaxRID: rid}); err != nil {
				t.Fatal(err)
			}
			viewer.wait("layer "+string(rid), func() bool { return viewer.layers[video].RID == rid && !viewer.layers[video].Paused })
			time.Sleep(3 * time.Second)
		}
		for _, line := range []struct {
			name    string
			packets []*rtp.Packet
			rate    uint32
			wrote   func(payload []byte) time.Time
		}{
			{"video", viewer.packets(video, 1), 90000, func(b []byte) time.Time {
				encoding, frame, _ := vp8Mark(b)
				return camDiary.of(encoding, int(frame))
			}},
			{"audio", viewer.packets(audio, 1), 48000, func(b []byte) time.Time {
				return micDiary.of(0, opusMark(b))
			}},
		} {
			reports := viewer.reportsOn(line.packets[0].SSRC)
			if len(reports) < 15 {
				t.Errorf("%s: %d sender reports in 24 s, want about one a second", line.name, len(reports))
			}
			switches, last, worst := 0, -1, time.Duration(0)
			for _, p := range line.packets {
				if line.name == "video" {
					if e, _, _ := vp8Mark(p.Payload); e != last {
						switches, last = switches+1, e
					}
				}
				for _, sr := range reports {
					var clock report.Clock
					clock.SenderReport(sr.NTPTime, sr.RTPTime)
					captured, ok := clock.Time(p.Timestamp, line.rate)
					if !ok {
						t.Fatalf("%s: no capture time for timestamp %d", line.name, p.Timestamp)
					}
					// Our clock is behind the publisher's by what its reports take to us.
					off := captured.Sub(line.wrote(p.Payload)) - oneWay
					if off.Abs() > worst.Abs() {
						worst = off
					}
				}
			}
			if worst.Abs() > tolerance {
				t.Errorf("%s: a capture time is off by %s, want at most %s", line.name, worst, tolerance)
			}
			if line.name == "video" && switches < 8 {
				t.Errorf("%d encodings in turn, want at least 8", switches)
			}
			if n := reports[len(reports)-1].PacketCount; int(n) < len(line.packets)*9/10 || int(n) > len(line.packets) {
				t.Errorf("%s: the last report counts %d packets, %d came", line.name, n, len(line.packets))
			}
		}
	}, func(c *sfukit.Config) { c.NewEstimator = plenty })
}

func (c *client) reportsOn(ssrc uint32) (out []*rtcp.SenderReport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sr := range c.reports {
		if sr.SSRC == ssrc {
			out = append(out, sr)
		}
	}
	return out
}

// TestReportsToThePublisher checks what a publisher learns about its uplink:
// loss, jitter, and the arrival of every packet by transport-wide number.
func TestReportsToThePublisher(t *testing.T) {
	virtually(t, func(w *world) {
		var mic *source
		publisher := w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
		}})
		publisher.wait("connection", func() bool { return publisher.peer.Stats().Connected })
		time.Sleep(time.Second)
		n, lost := 0, 0
		w.lose(func(d datagram) bool {
			if d.rtp == nil || d.from != clientIP(1) {
				return false
			}
			if n++; n%8 != 0 {
				return false
			}
			lost++
			return true
		})
		var mu sync.Mutex
		var blocks []rtcp.ReceptionReport
		arrived, missing := 0, 0
		go func() { // ends with the connection
			for {
				packets, _, err := mic.sender.ReadRTCP()
				if err != nil {
					return
				}
				mu.Lock()
				for _, p := range packets {
					switch r := p.(type) {
					case *rtcp.ReceiverReport:
						blocks = append(blocks, r.Reports...)
					case *rtcp.TransportLayerCC:
						arrived += len(r.RecvDeltas)
						missing += int(r.PacketStatusCount) - len(r.RecvDeltas)
					}
				}
				mu.Unlock()
			}
		}()
		mic.talk(func() uint8 { return 30 })
		time.Sleep(10*time.Second + 500*time.Millisecond)
		w.mu.Lock()
		defer w.mu.Unlock()
		mu.Lock()
		defer mu.Unlock()
		if len(blocks) < 8 {
			t.Fatalf("%d report blocks in ten seconds, want about one a second", len(blocks))
		}
		for i, b := range blocks[2:] {
			if b.FractionLost < 24 || b.FractionLost > 40 { // 256/8 = 32, and a packet's rounding
				t.Errorf("report %d: loss %d/256, want about 32", i, b.FractionLost)
			}
			if b.Jitter > 48 {
				t.Errorf("report %d: jitter of %d ticks on a path without any", i, b.Jitter)
			}
			if b.LastSenderReport == 0 {
				t.Errorf("report %d does not say which report it has seen: no round trip for the publisher", i)
			}
		}
		if total := int(blocks[len(blocks)-1].TotalLost); total < lost-8 || total > lost {
			t.Errorf("total lost is %d, want about %d", total, lost)
		}
		if arrived < (n-lost)*9/10 || arrived > n-lost || missing < lost*8/10 || missing > lost {
			t.Errorf("feedback tells of %d arrived and %d missing; %d were sent and %d lost", arrived, missing, n, lost)
		}
	})
}

// TestRoundTripIsMeasured checks the measurement that NACKs and PLIs go by.
func TestRoundTripIsMeasured(t *testing.T) {
	virtually(t, func(w *world) {
		p := pairUp(w)
		p.cam.run(33*time.Millisecond, 1)
		time.Sleep(5 * time.Second)
		if got, want := p.viewer.peer.Stats().RTT, 2*oneWay.Seconds()*1000; got < want-1 || got > want+2 {
			t.Errorf("round trip is %.1f ms, want %.1f", got, want)
		}
	})
}
