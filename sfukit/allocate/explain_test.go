package allocate_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestExplain follows one track through everything that can bind it.
func TestExplain(t *testing.T) {
	const (
		none, low, mid, top = -1, 0, 1, 2
	)
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual(), Showing: -1})
	for _, tc := range []struct {
		name    string
		change  func(tr *allocate.Track)
		time    time.Duration
		target  units.Bitrate
		rung    int
		next    int
		reason  allocate.Reason
		binding allocate.Reason
		waiting allocate.Waiting
		missing units.Bitrate
	}{
		{
			"begins", nil, tick, 400 * kbps,
			low, mid, allocate.ReasonStart, allocate.ReasonBandwidth, allocate.WaitKeyframe, 150 * kbps,
		},
		{
			"flows", nil, tick, 400 * kbps,
			low, mid, allocate.ReasonStart, allocate.ReasonBandwidth, allocate.WaitRate, 150 * kbps,
		},
		{
			"room", nil, tick, 600 * kbps,
			low, mid, allocate.ReasonStart, allocate.ReasonBandwidth, allocate.WaitProof, 0,
		},
		{
			"room that lasts", nil, 4 * time.Second, 600 * kbps,
			mid, top, allocate.ReasonBandwidth, allocate.ReasonBandwidth, allocate.WaitRate, 1_270 * kbps,
		},
		{
			"a step back", nil, tick, 400 * kbps,
			low, mid, allocate.ReasonBandwidth, allocate.ReasonBandwidth, allocate.WaitKeyframe, 150 * kbps,
		},
		{
			"room again", nil, tick, 600 * kbps,
			low, mid, allocate.ReasonBandwidth, allocate.ReasonBandwidth, allocate.WaitBackoff, 0,
		},
		{
			"all there is", nil, 20 * time.Second, 2_000 * kbps,
			top, none, allocate.ReasonBandwidth, allocate.ReasonStart, allocate.WaitNothing, 0,
		},
		{
			"a small tile", func(tr *allocate.Track) { tr.MaxWidth = 400 }, tick, 2_000 * kbps,
			low, none, allocate.ReasonClient, allocate.ReasonClient, allocate.WaitKeyframe, 0,
		},
		{
			"a small tile flows", nil, tick, 2_000 * kbps,
			low, none, allocate.ReasonClient, allocate.ReasonClient, allocate.WaitClient, 0,
		},
		{
			"paused", func(tr *allocate.Track) { tr.Paused = true }, tick, 2_000 * kbps,
			none, none, allocate.ReasonClient, allocate.ReasonClient, allocate.WaitClient, 0,
		},
		{
			"large again", func(tr *allocate.Track) { tr.Paused, tr.MaxWidth = false, 0 }, 2 * tick, 2_000 * kbps,
			top, none, allocate.ReasonClient, allocate.ReasonStart, allocate.WaitNothing, 0,
		},
		{
			"silent", func(tr *allocate.Track) {
				for i := range tr.Rungs {
					tr.Rungs[i].Live = false
				}
			}, tick, 2_000 * kbps,
			none, none, allocate.ReasonLive, allocate.ReasonLive, allocate.WaitLive, 0,
		},
	} {
		if tc.change != nil {
			tc.change(&s.tracks[0])
		}
		d := s.run(tc.time, tc.target).Tracks[0]
		if d.Rung != tc.rung || d.Next != tc.next || d.Reason != tc.reason || d.Binding != tc.binding || d.Waiting != tc.waiting || d.Missing != tc.missing {
			t.Errorf("%s: rung %d, next %d, reason %v, binding %v, waiting %v, missing %v; want %d, %d, %v, %v, %v, %v",
				tc.name, d.Rung, d.Next, d.Reason, d.Binding, d.Waiting, d.Missing,
				tc.rung, tc.next, tc.reason, tc.binding, tc.waiting, tc.missing)
		}
	}
}

// TestExplainWithoutEstimate: what is not known is not said to be too little.
func TestExplainWithoutEstimate(t *testing.T) {
	a, err := allocate.New(allocate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	now, tracks := time.Unix(1_000, 0), []allocate.Track{{ID: 1, Rungs: usual(), Showing: 0}}
	for _, tc := range []struct {
		known   bool
		want    allocate.Waiting
		missing bool
	}{{false, allocate.WaitEstimate, false}, {true, allocate.WaitRate, true}} {
		d := a.Update(now, allocate.Budget{Target: 200 * kbps, Known: tc.known}, tracks).Tracks[0]
		if d.Rung != 0 || d.Next != 1 || d.Waiting != tc.want || (d.Missing > 0) != tc.missing {
			t.Errorf("estimate known %t: rung %d, next %d, waiting %v, missing %v; want 0, 1, %v and something missing %t",
				tc.known, d.Rung, d.Next, d.Waiting, d.Missing, tc.want, tc.missing)
		}
		now = now.Add(tick)
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{allocate.ModeSuspended.String(), "suspended"},
		{allocate.Mode(3).String(), "mode(3)"},
		{allocate.ReasonPriority.String(), "priority"},
		{allocate.Reason(6).String(), "reason(6)"},
		{allocate.WaitEstimate.String(), "estimate"},
		{allocate.Waiting(8).String(), "waiting(8)"},
		{allocate.Tiers.String(), "tiers"},
		{allocate.Policy(2).String(), "policy(2)"},
	} {
		if tc.got != tc.want {
			t.Errorf("label %q, want %q", tc.got, tc.want)
		}
	}
}
