package allocate_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	kbps = units.Kbps
	tick = 100 * time.Millisecond
)

// camera returns a live simulcast of up to three encodings at the rates given.
func camera(rates ...units.Bitrate) []allocate.Rung {
	names := []struct {
		rid   layer.RID
		width int
	}{{layer.Low, 320}, {layer.Medium, 640}, {layer.High, 1280}}
	var rungs []allocate.Rung
	for i, r := range rates {
		rungs = append(rungs, allocate.Rung{RID: names[i].rid, Width: names[i].width, Rate: r, Live: true})
	}
	return rungs
}

// usual is the simulcast of a browser.
func usual() []allocate.Rung { return camera(150*kbps, 500*kbps, 1_700*kbps) }

// layered is the same with three temporal layers each, which take about 0.6, 0.8
// and 1 of the rate.
func layered() []allocate.Rung {
	var rungs []allocate.Rung
	for _, e := range usual() {
		for t, tenths := range []units.Bitrate{6, 8, 10} {
			r := e
			r.Temporal, r.Rate = uint8(t), e.Rate*tenths/10
			rungs = append(rungs, r)
		}
	}
	return rungs
}

// voice is an audio track.
func voice(id uint64) allocate.Track {
	return allocate.Track{ID: id, Audio: true, Rungs: []allocate.Rung{{Rate: 32 * kbps, Live: true}}}
}

// scene is a subscriber in virtual time.
type scene struct {
	testing.TB
	a      *allocate.Allocator
	now    time.Time
	budget allocate.Budget
	tracks []allocate.Track
	last   allocate.Result

	before  map[uint64]int         // rung as of the last step, by track
	changes map[uint64][]time.Time // of video
	jumps   map[uint64][]time.Time // those to another encoding, or none
	raises  map[uint64][]time.Time
}

func newScene(t testing.TB, cfg allocate.Config, tracks ...allocate.Track) *scene {
	t.Helper()
	a, err := allocate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &scene{
		TB: t, a: a, now: time.Unix(1_000, 0), tracks: tracks, before: map[uint64]int{},
		changes: map[uint64][]time.Time{}, jumps: map[uint64][]time.Time{}, raises: map[uint64][]time.Time{},
	}
}

// step is one call of Update, 100 ms after the last. Every rung decided on flows at
// once.
func (s *scene) step(target units.Bitrate) allocate.Result {
	s.Helper()
	s.now = s.now.Add(tick)
	s.budget.Target, s.budget.Known = target, true
	s.last = s.a.Update(s.now, s.budget, s.tracks)
	s.check()
	for i, d := range s.last.Tracks {
		t := &s.tracks[i]
		was, seen := s.before[t.ID]
		if !seen {
			was = -1
		}
		if d.Rung != was && !t.Audio {
			s.changes[t.ID] = append(s.changes[t.ID], s.now)
			if d.Rung < 0 || was < 0 || was >= len(t.Rungs) || t.Rungs[was].RID != t.Rungs[d.Rung].RID {
				s.jumps[t.ID] = append(s.jumps[t.ID], s.now)
			}
			if d.Rung > was {
				s.raises[t.ID] = append(s.raises[t.ID], s.now)
			}
		}
		s.before[t.ID] = d.Rung
		t.Showing = d.Rung
	}
	return s.last
}

// run steps for d at one target.
func (s *scene) run(d time.Duration, target units.Bitrate) allocate.Result {
	s.Helper()
	for end := s.now.Add(d); s.now.Before(end); {
		s.step(target)
	}
	return s.last
}

// probed lets a probe reach rate now.
func (s *scene) probed(rate units.Bitrate) { s.budget.Probed, s.budget.ProbedAt = rate, s.now }

// check looks for what must hold of any decision.
func (s *scene) check() {
	s.Helper()
	var sum units.Bitrate
	for i, d := range s.last.Tracks {
		t := &s.tracks[i]
		if d.ID != t.ID {
			s.Fatalf("decision %d is for track %d, want %d", i, d.ID, t.ID)
		}
		if d.Rung < -1 || d.Rung >= len(t.Rungs) || d.Want < -1 || d.Want >= len(t.Rungs) || d.Next >= len(t.Rungs) {
			s.Fatalf("track %d of %d rungs gets %+v", t.ID, len(t.Rungs), d)
		}
		if d.Rung >= 0 && !t.Rungs[d.Rung].Live {
			s.Errorf("%v: track %d gets rung %d, which is not live", s.now, t.ID, d.Rung)
		}
		if d.Rung >= 0 && t.Paused {
			s.Errorf("%v: track %d gets rung %d although it is not wanted", s.now, t.ID, d.Rung)
		}
		if d.Share < 0 || d.Missing < 0 || d.Rung < 0 && d.Share != 0 {
			s.Errorf("%v: track %d: share %v, missing %v with rung %d", s.now, t.ID, d.Share, d.Missing, d.Rung)
		}
		if d.Want < d.Rung {
			s.Errorf("%v: track %d wants rung %d but gets %d", s.now, t.ID, d.Want, d.Rung)
		}
		sum += d.Share
	}
	if sum != s.last.Allocated {
		s.Errorf("%v: shares sum up to %v, Allocated is %v", s.now, sum, s.last.Allocated)
	}
	if s.last.Wanted < 0 {
		s.Errorf("%v: Wanted is %v", s.now, s.last.Wanted)
	}
}

// rungs returns the rungs decided on.
func (s *scene) rungs() []int {
	var out []int
	for _, d := range s.last.Tracks {
		out = append(out, d.Rung)
	}
	return out
}

// forget drops what was counted so far, such as the first raises.
func (s *scene) forget() {
	clear(s.changes)
	clear(s.jumps)
	clear(s.raises)
}

// most returns the greatest number of times in any minute.
func most(times []time.Time) int {
	n := 0
	for i := range times {
		k := i
		for k < len(times) && times[k].Sub(times[i]) < time.Minute {
			k++
		}
		n = max(n, k-i)
	}
	return n
}
