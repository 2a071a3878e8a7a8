package demand_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/demand"
)

func mustNew(t testing.TB, encodings int) *demand.Track {
	t.Helper()
	d, err := demand.New(time.Unix(0, 0), encodings)
	if err != nil {
		t.Fatalf("New(%d) = %v", encodings, err)
	}
	return d
}

func TestNew(t *testing.T) {
	for _, n := range []int{0, -1} {
		if _, err := demand.New(time.Unix(0, 0), n); !errors.Is(err, demand.ErrEncodings) {
			t.Errorf("New(%d) = %v, want ErrEncodings", n, err)
		}
	}
}

func TestUpdate(t *testing.T) {
	type step struct {
		at      float64 // seconds
		sub     uint64  // 0 for none
		highest int     // -2 to leave
		want    int
		changed bool
	}
	for _, tc := range []struct {
		name  string
		steps []step
	}{
		{"a publisher alone stops after the patience", []step{
			{0, 0, 0, 3, false}, {4.9, 0, 0, 3, false}, {5, 0, 0, 0, true}, {60, 0, 0, 0, false},
		}},
		{"up at once", []step{{5, 0, 0, 0, true}, {6, 1, 1, 2, true}, {6, 2, 2, 3, true}}},
		{"the highest wish counts", []step{
			{0, 1, 2, 3, false}, {0, 2, 0, 3, false}, {30, 2, 1, 3, false},
		}},
		{"down by what was wanted last", []step{
			{0, 1, 2, 3, false},
			{10, 1, 1, 3, false},
			{13, 1, 0, 3, false},
			{14.9, 0, 0, 3, false},
			{15, 0, 0, 2, true},
			{17.9, 0, 0, 2, false},
			{18, 0, 0, 1, true},
			{60, 0, 0, 1, false},
		}},
		{"a wish that wavers changes nothing", []step{
			{0, 1, 2, 3, false}, {10, 1, 1, 3, false}, {14, 1, 2, 3, false}, {15, 1, 1, 3, false}, {19, 1, 2, 3, false}, {60, 0, 0, 3, false},
		}},
		{"leaving is wanting nothing", []step{
			{0, 1, 2, 3, false},
			{0, 2, 0, 3, false},
			{10, 1, -2, 3, false},
			{15, 0, 0, 1, true},
			{15, 2, -2, 1, false},
			{20, 0, 0, 0, true},
			{21, 9, -2, 0, false},
		}},
		{"out of range", []step{{0, 1, 99, 3, false}, {10, 1, -7, 3, false}, {15, 0, 0, 0, true}}},
	} {
		d := mustNew(t, 3)
		for i, s := range tc.steps {
			now := time.Unix(0, int64(s.at*1e9))
			switch {
			case s.sub > 0 && s.highest == -2:
				d.Leave(now, s.sub)
			case s.sub > 0:
				d.Want(now, s.sub, s.highest)
			}
			if got, changed := d.Update(now); got != s.want || changed != s.changed {
				t.Errorf("%s: step %d at %v s: Update = %d, %v, want %d, %v", tc.name, i, s.at, got, changed, s.want, s.changed)
			}
		}
	}
}

// TestProperties compares, over random wishes, with the plain definition: an
// encoding is sent if it, or a higher one, was wanted in the last five seconds.
func TestProperties(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(5, seed))
		d := mustNew(t, 4)
		wants := map[uint64]int{}
		var lastWanted [5]float64 // seconds at which so many encodings were last wanted
		now, sent := 0.0, 4
		for range 500 {
			at := time.Unix(0, int64(now*1e9))
			for n := range lastWanted { // as it was until now
				for _, w := range wants {
					if w >= n {
						lastWanted[n] = now
					}
				}
			}
			sub := r.Uint64N(5)
			if r.IntN(4) == 0 {
				d.Leave(at, sub)
				delete(wants, sub)
			} else {
				h := r.IntN(5) - 1
				d.Want(at, sub, h)
				wants[sub] = h + 1
			}
			want := 0
			for n := 1; n <= 4; n++ {
				wanted := now-lastWanted[n] < demand.Patience.Seconds()
				for _, w := range wants {
					wanted = wanted || w >= n
				}
				if wanted {
					want = n
				}
			}
			got, changed := d.Update(at)
			if got != min(want, 4) || changed != (got != sent) {
				t.Fatalf("seed %d at %.2f s, wants %v: Update = %d, %v, want %d, sent before %d", seed, now, wants, got, changed, want, sent)
			}
			sent = got
			now += float64(r.IntN(16)) * 0.25
		}
	}
}

func TestDoesNotAllocate(t *testing.T) {
	d := mustNew(t, 3)
	now, i := time.Unix(0, 0), 0
	step := func() {
		now = now.Add(time.Second)
		i++
		d.Want(now, uint64(i%8), i%4-1)
		d.Update(now)
	}
	for range 16 {
		step()
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("Want and Update: %v allocs, want 0", n)
	}
}
