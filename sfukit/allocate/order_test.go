package allocate_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		cfg  allocate.Config
		want error
	}{
		{allocate.Config{}, nil},
		{allocate.Config{Policy: allocate.Tiers}, nil},
		{allocate.Config{Policy: 2}, allocate.ErrPolicy},
		{allocate.Config{Pacer: pacer.Config{LowMin: 1}}, pacer.ErrBitrateOrder},
	} {
		a, err := allocate.New(tc.cfg)
		if !errors.Is(err, tc.want) || (a == nil) != (err != nil) {
			t.Errorf("New(%+v) = %v, %v, want error %v", tc.cfg, a, err, tc.want)
		}
	}
}

// TestOrder shows who gets what once a target has lasted.
func TestOrder(t *testing.T) {
	track := func(id uint64, change func(*allocate.Track)) allocate.Track {
		t := allocate.Track{ID: id, Rungs: usual(), Showing: -1}
		if change != nil {
			change(&t)
		}
		return t
	}
	speaker := func(t *allocate.Track) { t.Speaker = true }
	screen := func(t *allocate.Track) { t.Screen = true }
	prior := func(n int) func(*allocate.Track) { return func(t *allocate.Track) { t.Priority = n } }
	wide := func(n int) func(*allocate.Track) { return func(t *allocate.Track) { t.MaxWidth = n } }
	tests := []struct {
		name   string
		target units.Bitrate
		tracks []allocate.Track
		want   []int
	}{
		{"nothing watched", 1_000 * kbps, nil, nil},
		{"one track, all of it", 1_870 * kbps, []allocate.Track{track(1, nil)}, []int{2}},
		{"a tenth must be left", 1_869 * kbps, []allocate.Track{track(1, nil)}, []int{1}},
		{"audio is set aside first", 560 * kbps, []allocate.Track{track(1, nil), voice(2)}, []int{0, 0}},
		{"audio beyond the target", 20 * kbps, []allocate.Track{voice(1), voice(2)}, []int{0, 0}},
		{"lowest rungs before better ones", 460 * kbps, []allocate.Track{
			track(1, speaker), track(2, nil), track(3, nil),
		}, []int{0, 0, 0}},
		{"the first to come when not all fit", 310 * kbps, []allocate.Track{
			track(1, nil), track(2, nil), track(3, nil),
		}, []int{0, 0, -1}},
		{"the important when not all fit", 310 * kbps, []allocate.Track{
			track(1, nil), track(2, screen), track(3, speaker),
		}, []int{-1, 0, 0}},
		{"the speaker is raised first", 1_000 * kbps, []allocate.Track{
			track(1, nil), track(2, nil), track(3, speaker),
		}, []int{0, 0, 1}},
		{"a screen share before the speaker", 1_000 * kbps, []allocate.Track{
			track(1, speaker), track(2, screen), track(3, nil),
		}, []int{0, 1, 0}},
		{"the client's priority before both", 1_000 * kbps, []allocate.Track{
			track(1, speaker), track(2, screen), track(3, prior(1)),
		}, []int{0, 0, 1}},
		{"a class goes as far as it can", 2_300 * kbps, []allocate.Track{
			track(1, nil), track(2, nil), track(3, speaker),
		}, []int{0, 0, 2}},
		{"what is too little for one serves another", 1_500 * kbps, []allocate.Track{
			track(1, nil), track(2, speaker),
		}, []int{1, 1}},
		{"equals are raised in turn", 1_700 * kbps, []allocate.Track{
			track(1, nil), track(2, nil), track(3, nil),
		}, []int{1, 1, 1}},
		{"the larger wish first", 1_000 * kbps, []allocate.Track{
			track(1, wide(640)), track(2, wide(1280)), track(3, wide(640)),
		}, []int{0, 1, 0}},
		{"no limit is the largest wish", 1_000 * kbps, []allocate.Track{
			track(1, wide(1280)), track(2, nil), track(3, wide(640)),
		}, []int{0, 1, 0}},
		{"a small tile leaves room", 2_000 * kbps, []allocate.Track{
			track(1, wide(320)), track(2, nil), voice(3),
		}, []int{0, 1, 0}},
		{"a tile smaller than all", 5_000 * kbps, []allocate.Track{track(1, wide(100))}, []int{0}},
		{"limit by encoding", 5_000 * kbps, []allocate.Track{
			track(1, func(t *allocate.Track) { t.MaxRID = "h" }),
		}, []int{1}},
		{"paused", 5_000 * kbps, []allocate.Track{
			track(1, func(t *allocate.Track) { t.Paused = true }),
			track(2, nil),
		}, []int{-1, 2}},
		{"a track without rungs", 5_000 * kbps, []allocate.Track{{ID: 1}}, []int{-1}},
		{"temporal layers fill the gaps", 1_300 * kbps, []allocate.Track{
			{ID: 1, Rungs: layered(), Showing: -1},
		}, []int{6}},
		{"nine tiles", 1_500 * kbps, []allocate.Track{
			track(1, nil), track(2, nil), track(3, nil), track(4, nil), track(5, nil),
			track(6, nil), track(7, nil), track(8, nil), track(9, nil),
		}, []int{0, 0, 0, 0, 0, 0, 0, 0, 0}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := newScene(t, allocate.Config{}, tc.tracks...)
			s.run(20*time.Second, tc.target)
			if got := s.rungs(); !slices.Equal(got, tc.want) {
				t.Errorf("at %v: rungs %v, want %v", tc.target, got, tc.want)
			}
			for id, c := range s.changes {
				if len(c) > 3 {
					t.Errorf("track %d changed %d times under a constant target", id, len(c))
				}
			}
		})
	}
}

