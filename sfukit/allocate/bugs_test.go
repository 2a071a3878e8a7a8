package allocate_test

import (
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestSmallGrowthRaises: a filter that ignores small changes of the estimate must
// not keep a track low for ever (jitsi/jitsi-videobridge#871). Here the target
// creeps past what the next rung takes, by 1 % a second.
func TestSmallGrowthRaises(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	target := 1_500 * kbps
	for target < 1_870*kbps { // a tenth more than the top rung
		s.run(time.Second, target)
		target += target / 100
	}
	if got := s.last.Tracks[0].Rung; got != 1 {
		t.Fatalf("rung %d before there is room, want 1", got)
	}
	s.run(4*time.Second, target)
	if got := s.last.Tracks[0].Rung; got != 2 {
		t.Errorf("rung %d four seconds after there is room, want 2", got)
	}
}

// TestMissingMiddle: a publisher without its middle encoding is raised and lowered
// past it, and climbs again (meetecho/janus-gateway#2231).
func TestMissingMiddle(t *testing.T) {
	rungs := usual()
	rungs[1].Live = false
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs})
	for i, want := range []int{2, 0, 2, 0, 2} {
		if i%2 == 0 {
			s.run(70*time.Second, 3_000*kbps)
		} else {
			s.run(time.Second, 1_000*kbps)
		}
		if got := s.last.Tracks[0].Rung; got != want {
			t.Errorf("step %d: rung %d, want %d", i, got, want)
		}
	}
}

// TestNotLiveIsNotChosen: what is not live is wanted but not waited for in vain, and
// taken when it comes (livekit/livekit#4613).
func TestNotLiveIsNotChosen(t *testing.T) {
	rungs := usual()
	rungs[2].Live = false
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs})
	d := s.run(10*time.Second, 3_000*kbps).Tracks[0]
	if d.Rung != 1 || d.Want != 2 || d.Binding != allocate.ReasonLive || d.Waiting != allocate.WaitLive {
		t.Errorf("top not live: %+v, want rung 1, want 2, bound by and waiting for live", d)
	}
	if got := s.last.Wanted; got != 0 {
		t.Errorf("a rung that is not to be had makes a probe for %v", got)
	}
	s.tracks[0].Rungs[2].Live = true
	if d := s.step(3_000 * kbps).Tracks[0]; d.Rung != 2 || d.Reason != allocate.ReasonLive {
		t.Errorf("top comes: %+v, want rung 2 by reason live", d)
	}
}

// TestIdleIsProbedFor: what the publisher does not send because nobody wanted it is
// worth a probe: else the estimate would stay at what is sent, and nobody would
// ever want it.
func TestIdleIsProbedFor(t *testing.T) {
	rungs := usual()
	rungs[1].Live, rungs[1].Idle = false, true
	rungs[2].Live, rungs[2].Idle, rungs[2].Rate = false, true, 0 // never measured
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs})
	if r := s.run(5*time.Second, 300*kbps); r.Wanted != 550*kbps || r.Tracks[0].Want != 0 {
		t.Errorf("at 300 kbit/s: %v wanted, rung %d; want 550 kbit/s, rung 0", r.Wanted, r.Tracks[0].Want)
	}
	if d := s.step(600 * kbps).Tracks[0]; d.Want != 1 || d.Rung != 0 || d.Waiting != allocate.WaitLive {
		t.Errorf("at 600 kbit/s: %+v; want rung 1 asked for and waited for", d)
	}
	s.tracks[0].Rungs[1].Live = true
	if r := s.run(4*time.Second, 600*kbps); r.Tracks[0].Rung != 1 || r.Wanted != 1_650*kbps {
		t.Errorf("it came: rung %d, %v wanted; want 1, 1.65 Mbit/s (three times the rung below)",
			r.Tracks[0].Rung, r.Wanted)
	}
}

