package allocate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestTiersParity compares the tiers policy, for one simulcast track, with what
// package pacer and layer.Ladder do: whatever the estimates and whatever is live.
func TestTiersParity(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(2, seed))
		a, err := allocate.New(allocate.Config{Policy: allocate.Tiers})
		if err != nil {
			t.Fatal(err)
		}
		p, err := pacer.New(pacer.Config{})
		if err != nil {
			t.Fatal(err)
		}
		track := allocate.Track{ID: 1, Rungs: usual()[:1+r.IntN(3)], Showing: -1}
		if r.IntN(3) == 0 {
			for i := range track.Rungs { // a publisher with names of its own
				track.Rungs[i].RID = layer.RID("abc"[i : i+1])
			}
		}
		now := time.Unix(0, 0)
		for range 500 {
			now = now.Add(time.Duration(50+r.IntN(100)) * time.Millisecond)
			estimate := units.Bitrate(r.ExpFloat64() * 400_000)
			rungs := make([]layer.Rung, len(track.Rungs))
			for i := range track.Rungs {
				g := &track.Rungs[i]
				g.Live = r.IntN(5) > 0
				rungs[i] = layer.Rung{RID: g.RID, Width: g.Width, Height: g.Width, Live: g.Live}
			}
			p.Drive(now, estimate)
			want := -1
			ladder := layer.NewLadder(rungs)
			if rid, ok := ladder.BestFit(p.Layer()); ok && !p.AudioOnly() {
				want, _ = ladder.Rank(rid)
			}
			res := a.Update(now, allocate.Budget{Known: true, Target: estimate}, []allocate.Track{track})
			if got := res.Tracks[0].Rung; got != want {
				t.Fatalf("seed %d, estimate %v, tier %q, rungs %+v: rung %d, want %d", seed, estimate, p.Layer(), rungs, got, want)
			}
			if got := res.Mode; (got == allocate.ModeSuspended) != p.Suspended() || (got != allocate.ModeVideo) != p.AudioOnly() {
				t.Fatalf("seed %d: mode %v, pacer suspended %v, audio only %v", seed, got, p.Suspended(), p.AudioOnly())
			}
		}
	}
}

// TestTiersWanted shows what is probed for: the next threshold.
func TestTiersWanted(t *testing.T) {
	s := newScene(t, allocate.Config{Policy: allocate.Tiers}, allocate.Track{ID: 1, Rungs: usual(), Showing: -1})
	for _, tc := range []struct{ target, want units.Bitrate }{
		{200 * kbps, 350 * kbps}, {400 * kbps, 700 * kbps}, {900 * kbps, 0}, {50 * kbps, 150 * kbps}, {0, 150 * kbps},
	} {
		if got := s.run(time.Second, tc.target).Wanted; got != tc.want {
			t.Errorf("at %v: %v wanted, want %v", tc.target, got, tc.want)
		}
	}
	if s.last.Mode != allocate.ModeSuspended {
		t.Errorf("a second at 0: mode %v, want suspended", s.last.Mode)
	}
}

// TestFloors shows the thresholds of package pacer at work in the measured policy.
func TestFloors(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: camera(30*kbps, 500*kbps)}, voice(2))
	for i, tc := range []struct {
		target  units.Bitrate
		mode    allocate.Mode
		rung    int
		reason  allocate.Reason
		missing units.Bitrate
	}{
		{1_000 * kbps, allocate.ModeVideo, 1, allocate.ReasonStart, 0},
		{79 * kbps, allocate.ModeAudioOnly, -1, allocate.ReasonSuspend, 71 * kbps}, // although 30 kbit/s would fit
		{149 * kbps, allocate.ModeAudioOnly, -1, allocate.ReasonSuspend, 1 * kbps},
		{9 * kbps, allocate.ModeSuspended, -1, allocate.ReasonSuspend, 141 * kbps},
		{100 * kbps, allocate.ModeAudioOnly, -1, allocate.ReasonSuspend, 50 * kbps},
		{150 * kbps, allocate.ModeVideo, 0, allocate.ReasonSuspend, 435_200},
	} {
		d := s.run(20*time.Second, tc.target).Tracks[0]
		if s.last.Mode != tc.mode || d.Rung != tc.rung || d.Reason != tc.reason || d.Missing != tc.missing {
			t.Errorf("step %d at %v: mode %v, %+v; want %v, rung %d for %v, missing %v", i, tc.target, s.last.Mode, d, tc.mode, tc.rung, tc.reason, tc.missing)
		}
		if got := s.last.Tracks[1].Rung; got != 0 {
			t.Errorf("step %d: audio gets rung %d, want 0 always", i, got)
		}
	}
}