// TestSpeakerChange shows that what rank decides does not wait, and is undone as
// soon as the rank is.
func TestSpeakerChange(t *testing.T) {
	s := newScene(
		t, allocate.Config{},
		allocate.Track{ID: 1, Rungs: usual(), Speaker: true}, allocate.Track{ID: 2, Rungs: usual()},
	)
	s.run(10*time.Second, 2_100*kbps)
	for i, want := range [][]int{{2, 0}, {0, 2}, {2, 0}, {0, 2}, {2, 0}} {
		s.tracks[0].Speaker, s.tracks[1].Speaker = i%2 == 0, i%2 == 1
		s.step(2_100 * kbps)
		if got := s.rungs(); !slices.Equal(got, want) {
			t.Errorf("after change %d of the speaker: %v, want %v", i, got, want)
		}
		if i > 0 {
			if got := s.last.Tracks[1-i%2].Reason; got != allocate.ReasonPriority {
				t.Errorf("change %d: reason %v for the one that lost, want priority", i, got)
			}
		}
	}
}

// TestEqualsDoNotPush shows that a track is not lowered for one of equal rank.
func TestEqualsDoNotPush(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual(), Paused: true}, allocate.Track{ID: 2, Rungs: usual()})
	s.run(10*time.Second, 1_000*kbps)
	if got, want := s.rungs(), []int{-1, 1}; !slices.Equal(got, want) {
		t.Fatalf("one paused: %v, want %v", got, want)
	}
	s.tracks[0].Paused = false // the first to arrive is back
	s.run(10*time.Second, 1_000*kbps)
	if got, want := s.rungs(), []int{0, 1}; !slices.Equal(got, want) {
		t.Errorf("both: %v, want %v", got, want)
	}
}

// TestUnknownBudget shows that no estimate is not an estimate of nothing.
func TestUnknownBudget(t *testing.T) {
	a, err := allocate.New(allocate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	tracks := []allocate.Track{{ID: 1, Rungs: usual(), Showing: -1}}
	rung := func(b allocate.Budget) int {
		now = now.Add(tick)
		return a.Update(now, b, tracks).Tracks[0].Rung
	}
	if got := rung(allocate.Budget{}); got != 0 {
		t.Errorf("without an estimate a track begins with %d, want 0", got)
	}
	good := allocate.Budget{Known: true, Target: 5_000 * kbps, Probed: 5_000 * kbps, ProbedAt: now}
	if got := rung(good); got != 2 {
		t.Errorf("at 5 Mbit/s: %d, want 2", got)
	}
	if got := rung(allocate.Budget{}); got != 2 {
		t.Errorf("the estimate is gone: %d, want 2 as before", got)
	}
}