// TestIdleOfTheMoreImportant: what the publisher of a track stopped because it gave
// way to others is asked for again when the track becomes the more important one, in
// their place; not when it is as important as they are.
func TestIdleOfTheMoreImportant(t *testing.T) {
	for _, tc := range []struct{ priority, want int }{{1, 1}, {0, 0}} {
		rungs := usual()
		rungs[1].Live, rungs[1].Idle = false, true
		rungs[2].Live, rungs[2].Idle = false, true
		s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs}, allocate.Track{ID: 2, Priority: 1, Rungs: usual()})
		const target = 800 * kbps // h and q
		if got := s.run(10*time.Second, target).Tracks; got[0].Rung != 0 || got[1].Rung != 1 || got[0].Want != 0 {
			t.Fatalf("before: rungs %d and %d, %d wanted of the first; want 0, 1, 0", got[0].Rung, got[1].Rung, got[0].Want)
		}
		s.tracks[0].Priority, s.tracks[1].Priority = tc.priority, 0
		if d := s.step(target).Tracks[0]; d.Want != tc.want {
			t.Errorf("priority %d against 0: rung %d wanted, want %d", tc.priority, d.Want, tc.want)
		}
		for i := range s.tracks[0].Rungs[:tc.want+1] {
			s.tracks[0].Rungs[i].Live = true
		}
		if got := s.step(target).Tracks; got[0].Rung != tc.want || got[1].Rung != 1-tc.want {
			t.Errorf("it came, priority %d against 0: rungs %d and %d, want %d and %d", tc.priority, got[0].Rung, got[1].Rung, tc.want, 1-tc.want)
		}
	}
}

// TestWantedIsBounded: what is probed for is the next step of all, but no more than
// twice the target, lest the probe harm; unless the least step is more than that.
func TestWantedIsBounded(t *testing.T) {
	var tracks []allocate.Track
	for id := range uint64(5) {
		tracks = append(tracks, allocate.Track{ID: id, Rungs: usual()})
	}
	s := newScene(t, allocate.Config{}, tracks...)
	for _, tc := range []struct{ target, want units.Bitrate }{
		{1_000 * kbps, 2_000 * kbps}, // all five at h would take 2.75 Mbit/s
		{2_000 * kbps, 4_000 * kbps}, // three are at h, f would be next
		{60_000 * kbps, 0},
	} {
		if got := s.run(20*time.Second, tc.target).Wanted; got != tc.want {
			t.Errorf("at %v, rungs %v: %v wanted, want %v", tc.target, s.rungs(), got, tc.want)
		}
	}
	s = newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	if got, want := s.run(time.Second, 549*kbps).Wanted, 550*kbps; got != want {
		t.Errorf("one track at 549 kbit/s: %v wanted, want %v", got, want)
	}
	if got, want := s.run(5*time.Second, 550*kbps).Wanted, 1_870*kbps; got != want {
		t.Errorf("raised: %v wanted, want %v", got, want)
	}
}

// TestIdleOfUnknownWidth: an encoding that was never sent, since nobody wanted it
// when its publisher began, has no known width. A viewer that names the width of its
// tile must get it all the same, where it is of use.
func TestIdleOfUnknownWidth(t *testing.T) {
	for _, tc := range []struct{ maxWidth, want int }{{1_280, 2}, {1_279, 1}, {640, 1}, {639, 0}, {100, 0}} {
		rungs := usual()
		for i := range rungs[1:] {
			r := &rungs[1+i]
			r.Live, r.Idle, r.Rate, r.Width = false, true, 0, 0
		}
		s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, MaxWidth: tc.maxWidth, Rungs: rungs})
		if d := s.run(5*time.Second, 8_000*kbps).Tracks[0]; d.Wish != tc.want || d.Want != tc.want {
			t.Errorf("up to %d px: wish %d, want %d; want rung %d", tc.maxWidth, d.Wish, d.Want, tc.want)
		}
	}
}

// TestIdleIsLimitedByWish: what the publisher stopped because of a viewer's limit is
// still what the limit keeps from it.
func TestIdleIsLimitedByWish(t *testing.T) {
	rungs := usual()
	for i := range rungs[1:] {
		rungs[1+i].Live, rungs[1+i].Idle = false, true
	}
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, MaxRID: "q", Rungs: rungs})
	if d := s.run(5*time.Second, 8_000*kbps).Tracks[0]; d.Binding != allocate.ReasonClient || d.Waiting != allocate.WaitClient {
		t.Errorf("bound by %v, waiting for %v; want client for both", d.Binding, d.Waiting)
	}
}

// TestPauseDoesNotOscillate: an estimate that collapses when video flows and
// recovers when it does not must not pause and resume endlessly
// (aws/amazon-chime-sdk-js#1927).
func TestPauseDoesNotOscillate(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: camera(400 * kbps)}, voice(2))
	flowed := 0
	for i := range 6_600 { // eleven minutes, of which the first does not count
		target := 2_000 * kbps
		s.probed(target)
		if s.before[1] >= 0 && s.last.Tracks != nil {
			flowed++
		} else {
			flowed = 0
		}
		if flowed > 5 {
			target = 0
		}
		s.step(target)
		if i == 600 {
			s.forget()
		}
	}
	if n := most(s.raises[1]); n > 3 {
		t.Errorf("resumed %d times in a minute, want at most 3", n)
	}
	if n := len(s.raises[1]); n < 8 || n > 15 {
		t.Errorf("resumed %d times in ten minutes, want about one a minute", n)
	}
}

