package sfukit_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestQualityRisesWithTheEstimate has a viewer on a good link begin at the
// lowest encoding and climb to the highest by the default estimator and tiers.
func TestQualityRisesWithTheEstimate(t *testing.T) {
	virtually(t, func(w *world) {
		var cam *source
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
		}})
		cam.run(33*time.Millisecond, 2)
		time.Sleep(2 * time.Second) // it has been sending when the viewer comes
		viewer := w.join("room", 2, clientConfig{})
		mid := viewer.from(1, sfukit.KindVideo)
		viewer.wait("a first picture", func() bool { return viewer.received[mid] != nil && len(viewer.received[mid].packets) > 0 })
		began := time.Now()
		viewer.wait("layer f", func() bool { return viewer.layers[mid].RID == "f" })
		if took := time.Since(began); took < 500*time.Millisecond || took > 15*time.Second {
			t.Errorf("it took %s from the first picture to the best", took)
		}
		time.Sleep(2 * time.Second)
		packets := viewer.packets(mid, 1)
		checkContinuous(t, packets, 2)
		var seen []int
		for _, p := range packets {
			if e, _, _ := vp8Mark(p.Payload); len(seen) == 0 || seen[len(seen)-1] != e {
				seen = append(seen, e)
			}
		}
		if len(seen) != 3 || seen[0] != 0 || seen[1] != 1 || seen[2] != 2 {
			t.Errorf("encodings %v were shown in turn, want 0, 1, 2", seen)
		}
		s := viewer.peer.Stats()
		if s.Estimate < 700*units.Kbps || s.Tier != "f" || s.Term == "none" {
			t.Errorf("estimate %s by %s, tier %s; want the highest tier, from 700 kbit/s on", s.Estimate, s.Term, s.Tier)
		}
	})
}

// scripted is an estimator that says what it is told to.
type scripted struct{ target atomic.Int64 }

func (*scripted) OnFeedback(time.Time, []bwe.Packet, time.Duration) {}
func (*scripted) OnREMB(time.Time, units.Bitrate)                   {}
func (*scripted) OnHint(time.Time, units.Bitrate)                   {}
func (s *scripted) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: units.Bitrate(s.target.Load()), Term: bwe.TermDelay}, true
}

// TestVideoStopsWithoutBandwidth drives the estimate to where only audio, and
// then nothing, fits: not one video packet passes, audio goes on, and video
// comes back with a keyframe.
func TestVideoStopsWithoutBandwidth(t *testing.T) {
	for _, v := range []struct {
		name      string
		low       units.Bitrate
		suspended bool
	}{{"audio only", 50 * units.Kbps, false}, {"suspended", 5 * units.Kbps, true}} {
		t.Run(v.name, func(t *testing.T) {
			var estimate scripted
			estimate.target.Store(int64(2 * units.Mbps))
			virtually(t, func(w *world) {
				var cam, mic *source
				w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
					cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam")
					mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
				}})
				viewer := w.join("room", 2, clientConfig{})
				cam.run(33*time.Millisecond, 2)
				mic.talk(func() uint8 { return 30 })
				video, audio := viewer.from(1, sfukit.KindVideo), viewer.from(1, sfukit.KindAudio)
				viewer.packets(video, 20)

				estimate.target.Store(int64(v.low))
				viewer.wait("word that video stops", func() bool { return viewer.layers[video].Paused })
				if s := viewer.peer.Stats(); s.Suspended != v.suspended || !v.suspended && !s.AudioOnly {
					t.Errorf("suspended %t, audio only %t", s.Suspended, s.AudioOnly)
				}
				viewer.mu.Lock()
				if c := viewer.layers[video]; c.Reason != sfukit.ReasonSuspend || c.Budget != v.low {
					t.Errorf("the client is told %+v, want reason suspend and a budget of %s", c, v.low)
				}
				viewer.mu.Unlock()
				time.Sleep(oneWay + time.Second/10) // what was under way arrives
				stopped, heard := viewer.count(video), viewer.count(audio)
				time.Sleep(5 * time.Second)
				if n := viewer.count(video) - stopped; n != 0 {
					t.Errorf("%d video packets came while there was no room for any", n)
				}
				if n := viewer.count(audio) - heard; n < 240 {
					t.Errorf("%d audio packets came in 5 s, want 250", n)
				}

				estimate.target.Store(int64(2 * units.Mbps))
				packets := viewer.packets(video, stopped+20)
				if p := packets[stopped]; p.Payload[5]&1 != 0 || p.Payload[0]&0x10 == 0 {
					t.Error("video does not come back with the beginning of a keyframe")
				}
				checkContinuous(t, packets[:stopped], 2)
				checkContinuous(t, packets[stopped:], 2)
				if got, want := packets[stopped].SequenceNumber, packets[stopped-1].SequenceNumber+1; got != want {
					t.Errorf("video comes back with number %d, want %d", got, want)
				}
			}, func(c *sfukit.Config) {
				c.NewEstimator = func() sfukit.BandwidthEstimator { return &estimate }
			})
		})
	}
}
