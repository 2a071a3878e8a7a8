package sfukit_test

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// results is an estimator that keeps what it is told of packets.
type results struct {
	unlimited
	mu      sync.Mutex
	packets []bwe.Packet
}

func (r *results) OnFeedback(_ time.Time, packets []bwe.Packet, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets = append(r.packets, packets...)
}

// TestFeedbackByStream has a viewer who reports by RFC 8888 and transport-wide, as
// both were offered: every packet is told of once, with its true fate and, but for
// the precision of the report, when it came.
func TestFeedbackByStream(t *testing.T) {
	var told results
	virtually(t, func(w *world) {
		var cam *source
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam")
		}})
		viewer := w.join("room", 2, clientConfig{feedback: webrtc.ConfigureCongestionControlFeedback})
		mid := viewer.from(1, sfukit.KindVideo)
		lost, n := 0, 0
		w.lose(func(d datagram) bool {
			if d.rtp == nil || d.to != clientIP(2) {
				return false
			}
			if n++; n < 100 || n%10 > 0 {
				return false
			}
			lost++
			return true
		})
		cam.run(33*time.Millisecond, 3)
		viewer.packets(mid, 600)
		time.Sleep(time.Second)
		w.lose(nil)
		told.mu.Lock()
		defer told.mu.Unlock()
		if c := w.reg.Stats().Counters; c.CCFB < 50 {
			t.Fatalf("%d reports taken, want about ten a second", c.CCFB)
		}
		seen := map[int64]bwe.State{}
		tellLost := 0
		var base time.Duration
		for _, p := range told.packets {
			if p.State == bwe.Lost {
				tellLost++
			}
			if before, again := seen[p.Seq]; again && before != bwe.Lost {
				t.Errorf("packet %d is told %v after %v", p.Seq, p.State, before)
			}
			seen[p.Seq] = p.State
			if p.State != bwe.Received || p.Seq < 50 {
				continue // the first may be told by the other clock
			}
			delay := p.RecvTime.Sub(p.SendTime)
			if base == 0 {
				base = delay
			}
			if off := delay - base; off.Abs() > 2*time.Millisecond {
				t.Errorf("packet %d took %v longer than others, on a path of constant delay", p.Seq, off)
			}
		}
		t.Logf("%d packets told, %d of them lost; %d were", len(seen), tellLost, lost)
		if len(seen) < 600 || tellLost < lost-5 || tellLost > lost {
			t.Errorf("%d packets told, %d of them lost; want at least 600 and %d", len(seen), tellLost, lost)
		}
	}, func(c *sfukit.Config) { c.NewEstimator = func() sfukit.BandwidthEstimator { return &told } })
}