// TestSlowScreen: a screen at one to four frames a second is alive between its
// frames (meetecho/janus-gateway#2063).
func TestSlowScreen(t *testing.T) {
	screen := allocate.Track{ID: 1, Screen: true, Rungs: camera(100*kbps, 300*kbps)}
	s := newScene(t, allocate.Config{}, screen)
	var live [2]layer.Liveness
	interval := 250 * time.Millisecond
	for i := range 600 {
		if i == 300 {
			interval = time.Second
		}
		if at := time.Duration(i) * tick; at%interval == 0 {
			for k := range live {
				live[k].Frame(s.now)
			}
		}
		for k := range live {
			s.tracks[0].Rungs[k].Live = live[k].Live(s.now)
		}
		s.step(1_000 * kbps)
	}
	if got := len(s.changes[1]); got > 2 || s.last.Tracks[0].Rung != 1 {
		t.Errorf("%d changes, rung %d at last; want 2 at most, to rung 1", got, s.last.Tracks[0].Rung)
	}
}

// TestTopLayerStops: the publisher's own bandwidth ends its top encoding. The
// fallback is immediate, the return too, unless it keeps happening.
func TestTopLayerStops(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	s.run(70*time.Second, 3_000*kbps)
	live := func(yes bool) allocate.Decision {
		s.tracks[0].Rungs[2].Live = yes
		return s.step(3_000 * kbps).Tracks[0]
	}
	if d := live(false); d.Rung != 1 || d.Reason != allocate.ReasonLive {
		t.Errorf("top stops: %+v, want rung 1 for reason live", d)
	}
	if d := live(true); d.Rung != 2 || d.Reason != allocate.ReasonLive {
		t.Errorf("top is back: %+v, want rung 2 for reason live", d)
	}
	for range 600 { // ten minutes, a second each way
		live(false)
		s.run(time.Second, 3_000*kbps)
		live(true)
		s.run(time.Second, 3_000*kbps)
	}
	live(true)
	if d := s.run(2*time.Second, 3_000*kbps).Tracks[0]; d.Binding != allocate.ReasonLive || d.Waiting != allocate.WaitBackoff || d.Until.IsZero() {
		t.Errorf("a top encoding that comes and goes: %+v; want bound by live, waiting for backoff", d)
	}
	if n := most(s.raises[1]); n > 4 {
		t.Errorf("up %d times in a minute with a top encoding that comes and goes, want at most 4", n)
	}
}

// TestCameraSwitchedOffAndOn: everything falls silent and returns, by the user's
// will; that is no reason to be patient.
func TestCameraSwitchedOffAndOn(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: camera(500 * kbps)})
	s.run(10*time.Second, 1_000*kbps)
	for i := range 20 {
		s.tracks[0].Rungs[0].Live = false
		if d := s.run(time.Second, 1_000*kbps).Tracks[0]; d.Rung != -1 || d.Binding != allocate.ReasonLive || s.last.Mode != allocate.ModeVideo {
			t.Errorf("off %d: %+v, mode %v; want rung -1 for reason live, mode video", i, d, s.last.Mode)
		}
		s.tracks[0].Rungs[0].Live = true
		if d := s.step(1_000 * kbps).Tracks[0]; d.Rung != 0 {
			t.Errorf("on %d: %+v, want rung 0", i, d)
		}
		s.run(time.Second, 1_000*kbps)
	}
	// Nor to give up on the link.
	if got, want := s.run(30*time.Second, 200*kbps).Wanted, 550*kbps; got != want {
		t.Errorf("at 200 kbit/s: %v wanted, want %v", got, want)
	}
}

