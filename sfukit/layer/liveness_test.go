package layer_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
)

const ms = time.Millisecond

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

func TestLivenessBeforeFirstFrame(t *testing.T) {
	var l layer.Liveness
	if l.Live(epoch) || l.Live(time.Time{}) || l.Interval() != 0 {
		t.Errorf("zero Liveness: live or with interval %v, want dead and 0", l.Interval())
	}
	l.Frame(epoch)
	if l.Interval() != 0 {
		t.Errorf("Interval after one frame = %v, want 0", l.Interval())
	}
	for d, want := range map[time.Duration]bool{0: true, 2000 * ms: true, 2001 * ms: false, -time.Second: true} {
		if got := l.Live(at(d)); got != want {
			t.Errorf("one frame, %v later: Live = %v, want %v", d, got, want)
		}
	}
}

// A steady stream is alive all along and dies when its own limit has passed.
func TestLivenessSteady(t *testing.T) {
	for _, tc := range []struct {
		name     string
		interval time.Duration
		limit    time.Duration // longest silence of the living
	}{
		{"30 frames/s: floor", 33 * ms, 500 * ms},
		{"15 frames/s: floor", 66 * ms, 500 * ms},
		{"4 frames/s, shared screen", 250 * ms, 1500 * ms},
		{"1 frame/s: ceiling", 1000 * ms, 5000 * ms},
		{"1 frame in 4 s: ceiling", 4000 * ms, 5000 * ms},
	} {
		var l layer.Liveness
		var now time.Duration
		for i := range 50 {
			l.Frame(at(now))
			now += tc.interval
			if i > 0 && !l.Live(at(now)) {
				t.Errorf("%s: dead at %v, one interval after a frame", tc.name, now)
			}
		}
		if got := l.Interval(); got != tc.interval {
			t.Errorf("%s: Interval = %v, want %v", tc.name, got, tc.interval)
		}
		last := now - tc.interval
		if !l.Live(at(last + tc.limit)) {
			t.Errorf("%s: dead %v after the last frame, want live", tc.name, tc.limit)
		}
		if l.Live(at(last + tc.limit + ms)) {
			t.Errorf("%s: live %v after the last frame, want dead", tc.name, tc.limit+ms)
		}
	}
}

// A sender that slows down by halves, a few frames at a time, never dies, and
// neither does one that speeds up again.
func TestLivenessRamp(t *testing.T) {
	var l layer.Liveness
	now := time.Duration(0)
	l.Frame(at(now))
	for _, gap := range []time.Duration{33, 66, 132, 264, 528, 1056, 528, 264, 132, 66, 33} {
		for i := range 4 {
			now += gap * ms
			if !l.Live(at(now)) {
				t.Errorf("dead before frame %d at interval %v (smoothed %v)", i, gap*ms, l.Interval())
			}
			l.Frame(at(now))
		}
	}
}

// From 30 frames/s to 1 without warning costs one death of half a second; the
// first slow frame revives the encoding for good.
func TestLivenessAbruptSlowdown(t *testing.T) {
	var l layer.Liveness
	now := time.Duration(0)
	for range 60 {
		now += 33 * ms
		l.Frame(at(now))
	}
	if now += time.Second; l.Live(at(now)) {
		t.Error("live after 1 s of silence at 30 frames/s, want dead")
	}
	for range 20 {
		l.Frame(at(now))
		if now += time.Second; !l.Live(at(now)) {
			t.Fatalf("dead at 1 frame/s, smoothed interval %v", l.Interval())
		}
	}
}

// A shared screen repeats a still picture once a second and sends more while
// it scrolls: half a second of that does not make the next second a death.
func TestLivenessScroll(t *testing.T) {
	var l layer.Liveness
	now := time.Duration(0)
	for round := range 20 {
		for range 15 {
			l.Frame(at(now))
			now += 33 * ms
		}
		for i := range 5 {
			l.Frame(at(now))
			if now += time.Second; (round > 0 || i > 0) && !l.Live(at(now)) {
				t.Fatalf("round %d: dead at %v, smoothed interval %v", round, now, l.Interval())
			}
		}
	}
}

// A paused encoding does not remember the pause as a slow frame rate.
func TestLivenessPause(t *testing.T) {
	var l layer.Liveness
	now := time.Duration(0)
	for range 30 {
		now += 33 * ms
		l.Frame(at(now))
	}
	now += time.Minute
	l.Frame(at(now))
	if got := l.Interval(); got != 0 {
		t.Errorf("Interval after a minute of pause = %v, want 0 (unknown)", got)
	}
	now += 33 * ms
	l.Frame(at(now))
	if got := l.Interval(); got != 33*ms {
		t.Errorf("Interval after the restart = %v, want 33ms", got)
	}
}

func TestLivenessTimeBackwards(t *testing.T) {
	var l layer.Liveness
	l.Frame(at(0))
	l.Frame(at(100 * ms))
	l.Frame(at(50 * ms))
	if got := l.Interval(); got != 100*ms {
		t.Errorf("Interval after a frame from the past = %v, want 100ms", got)
	}
	if l.Live(at(701 * ms)) {
		t.Error("live 601 ms after the newest frame at 100 ms intervals, want dead")
	}
}

func TestLivenessDoesNotAllocate(t *testing.T) {
	var l layer.Liveness
	now := epoch
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(33 * ms)
		l.Frame(now)
		l.Live(now)
	}); n != 0 {
		t.Errorf("Frame and Live: %v allocs, want 0", n)
	}
}
