package speaker_test

import (
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// The scores are those of S(v,n,λ) = ln C(n,v) - n·ln 2 - ln λ + λ·v, with the
// binomial coefficients written out.
func TestScoreVectors(t *testing.T) {
	imm := func(choose, v float64) float64 {
		return math.Log(choose) - 13*math.Ln2 - math.Log(0.78) + 0.78*v
	}
	med := func(choose, v float64) float64 { return math.Log(choose) - 5*math.Ln2 - math.Log(24) + 24*v }
	long := func(choose, v float64) float64 { return math.Log(choose) - 10*math.Ln2 - math.Log(47) + 47*v }
	const least = 1e-10

	for _, tc := range []struct {
		name                    string
		levels                  []uint8 // one per 20 ms, oldest first, after a second of level 117
		immediate, medium, long float64
	}{
		// Level 117 is volume 10, the floor; below volume 22 all is silence.
		{"floor", []uint8{117}, least, least, least},
		{"just within 12 dB of the floor", []uint8{106}, least, least, least}, // volume 21
		{"volume 30, band 3: negative", []uint8{97}, least, least, least},
		{"volume 40, band 4", []uint8{87}, imm(715, 4), least, least},
		{"volume 79, band 7: not active", []uint8{48}, imm(1716, 7), least, least},
		{"volume 80, band 8: active", []uint8{47}, imm(1287, 8), med(5, 1), least},
		{"volume 100, band 10", []uint8{27}, imm(286, 10), med(5, 1), least},
		{"volume 127, band 12", []uint8{0}, imm(13, 12), med(5, 1), least},
		{"two of five", []uint8{27, 27}, imm(286, 10), med(10, 2), least},
		{"two and a gap", []uint8{27, 117, 27}, imm(286, 10), med(10, 2), least},
		{"three of five", []uint8{27, 27, 27}, imm(286, 10), med(10, 3), long(10, 1)},
		{"five of five", []uint8{27, 27, 27, 27, 27}, imm(286, 10), med(1, 5), long(10, 1)},
		{"digital silence leaves the floor alone", []uint8{127, 27}, imm(286, 10), med(5, 1), least},
		{"ended 20 ms ago", []uint8{27, 27, 27, 27, 27, 117}, least, med(5, 4), long(10, 1)},
		{"ended 100 ms ago", []uint8{27, 27, 27, 27, 27, 117, 117, 117, 117, 117}, least, least, long(10, 1)},
		{"a second", repeat(27, 50), imm(286, 10), med(1, 5), long(1, 10)},
	} {
		d := mustNew(t, speaker.Config{})
		now := time.Duration(0)
		for _, level := range append(repeat(117, 50), tc.levels...) {
			now += 20 * ms
			d.Record(at(now), 1, level)
		}
		d.Tick(at(now))
		got := d.Scores(nil)[0]
		for _, s := range []struct {
			name      string
			got, want float64
		}{
			{"immediate", got.Immediate, tc.immediate},
			{"medium", got.Medium, tc.medium},
			{"long", got.Long, tc.long},
		} {
			if math.Abs(s.got-s.want) > 1e-9*max(1, s.want) || (s.want == least) != (s.got == least) {
				t.Errorf("%s: %s score = %.12g, want %.12g", tc.name, s.name, s.got, s.want)
			}
		}
	}
	// And as plain numbers, worked out apart from any formula in code.
	for _, v := range []struct{ got, want float64 }{
		{imm(286, 10), 4.6935398228},
		{med(1, 5), 113.3562102669},
		{long(1, 10), 459.2183805927},
	} {
		if math.Abs(v.got-v.want) > 1e-9 {
			t.Errorf("S = %.10f, want %.10f", v.got, v.want)
		}
	}
}

func repeat(level uint8, n int) []uint8 {
	s := make([]uint8, n)
	for i := range s {
		s[i] = level
	}
	return s
}

// After 150 levels the floor rises to the quietest of them; for parity after 750
// to the geometric mean of itself and that: from volume 30, with 60 and 120 in
// turn, to 42.
func TestFloorRises(t *testing.T) {
	const least = 1e-10
	score := func(choose, v float64) float64 { return math.Log(choose) - 13*math.Ln2 - math.Log(0.78) + 0.78*v }
	band5, band7 := score(1287, 5), score(1716, 7)
	for _, tc := range []struct {
		parity bool
		levels int
		volume uint8
		want   float64
	}{
		{false, 148, 51, band5},
		{false, 150, 71, least}, // within 12 dB of 60
		{false, 150, 72, band7},
		{true, 749, 51, band5},
		{true, 750, 51, least}, // within a band of 42
		{true, 750, 52, band5},
		{true, 1500, 59, least}, // sqrt(42·60) = 50.2
	} {
		d := mustNew(t, speaker.Config{Parity: tc.parity})
		now := time.Duration(0)
		record := func(volume uint8) {
			now += 20 * ms
			d.Record(at(now), 1, 127-volume)
		}
		record(30)
		for i := range tc.levels {
			record([]uint8{60, 120}[i%2])
		}
		record(tc.volume)
		d.Tick(at(now))
		if got := d.Scores(nil)[0].Immediate; math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("parity %v, volume %d after %d levels: immediate score %v, want %v", tc.parity, tc.volume, tc.levels, got, tc.want)
		}
	}
}

// One packet stands for the time since the previous one, at most a second.
func TestLevelFillsItsTime(t *testing.T) {
	for _, tc := range []struct {
		gap    time.Duration
		medium bool // all five sub-intervals active
		longs  int
	}{
		{0, false, 0},
		{59 * ms, false, 0}, // two slots
		{100 * ms, true, 1},
		{210 * ms, true, 2},
		{time.Second, true, 10},
		{time.Hour, true, 10},
	} {
		d := mustNew(t, speaker.Config{})
		d.Record(at(0), 1, 117)
		d.Record(at(tc.gap), 1, 27)
		d.Tick(at(tc.gap))
		s := d.Scores(nil)[0]
		long := 1e-10
		if tc.longs > 0 {
			choose := []float64{1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1}[tc.longs]
			long = math.Log(choose) - 10*math.Ln2 - math.Log(47) + 47*float64(tc.longs)
		}
		if math.Abs(s.Long-long) > 1e-6 || (s.Medium > 113) != tc.medium {
			t.Errorf("a level after %v: %+v, want long %v, full medium %v", tc.gap, s, long, tc.medium)
		}
	}
}

// Other divisions of loudness and time keep the meaning of active: speech
// scores, background does not.
func TestOtherScales(t *testing.T) {
	for _, cfg := range []speaker.Config{
		{N1: 2}, {N1: 26}, {N1: 128}, {N2: 1}, {N2: 10}, {N3: 1}, {N3: 20}, {N2: 1, N3: 1}, {N2: 50, N3: 50},
	} {
		d := mustNew(t, cfg)
		call(d, 0, 59_720*ms, background, talk) // the last Tick comes 1.5 s after a pause
		s := d.Scores(nil)
		if s[0].Medium != 1e-10 || s[1].Medium < 1 || s[1].Long < 1 {
			t.Errorf("%+v: background %+v, speech %+v, want the lowest medium score and above 1", cfg, s[0], s[1])
		}
	}
}