// TestRateGrows: a still picture begins to move, and what was cheap is not any more.
func TestRateGrows(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: camera(100*kbps, 250*kbps, 700*kbps)})
	s.run(10*time.Second, 1_000*kbps)
	if got := s.last.Tracks[0].Rung; got != 2 {
		t.Fatalf("still: rung %d, want 2", got)
	}
	s.tracks[0].Rungs = usual()
	s.run(3*time.Second, 1_000*kbps)
	if got := s.last.Tracks[0].Rung; got != 1 {
		t.Errorf("three seconds after it moves: rung %d, want 1", got)
	}
	for i := range 300 { // moves every ten seconds for five
		s.tracks[0].Rungs = usual()
		if i%10 >= 5 {
			s.tracks[0].Rungs = camera(100*kbps, 250*kbps, 700*kbps)
		}
		s.run(time.Second, 1_000*kbps)
	}
	if n := most(s.changes[1]); n > 6 {
		t.Errorf("%d changes in a minute of a picture that moves now and then, want at most 6", n)
	}
}

// TestScreenBurst: the only rung of a screen share bursts; that is no reason to
// take it away, unless it lasts.
func TestScreenBurst(t *testing.T) {
	const target = 1_500 * kbps
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Screen: true, Rungs: camera(50 * kbps)}, voice(2))
	s.run(10*time.Second, target)
	s.tracks[0].Rungs[0].Rate = 2_000 * kbps
	s.run(2*time.Second, target)
	s.tracks[0].Rungs[0].Rate = 50 * kbps
	s.run(10*time.Second, target)
	if got, want := len(s.changes[1]), 1; got != want {
		t.Errorf("a burst of two seconds: %d changes, want %d", got, want)
	}
	s.tracks[0].Rungs[0].Rate = 2_000 * kbps
	s.run(10*time.Second, target)
	if s.last.Mode != allocate.ModeAudioOnly || s.last.Tracks[0].Rung != -1 || s.last.Tracks[1].Rung != 0 {
		t.Errorf("2 Mbit/s for ten seconds: mode %v, rungs %v, want audio_only, [-1 0]", s.last.Mode, s.rungs())
	}
}

