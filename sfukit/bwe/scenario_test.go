package bwe_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const s = time.Second

// gilbert loses a share of packets in bursts of a mean length.
func gilbert(share, length float64) func(*rand.Rand) bool {
	bad := false
	return func(r *rand.Rand) bool {
		if bad {
			bad = r.Float64() >= 1/length
		} else {
			bad = r.Float64() < share/(1-share)/length
		}
		return bad
	}
}

func random(share float64) func(*rand.Rand) bool {
	return func(r *rand.Rand) bool { return r.Float64() < share }
}

func normal(sd time.Duration) func(*rand.Rand, time.Duration) time.Duration {
	return func(r *rand.Rand, _ time.Duration) time.Duration {
		return time.Duration(math.Abs(r.NormFloat64()) * float64(sd))
	}
}

// wifi stalls the link for up to 60 ms three times a second.
func wifi(t time.Duration) time.Duration {
	const period = 300 * time.Millisecond
	n := uint64(t / period)
	return time.Duration(n)*period + time.Duration(n*2654435761>>7%60)*time.Millisecond
}

// lte swings between 0.3 and 4.9 Mbit/s within seconds.
func lte(t time.Duration) units.Bitrate {
	x := t.Seconds()
	return units.Bitrate(1e6 * max(0.3, 2.5+1.2*math.Sin(x/3)+0.8*math.Sin(1.7*x+1)+0.4*math.Sin(11*x)))
}

// start runs a world with one greedy flow.
func start(t *testing.T, w *world) *flow {
	t.Helper()
	if w.flows == nil {
		w.flows = []*flow{{e: newSendSide(t, bwe.SendSideConfig{})}}
	}
	w.run()
	return w.flows[0]
}

// TestConstant is a greedy flow on a link that does not change. ratio is the mean
// estimate over the capacity, after 10 s.
func TestConstant(t *testing.T) {
	type bounds struct {
		low, high float64 // of the ratio
		wait      time.Duration
		loss      float64
	}
	clean := bounds{0.85, 1, 40 * time.Millisecond, 0.005}
	const k = units.Kbps
	tests := []struct {
		name string
		w    world
		want bounds
	}{
		{"", world{}, clean},
		{"queue of 1 s", world{limit: time.Second}, clean},
		{"queue of 60 ms", world{limit: 60 * time.Millisecond}, bounds{0.85, 1.05, 40 * time.Millisecond, 0.04}},
		{"feedback each 100 ms", world{feedback: 100 * time.Millisecond}, clean},
		{"receiver's clock 200 ppm fast", world{drift: 200e-6}, clean},
		{"receiver's clock 200 ppm slow", world{drift: -200e-6}, clean},
		{"jitter 10 ms", world{jitter: normal(10 * time.Millisecond)}, clean},
		{"rtt 300 ms", world{delay: 150 * time.Millisecond}, bounds{0.85, 1, 60 * time.Millisecond, 0.005}},
		{"2 % lost", world{lose: random(0.02)}, bounds{0.83, 1, 40 * time.Millisecond, 0.03}},
		{"10 % lost", world{lose: random(0.1)}, bounds{0.75, 1, 60 * time.Millisecond, 0.13}},
		{"10 % lost in bursts", world{lose: gilbert(0.1, 8)}, bounds{0.6, 1, 60 * time.Millisecond, 0.2}},
		{"stalls as of Wi-Fi", world{hold: wifi, limit: 500 * time.Millisecond}, bounds{0.55, 1, 80 * time.Millisecond, 0.005}},
	}
	for _, tc := range tests {
		for _, c := range []units.Bitrate{300 * k, 1000 * k, 2500 * k, 8000 * k} {
			w := tc.w
			w.capacity, w.until = constant(c), 30*s
			f := start(t, &w)
			ratio, wait, loss := f.mean(10*s, 30*s)/float64(c), f.wait95(10*s, 30*s), f.lossAfter(10*s)
			least := f.least(10*s, 30*s)
			t.Logf("%-12v %-30s estimate/capacity %.3f received %.3f least %-16v wait95 %5.1f ms loss %.2f %%", c, tc.name,
				ratio, f.received(10*s, 30*s)/float64(c), least, float64(wait)/1e6, 100*loss)
			if ratio < tc.want.low || ratio > tc.want.high {
				t.Errorf("%v %s: estimate/capacity %.3f, want %g to %g", c, tc.name, ratio, tc.want.low, tc.want.high)
			}
			if wait > tc.want.wait || loss > tc.want.loss {
				t.Errorf("%v %s: 95 %% wait up to %v, %.4f lost, want %v, %g", c, tc.name, wait, loss, tc.want.wait, tc.want.loss)
			}
			if least < 150*k {
				t.Errorf("%v %s: the estimate fell to %v, below the lowest rung of 150 kbit/s", c, tc.name, least)
			}
		}
	}
}

