package allocate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
)

func at(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }

// in returns the ids of what is chosen, ascending.
func in(tracks []allocate.Candidate) []uint64 {
	var ids []uint64
	for _, c := range tracks {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestLastN(t *testing.T) {
	people := func(change func([]allocate.Candidate)) []allocate.Candidate {
		var cs []allocate.Candidate
		for id := range uint64(5) {
			cs = append(cs, allocate.Candidate{ID: id, Joined: id})
		}
		if change != nil {
			change(cs)
		}
		return cs
	}
	for _, tc := range []struct {
		name   string
		n      int
		tracks []allocate.Candidate
		want   []uint64
	}{
		{"nobody", 3, nil, nil},
		{"no limit", 0, people(nil), []uint64{0, 1, 2, 3, 4}},
		{"more than there are", 9, people(nil), []uint64{0, 1, 2, 3, 4}},
		{"the first to join", 2, people(nil), []uint64{0, 1}},
		{"the last speakers", 2, people(func(c []allocate.Candidate) {
			c[2].Spoke, c[3].Spoke, c[4].Spoke = at(1), at(3), at(2)
		}), []uint64{3, 4}},
		{"who is in stays", 2, people(func(c []allocate.Candidate) { c[3].In, c[4].In = true, true }), []uint64{3, 4}},
		{"a speaker takes the place of the one who spoke longest ago", 2, people(func(c []allocate.Candidate) {
			c[0].Spoke, c[0].In = at(1), true
			c[1].Spoke, c[1].In = at(2), true
			c[4].Spoke = at(3)
		}), []uint64{1, 4}},
		{"a screen share before all", 1, people(func(c []allocate.Candidate) {
			c[0].Spoke, c[3].Screen = at(1), true
		}), []uint64{3}},
	} {
		if got := in(allocate.LastN(tc.n, tc.tracks)); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
		for i, c := range tc.tracks {
			if want := slices.Contains(tc.want, c.ID); c.In != want {
				t.Errorf("%s: place %d, track %d: In %v, want %v", tc.name, i, c.ID, c.In, want)
			}
		}
	}
}

// TestLastNIsStable: a conversation of many among few changes the set at most once
// for each election, and the order of the input does not matter.
func TestLastNIsStable(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	var cs []allocate.Candidate
	for id := range uint64(50) {
		cs = append(cs, allocate.Candidate{ID: id, Joined: id})
	}
	before := in(allocate.LastN(6, cs))
	for i := range 1_000 {
		elected := uint64(r.IntN(50))
		if i%3 > 0 { // mostly those who talk anyway
			elected = before[r.IntN(len(before))]
		}
		r.Shuffle(len(cs), func(i, k int) { cs[i], cs[k] = cs[k], cs[i] })
		for k := range cs {
			if cs[k].ID == elected {
				cs[k].Spoke = at(float64(i + 1))
			}
		}
		got := in(allocate.LastN(6, cs))
		gone := 0
		for _, id := range before {
			if !slices.Contains(got, id) {
				gone++
			}
		}
		if !slices.Contains(got, elected) || gone > 1 || gone == 1 && slices.Contains(before, elected) {
			t.Fatalf("election %d of %d: %v after %v", i, elected, got, before)
		}
		before = got
	}
}

func TestLastNDoesNotAllocate(t *testing.T) {
	var cs []allocate.Candidate
	for id := range uint64(200) {
		cs = append(cs, allocate.Candidate{ID: id, Joined: 200 - id, Spoke: at(float64(id * 7 % 50))})
	}
	if n := testing.AllocsPerRun(100, func() {
		allocate.LastN(9, cs)
	}); n != 0 {
		t.Errorf("LastN: %v allocs, want 0", n)
	}
}

// A room of four, of whom two are shown: somebody speaks, somebody shares.
func ExampleLastN() {
	tracks := []allocate.Candidate{{ID: 1, Joined: 1}, {ID: 2, Joined: 2}, {ID: 3, Joined: 3}, {ID: 4, Joined: 4}}
	show := func() {
		shown := allocate.LastN(2, tracks)
		fmt.Println(shown[0].ID, shown[1].ID)
	}
	show()
	tracks[2].Spoke = time.Unix(1, 0) // 3
	show()
	tracks[3].Screen = true // the order is that of the last call: 4
	show()
	// Output:
	// 1 2
	// 3 1
	// 4 3
}