// TestStepDown: nothing lingers when the link really shrinks.
func TestStepDown(t *testing.T) {
	var tracks []allocate.Track
	for id := range uint64(9) {
		tracks = append(tracks, allocate.Track{ID: id, Rungs: usual()})
	}
	s := newScene(t, allocate.Config{}, tracks...)
	s.run(10*time.Second, 4_500*kbps)
	for _, tc := range []struct {
		target units.Bitrate
		want   []int
	}{
		{2_500 * kbps, []int{1, 1, 1, 0, 0, 0, 0, 0, 0}},
		{1_350 * kbps, []int{0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{300 * kbps, []int{0, 0, -1, -1, -1, -1, -1, -1, -1}},
		{90 * kbps, []int{-1, -1, -1, -1, -1, -1, -1, -1, -1}},
	} {
		s.step(tc.target)
		if got := s.rungs(); !slices.Equal(got, tc.want) {
			t.Errorf("at %v: %v, want %v at once", tc.target, got, tc.want)
		}
	}
}

// TestQueueEmpties: while the target is low so that a queue empties, the picture is
// not given up for it; nor is it kept if that takes too long.
func TestQueueEmpties(t *testing.T) {
	s := newScene(t, allocate.Config{}, voice(100), allocate.Track{ID: 1, Rungs: usual()})
	for _, tc := range []struct {
		name            string
		target, drained units.Bitrate
		lasts           time.Duration
		want            []int
	}{
		{"wide", 2_500 * kbps, 0, 5 * time.Second, []int{0, 2}},
		{"narrow, and a queue", 150 * kbps, 300 * kbps, 1500 * time.Millisecond, []int{0, 0}},
		{"the queue is gone", 300 * kbps, 300 * kbps, 10 * time.Second, []int{0, 0}},
		{"narrower", 100 * kbps, 100 * kbps, tick, []int{0, -1}},
		{"wide again", 2_500 * kbps, 0, 20 * time.Second, []int{0, 2}},
		{"a queue that stays", 150 * kbps, 300 * kbps, 3 * time.Second, []int{0, -1}},
	} {
		s.budget.Drained = tc.drained
		s.run(tc.lasts, tc.target)
		if got := s.rungs(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// TestClassWaitsTogether: while the speaker must not be raised again yet, its room
// is not given to a listener.
func TestClassWaitsTogether(t *testing.T) {
	s := newScene(
		t, allocate.Config{},
		allocate.Track{ID: 1, Rungs: camera(150*kbps, 500*kbps), Speaker: true},
		allocate.Track{ID: 2, Rungs: camera(150*kbps, 500*kbps)},
	)
	for range 3 { // up to 60 s of patience
		s.probed(800 * kbps)
		s.run(20*time.Second, 800*kbps)
		s.step(500 * kbps)
	}
	s.run(50*time.Second, 800*kbps)
	d := s.last.Tracks
	if got, want := s.rungs(), []int{0, 0}; !slices.Equal(got, want) || d[0].Waiting != allocate.WaitBackoff {
		t.Errorf("rungs %v, the speaker waits for %v; want %v, backoff", got, d[0].Waiting, want)
	}
	if got, want := d[0].Until.Sub(d[0].Since), 60*time.Second; got != want {
		t.Errorf("backs off for %v, want %v", got, want)
	}
	s.run(11*time.Second, 800*kbps)
	if got, want := s.rungs(), []int{1, 0}; !slices.Equal(got, want) {
		t.Errorf("after that: %v, want %v", got, want)
	}
}

// TestShallowDip: an estimator that finds the link full sets its target below what
// the link passes, and finds it too low a moment later. Who gives a rung up for that
// pays for a keyframe, and for the next one.
func TestShallowDip(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	for _, tc := range []struct {
		name   string
		target units.Bitrate
		lasts  time.Duration
		want   int
	}{
		{"wide", 2_000 * kbps, 5 * time.Second, 2},
		{"a shallow dip", 1_450 * kbps, 900 * time.Millisecond, 2},
		{"over", 2_000 * kbps, 5 * time.Second, 2},
		{"one that lasts", 1_450 * kbps, 1200 * time.Millisecond, 1},
		{"over", 2_000 * kbps, 20 * time.Second, 2},
		{"a deep one", 1_400 * kbps, tick, 1},
	} {
		if got := s.run(tc.lasts, tc.target).Tracks[0].Rung; got != tc.want {
			t.Errorf("%s: rung %d, want %d", tc.name, got, tc.want)
		}
	}
}

// TestGrowth: encodings that have only just begun are measured at less than what they
// will cost, and nothing is raised into what they grow into.
func TestGrowth(t *testing.T) {
	rungs := usual()
	for i := range rungs {
		rungs[i].Began, rungs[i].Rate = time.Unix(1_000, 0), rungs[i].Rate*6/10
	}
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs})
	if got := s.run(time.Second, 400*kbps).Tracks[0].Rung; got != 0 {
		t.Errorf("with room for 364 kbit/s, where 300 are seen and 525 expected: rung %d, want 0", got)
	}
	if got := s.run(5*time.Second, 400*kbps).Tracks[0].Rung; got != 1 {
		t.Errorf("it has not grown: rung %d, want 1", got)
	}
}

// TestProbedDuringBackoff: what keeps a rung away may be gone, and only a probe can
// find that out.
func TestProbedDuringBackoff(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	s.run(5*time.Second, 600*kbps)
	if r := s.run(time.Second, 300*kbps); r.Tracks[0].Rung != 0 || r.Wanted != 550*kbps {
		t.Errorf("after a loss: rung %d, %v wanted; want 0, 550 kbit/s", r.Tracks[0].Rung, r.Wanted)
	}
}

// TestRaiseThatStood: who loses a rung after a good while has not tried it in vain,
// and waits no longer for the next time than for the first.
func TestRaiseThatStood(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: usual()})
	for i := range 4 {
		s.run(40*time.Second, 600*kbps)
		s.step(300 * kbps)
		if s.step(600 * kbps); s.last.Tracks[0].Rung != 0 {
			t.Fatalf("loss %d: rung %d, want 0", i, s.last.Tracks[0].Rung)
		}
		if got := s.run(5*time.Second, 600*kbps).Tracks[0].Rung; got != 1 {
			t.Errorf("five seconds after loss %d: rung %d, want 1", i, got)
		}
	}
}

// TestBeginsAtFullRate: what is small because it lacks frames is nothing to begin
// with, and not what a link is probed for.
func TestBeginsAtFullRate(t *testing.T) {
	s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: layered()})
	s.now = s.now.Add(tick)
	if r := s.a.Update(s.now, allocate.Budget{}, s.tracks); r.Tracks[0].Rung != 2 {
		t.Errorf("nothing known: rung %d, want 2, all frames of the lowest encoding", r.Tracks[0].Rung)
	}
	if r := s.step(200 * kbps); r.Tracks[0].Rung != 2 || r.Wanted != 550*kbps {
		t.Errorf("at 200 kbit/s: rung %d, %v wanted; want 2, 550 kbit/s", r.Tracks[0].Rung, r.Wanted)
	}
}