// TestChange is a capacity of 2.5 Mbit/s that falls after 20 s and is back 30 s
// later.
func TestChange(t *testing.T) {
	for _, low := range []units.Bitrate{300 * units.Kbps, units.Mbps} {
		const high = 2500 * units.Kbps
		f := start(t, &world{capacity: steps(high, step{20 * s, low}, step{50 * s, high}), until: 65 * s})
		down := f.until(20*s, func(r units.Bitrate) bool { return r < low })
		up := f.until(50*s, func(r units.Bitrate) bool { return r >= high*9/10 })
		ratio, wait := f.mean(28*s, 50*s)/float64(low), f.wait95(28*s, 50*s)
		t.Logf("to %v: below it in %v, then estimate/capacity %.3f, wait95 %v; back to 90 %% in %v", low, down, ratio, wait, up)
		if down < 0 || down > time.Second {
			t.Errorf("to %v: below it after %v, want 1 s at most", low, down)
		}
		if up < 0 || up > 8*s {
			t.Errorf("from %v: at 90 %% after %v, want 8 s at most", low, up)
		}
		if ratio < 0.85 || ratio > 1 || wait > 45*time.Millisecond {
			t.Errorf("at %v: estimate/capacity %.3f, wait %v, want 0.85 to 1, 45 ms at most", low, ratio, wait)
		}
		var most units.Bitrate // by which the target is lower while the queue empties
		for _, s := range f.samples {
			if s.e.Drained < s.e.Target {
				t.Fatalf("to %v: drained %v, below the target %v", low, s.e.Drained, s.e.Target)
			}
			most = max(most, s.e.Drained-s.e.Target)
		}
		if most < low/10 {
			t.Errorf("to %v: the target was at most %v lower than with an empty queue, want %v at least", low, most, low/10)
		}
	}
}

// The capacity swings faster than an estimate can follow.
func TestSwinging(t *testing.T) {
	f := start(t, &world{capacity: lte, limit: 300 * time.Millisecond, jitter: normal(4 * time.Millisecond), until: 60 * s})
	got, wait := f.received(10*s, 60*s)/2.5e6, f.wait95(10*s, 60*s)
	t.Logf("received/capacity %.3f, wait95 %v", got, wait)
	if got < 0.55 || wait > 150*time.Millisecond {
		t.Errorf("received/capacity %.3f, wait %v, want 0.55 at least, 150 ms at most", got, wait)
	}
}

