package sfukit_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestQualityRisesWithTheEstimate has a viewer on a good link begin at the
// lowest encoding and climb to the highest by the default estimator and policy.
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
		packets := inOrder(viewer.packets(mid, 1)) // probes repeat some
		checkContinuous(t, packets, 2)
		var seen []int
		for _, p := range packets {
			if e, _, _ := vp8Mark(p.Payload); len(seen) == 0 || seen[len(seen)-1] != e {
				seen = append(seen, e)
			}
		}
		if seen[0] != 0 || seen[len(seen)-1] != 2 || !slices.IsSorted(seen) {
			t.Errorf("encodings %v were shown in turn, want from 0 up to 2 and never down", seen)
		}
		if c := w.reg.Stats().Counters; c.Padding == 0 || c.NACKReceived != 0 {
			t.Errorf("%d bytes of padding and %d requests for what was lost; want probes, and no trace of them", c.Padding, c.NACKReceived)
		}
		s := viewer.peer.Stats()
		if s.Mode != "video" || s.Term == "none" {
			t.Errorf("estimate %s by %s, mode %s; want an estimate, and video", s.Estimate, s.Term, s.Mode)
		}
	})
}

// scripted is an estimator that says what it is told to.
type scripted struct{ target atomic.Int64 }

func (*scripted) OnSent(time.Time, int)                             {}
func (*scripted) OnFeedback(time.Time, []bwe.Packet, time.Duration) {}
func (*scripted) OnREMB(time.Time, units.Bitrate)                   {}
func (*scripted) OnHint(time.Time, units.Bitrate)                   {}
func (s *scripted) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: units.Bitrate(s.target.Load()), Term: bwe.TermDelay}, true
}

// TestCrowdOfSlowLinks has large keyframes go to clients whose links carry little more
// than the camera, in a room with real goroutines: nothing is lost or out of order,
// audio does not wait, and those who leave in the midst of it disturb nobody.
func TestCrowdOfSlowLinks(t *testing.T) {
	const viewers, large = 6, 80
	virtually(t, func(w *world) {
		var cam, mic *source
		w.join("room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam")
			mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
		}})
		cam.run(33*time.Millisecond, 2)
		mic.talk(func() uint8 { return 30 })
		var all []*client
		for id := range sfukit.PeerID(viewers) {
			all = append(all, w.join("room", 10+id, clientConfig{}))
		}
		for _, v := range all {
			v.packets(v.from(1, sfukit.KindVideo), 60)
		}
		for n := range 4 { // the large frames
			time.Sleep(500 * time.Millisecond)
			cam.large.Store(large)
			time.Sleep(50 * time.Millisecond)
			all[n].pc.Close()
			all[n].peer.CloseAsync()
		}
		time.Sleep(2 * time.Second)
		cam.close()
		mic.close()
		time.Sleep(time.Second)
		for _, v := range all[4:] {
			video := v.packets(v.from(1, sfukit.KindVideo), 1)
			checkContinuous(t, video, 0)
			n := 0
			for _, p := range video {
				if _, _, k := vp8Mark(p.Payload); k >= 10 {
					n++
				}
			}
			if want := 4 * (large - 10); n != want {
				t.Errorf("peer %d got %d packets of the large frames, want %d", v.peer.ID(), n, want)
			}
			audio := v.packets(v.from(1, sfukit.KindAudio), 1)
			if len(audio) < 150 {
				t.Errorf("peer %d got %d packets of audio, want some 200", v.peer.ID(), len(audio))
			}
		}
		if c := w.reg.Stats().Counters; c.ShaperDrops != 0 || c.WriteErrors != 0 {
			t.Errorf("%d packets dropped by shapers, %d not written", c.ShaperDrops, c.WriteErrors)
		}
	}, func(c *sfukit.Config) {
		c.NewEstimator = func() sfukit.BandwidthEstimator {
			e := &scripted{}
			e.target.Store(int64(700 * units.Kbps))
			return e
		}
	})
}

// TestVideoStopsWithoutBandwidth drives the estimate to where only audio, and
// then nothing, fits: not one video packet passes, audio goes on, and video
// comes back with a keyframe.
func TestVideoStopsWithoutBandwidth(t *testing.T) {
	for _, v := range []struct {
		name string
		low  units.Bitrate
		mode sfukit.VideoMode
	}{{"audio only", 50 * units.Kbps, sfukit.ModeAudioOnly}, {"suspended", 5 * units.Kbps, sfukit.ModeSuspended}} {
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
				viewer.wait("mode "+v.mode.String(), func() bool { return viewer.peer.Stats().Mode == v.mode.String() })
				viewer.mu.Lock()
				if c := viewer.layers[video]; c.Reason != sfukit.ReasonSuspend && c.Reason != sfukit.ReasonBandwidth || c.Budget != v.low {
					t.Errorf("the client is told %+v, want reason suspend or bandwidth and a budget of %s", c, v.low)
				}
				viewer.mu.Unlock()
				time.Sleep(oneWay + time.Second/2) // what was under way, or waited in the shaper, arrives
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