// Jain's index of two flows, the second of which begins about 5 s later, whenever
// that is. Neither may take the other for one that fills the queue whatever it does.
func TestFair(t *testing.T) {
	for _, c := range []units.Bitrate{units.Mbps, 3 * units.Mbps} {
		for i := range 6 {
			a := &flow{e: newSendSide(t, bwe.SendSideConfig{})}
			b := &flow{e: newSendSide(t, bwe.SendSideConfig{}), from: 5*s + time.Duration(i)*170*time.Millisecond}
			start(t, &world{capacity: constant(c), flows: []*flow{a, b}, until: 60 * s})
			x, y := a.received(25*s, 60*s), b.received(25*s, 60*s)
			jain := (x + y) * (x + y) / 2 / (x*x + y*y)
			wait, loss := a.wait95(25*s, 60*s), a.lossAfter(25*s)
			t.Logf("%v, from %v: %.0f and %.0f kbit/s, Jain %.3f, wait95 %v, loss %.2f %%", c, b.from, x/1e3, y/1e3, jain, wait, 100*loss)
			if jain < 0.9 || x+y < 0.85*float64(c) {
				t.Errorf("%v, from %v: %.0f and %.0f bit/s, Jain %.3f, want 0.9 and 85 %% together", c, b.from, x, y, jain)
			}
			if wait > 100*time.Millisecond || loss > 0.01 {
				t.Errorf("%v, from %v: wait %v, %.4f lost, want 100 ms, 0.01 at most", c, b.from, wait, loss)
			}
		}
	}
}

// For 3 s nothing arrives, or nothing is heard of it, or all waits. What waited has
// to be passed first: of the 8 s that the last may take, 3 would go by even if
// nothing were sent.
func TestOutage(t *testing.T) {
	const c = 2500 * units.Kbps
	in := func(t time.Duration) bool { return t > 20*s && t < 23*s }
	tests := []struct {
		name string
		w    world
		back time.Duration
	}{
		{"lost", world{dead: in}, 2 * s},
		{"feedback lost", world{deaf: in}, 2 * s},
		{"held up", world{limit: 5 * s, hold: func(t time.Duration) time.Duration {
			if in(t) {
				return 23 * s
			}
			return 0
		}}, 8 * s},
	}
	for _, tc := range tests {
		w := tc.w
		w.capacity, w.until = constant(c), 40*s
		f := start(t, &w)
		least := f.least(20*s, 40*s)
		back := f.until(23*s, func(r units.Bitrate) bool { return r >= c*9/10 })
		t.Logf("%s: least %v, 90 %% back %v after", tc.name, least, back)
		if back < 0 || back > tc.back {
			t.Errorf("%s: 90 %% of the capacity %v after, want %v at most", tc.name, back, tc.back)
		}
		if during := f.least(22*s, 23*s); during > c*6/10 {
			t.Errorf("%s: %v offered after 2 s of silence, want little", tc.name, during)
		}
		if least < 300*units.Kbps {
			t.Errorf("%s: the estimate fell to %v", tc.name, least)
		}
	}
}

// A ladder leaves a gap to the estimate, which only probes can fill: the top rung
// is reached where it fits, and an estimate that is not used stays put.
func TestLadder(t *testing.T) {
	const k = units.Kbps
	rungs := []units.Bitrate{50 * k, 200 * k, 650 * k, 2200 * k}
	f := &flow{e: newSendSide(t, bwe.SendSideConfig{}), rungs: rungs}
	start(t, &world{capacity: steps(3000*k, step{20 * s, 400 * k}, step{40 * s, 3000 * k}), flows: []*flow{f}, until: 60 * s})
	fits := func(r units.Bitrate) bool { return r >= 2200*k }
	first, again := f.until(0, fits), f.until(40*s, fits)
	t.Logf("2.2 Mbit/s fits after %v, and %v after the link is back; %d probes", first, again, f.probes)
	if first < 0 || first > 5*s || again < 0 || again > 8*s {
		t.Errorf("2.2 Mbit/s fits after %v and %v, want 5 s and 8 s at most", first, again)
	}
	if most := f.most(50*s, 60*s); most > 3000*k {
		t.Errorf("the estimate climbs to %v, above the capacity, while 2.2 Mbit/s are sent", most)
	}
	if least := f.least(10*s, 20*s); least < 2200*k {
		t.Errorf("the estimate falls to %v while the link carries more", least)
	}
}

// A shaper that passes 5 kB at once does not pass for a faster link, and a link that
// becomes faster is still found.
func TestBucket(t *testing.T) {
	const k = units.Kbps
	rungs := []units.Bitrate{30 * k, 180 * k, 530 * k, 1600 * k}
	f := &flow{e: newSendSide(t, bwe.SendSideConfig{}), rungs: rungs}
	start(t, &world{
		capacity: steps(3000*k, step{20 * s, 400 * k}, step{80 * s, 3000 * k}), bucket: 40e3,
		flows: []*flow{f}, until: 110 * s,
	})
	raises := 0
	for i, s := range f.samples[1:] {
		if s.at >= 21*time.Second && s.at < 80*time.Second && s.e.Target >= 530*k && f.samples[i].e.Target < 530*k {
			raises++
		}
	}
	again := f.until(80*s, func(r units.Bitrate) bool { return r >= 1600*k })
	t.Logf("530 kbit/s seem to fit %d times in a minute, at most %v; 1.6 Mbit/s after %v again; %d probes, waits95 %v",
		raises, f.most(21*s, 80*s), again, f.probes, f.wait95(22*s, 80*s))
	if raises > 0 {
		t.Errorf("530 kbit/s seem to fit a link of 400 kbit/s %d times in a minute", raises)
	}
	if again < 0 || again > 8*s {
		t.Errorf("1.6 Mbit/s fit after %v, want 8 s at most", again)
	}
}

// An application that sends little learns nothing: the estimate stays, through
// jitter as well, until more is wanted.
func TestApplicationLimited(t *testing.T) {
	const k = units.Kbps
	f := &flow{
		e:      newSendSide(t, bwe.SendSideConfig{}),
		media:  steps(2000*k, step{15 * s, 50 * k}, step{45 * s, 2000 * k}),
		jitter: func(t time.Duration) bool { return t > 15*s && t < 45*s },
	}
	start(t, &world{capacity: constant(3000 * k), flows: []*flow{f}, jitter: normal(15 * time.Millisecond), until: 55 * s})
	before, least, most := f.mean(14*s, 15*s), f.least(17*s, 45*s), f.most(17*s, 45*s)
	t.Logf("%.0f kbit/s, then %v to %v; %d probes", before/1e3, least, most, f.probes)
	if float64(least) < 0.7*before || float64(most) > 1.1*before {
		t.Errorf("the estimate goes from %.0f to between %v and %v while 50 kbit/s are sent", before, least, most)
	}
	for _, x := range f.samples {
		if x.at > 40*s && x.at < 45*s && x.e.Term != bwe.TermALR && x.e.Term != bwe.TermProbe {
			t.Fatalf("at %v the term is %v, want alr or probe", x.at, x.e.Term)
		}
	}
}

// Constant traffic of others that leaves 1 Mbit/s of 3.
func TestCrossTraffic(t *testing.T) {
	const k = units.Kbps
	w := &world{capacity: constant(3000 * k), noise: steps(0, step{20 * s, 2000 * k}, step{40 * s, 0}), until: 60 * s}
	f := start(t, w)
	during, after := f.received(22*s, 40*s), f.received(50*s, 60*s)
	t.Logf("%.0f kbit/s of 1000, then %.0f of 3000", during/1e3, after/1e3)
	if during < 0.75e6 || during > 1.2e6 || after < 2.5e6 {
		t.Errorf("%.0f bit/s beside 2 Mbit/s, %.0f alone, on a link of 3 Mbit/s", during, after)
	}
}

// The path becomes 80 ms longer for good: that is no queue.
func TestRouteChange(t *testing.T) {
	const c = 2500 * units.Kbps
	longer := func(_ *rand.Rand, t time.Duration) time.Duration {
		if t > 20*s {
			return 80 * time.Millisecond
		}
		return 0
	}
	f := start(t, &world{capacity: constant(c), jitter: longer, until: 40 * s})
	least, ratio := f.least(20*s, 40*s), f.mean(32*s, 40*s)/float64(c)
	t.Logf("least %v, from 12 s after the change on estimate/capacity %.3f", least, ratio)
	if least < c/2 || ratio < 0.85 {
		t.Errorf("the estimate fell to %v, and is %.3f of the capacity 12 s later, want half and 0.85 at least", least, ratio)
	}
}
