package nack_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
)

var t0 = time.Unix(1_700_000_000, 0)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

func newGenerator(t testing.TB, c nack.Config) *nack.Generator {
	t.Helper()
	g, err := nack.New(c)
	if err != nil {
		t.Fatalf("New(%+v) = %v", c, err)
	}
	return g
}

func TestNew(t *testing.T) {
	tests := []struct {
		c  nack.Config
		ok bool
	}{
		{nack.Config{}, true},
		{nack.Config{MaxAge: 1, MaxRetries: 1, MaxList: 1}, true},
		{nack.Config{MaxAge: -1}, false},
		{nack.Config{MaxRetries: -1}, false},
		{nack.Config{MaxList: -1}, false},
	}
	for _, tc := range tests {
		_, err := nack.New(tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, nack.ErrConfig) {
			t.Errorf("New(%+v) error = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

// step is one call: Received if seq is not 0, otherwise Due.
type step struct {
	at      int // ms
	seq     int64
	want    []uint16
	gaveUp  int
	pending int
}

func TestGenerator(t *testing.T) {
	const rtt = 80 * time.Millisecond // retries after 100 ms
	tests := []struct {
		name  string
		c     nack.Config
		steps []step
	}{
		{"in order", nack.Config{}, []step{
			{at: 0, seq: 100}, {at: 1, seq: 101}, {at: 500, seq: 102}, {at: 900},
		}},
		{"one lost is asked for at the second packet after it", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 102, pending: 1},
			{at: 2, seq: 103, want: []uint16{101}, pending: 1},
			{at: 3, seq: 104, pending: 1},
			{at: 4, pending: 1},
		}},
		{"one lost at the end of a frame is asked for after 5 ms", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 102, pending: 1},
			{at: 5, pending: 1},
			{at: 6, want: []uint16{101}, pending: 1},
			{at: 34, seq: 103, pending: 1},
			{at: 35, pending: 1},
		}},
		{"overtaken by one is not asked for", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 102, pending: 1},
			{at: 1, seq: 101},
			{at: 2, seq: 103},
			{at: 50},
		}},
		{"a gap of several is asked for at once", nack.Config{}, []step{
			{at: 0, seq: 65534},
			{at: 1, seq: 65538, want: []uint16{65535, 0, 1}, pending: 3},
		}},
		{"a waiting one goes first", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 102, pending: 1},
			{at: 1, seq: 105, want: []uint16{101, 103, 104}, pending: 3},
		}},
		{"two single gaps in a row", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 102, pending: 1},
			{at: 1, seq: 104, want: []uint16{101}, pending: 2},
			{at: 6, want: []uint16{103}, pending: 2},
		}},
		{"retried after a round trip and a quarter", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 103, want: []uint16{101, 102}, pending: 2},
			{at: 99, pending: 2},
			{at: 100, want: []uint16{101, 102}, pending: 2},
			{at: 199, pending: 2},
			{at: 215, want: []uint16{101, 102}, pending: 2},
			{at: 314, pending: 2},
		}},
		{"a repair ends the asking", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 104, want: []uint16{101, 102, 103}, pending: 3},
			{at: 90, seq: 102, pending: 2},
			{at: 100, want: []uint16{101, 103}, pending: 2},
			{at: 190, seq: 103, pending: 1},
			{at: 191, seq: 101},
			{at: 192, seq: 101},
			{at: 300},
		}},
		{"given up by age", nack.Config{MaxAge: 150 * time.Millisecond}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 103, want: []uint16{101, 102}, pending: 2},
			{at: 100, seq: 105, pending: 3},
			{at: 150, want: []uint16{101, 102, 104}, pending: 3},
			{at: 151, gaveUp: 2, pending: 1},
			{at: 152, pending: 1},
			{at: 251, gaveUp: 1},
		}},
		{"given up by tries", nack.Config{MaxRetries: 2}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 103, want: []uint16{101, 102}, pending: 2},
			{at: 100, want: []uint16{101, 102}, pending: 2},
			{at: 199, pending: 2},
			{at: 200, gaveUp: 2},
		}},
		{"a late answer to the last try still counts", nack.Config{MaxRetries: 1}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 103, want: []uint16{101, 102}, pending: 2},
			{at: 99, seq: 101, pending: 1},
			{at: 99, seq: 102},
			{at: 200},
		}},
		{"full list is kept", nack.Config{MaxList: 3}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 104, want: []uint16{101, 102, 103}, pending: 3},
			{at: 1, pending: 3},
		}},
		{"one more gives all up", nack.Config{MaxList: 3}, []step{
			{at: 0, seq: 100},
			{at: 0, seq: 103, want: []uint16{101, 102}, pending: 2},
			{at: 1, seq: 106},
			{at: 2, gaveUp: 4},
			{at: 3},
			{at: 4, seq: 109, want: []uint16{107, 108}, pending: 2},
		}},
		{"huge jump forward", nack.Config{}, []step{
			{at: 0, seq: 100},
			{at: 1, seq: 100 + 1001},
			{at: 2, gaveUp: 1000},
			{at: 3, seq: 100 + 1002},
		}},
		{"one stray packet from far below changes nothing", nack.Config{}, []step{
			{at: 0, seq: 90000},
			{at: 1, seq: 80000},
			{at: 2, seq: 90001},
			{at: 3, seq: 80000},
			{at: 4, seq: 90004, want: []uint16{90002 - 65536, 90003 - 65536}, pending: 2},
		}},
		{"two in sequence from far below are a restart", nack.Config{}, []step{
			{at: 0, seq: 90000},
			{at: 0, seq: 90003, want: []uint16{90001 - 65536, 90002 - 65536}, pending: 2},
			{at: 1, seq: 80000, pending: 2},
			{at: 2, seq: 80001},
			{at: 3, seq: 80004, want: []uint16{80002 - 65536, 80003 - 65536}, pending: 2},
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			g := newGenerator(t, tc.c)
			for i, s := range tc.steps {
				var got []uint16
				var gaveUp int
				if s.seq != 0 {
					got = g.Received(ms(s.at), s.seq, nil)
				} else {
					got, gaveUp = g.Due(ms(s.at), rtt, nil)
				}
				if !slices.Equal(got, s.want) || gaveUp != s.gaveUp || g.Pending() != s.pending {
					t.Fatalf("step %d %+v: asked %v, gave up %d, pending %d", i, s, got, gaveUp, g.Pending())
				}
			}
		})
	}
}

// The interval between tries follows the round trip, within its floor, and has a
// value when none is known.
func TestRetryInterval(t *testing.T) {
	tests := []struct{ rtt, want time.Duration }{
		{0, 125 * time.Millisecond},
		{-time.Second, 125 * time.Millisecond},
		{time.Millisecond, 20 * time.Millisecond},
		{40 * time.Millisecond, 50 * time.Millisecond},
		{200 * time.Millisecond, 250 * time.Millisecond},
	}
	for _, tc := range tests {
		g := newGenerator(t, nack.Config{})
		g.Received(t0, 1, nil)
		g.Received(t0, 4, nil)
		if got, _ := g.Due(t0.Add(tc.want-1), tc.rtt, nil); len(got) != 0 {
			t.Errorf("rtt %v: asked for %v before %v", tc.rtt, got, tc.want)
		}
		if got, _ := g.Due(t0.Add(tc.want), tc.rtt, nil); len(got) != 2 {
			t.Errorf("rtt %v: asked for %v after %v, want 2 and 3", tc.rtt, got, tc.want)
		}
	}
}

func TestReset(t *testing.T) {
	g := newGenerator(t, nack.Config{})
	g.Received(t0, 1000, nil)
	g.Received(t0, 1010, nil)
	g.Received(t0, 5000, nil) // given up, not yet reported
	g.Reset(70000)
	if seqs, gaveUp := g.Due(ms(500), 0, nil); len(seqs) != 0 || gaveUp != 0 || g.Pending() != 0 {
		t.Errorf("after Reset: asked %v, gave up %d, pending %d; want nothing", seqs, gaveUp, g.Pending())
	}
	if got, want := g.Received(ms(501), 70003, nil), []uint16{70001 - 65536, 70002 - 65536}; !slices.Equal(got, want) {
		t.Errorf("gap after Reset asked for %v, want %v", got, want)
	}
}

func TestAllocs(t *testing.T) {
	g := newGenerator(t, nack.Config{})
	dst := make([]uint16, 0, 256)
	pairs := make([]nack.Pair, 0, 256)
	now, seq := t0, int64(1<<16)
	step := func() {
		now = now.Add(30 * time.Millisecond)
		seq += 4 // three of four are lost
		pairs = nack.Pairs(g.Received(now, seq, dst), pairs[:0])
		g.Received(now, seq-3, dst)
		due, _ := g.Due(now, 20*time.Millisecond, dst)
		pairs = nack.Pairs(due, pairs[:0])
	}
	for range 200 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Received, Due and Pairs: %v allocs, want 0", n)
	}
}

// FuzzGenerator plays arbitrary arrivals: only missing packets are ever asked
// for, none more often than allowed, and the list stays within its bound.
func FuzzGenerator(f *testing.F) {
	f.Add([]byte{1, 1, 2, 3, 129, 5, 1, 7, 255, 9, 60, 20})
	f.Add([]byte{0, 255, 1, 127, 2, 128, 0, 0, 200, 1, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := nack.Config{MaxRetries: 3, MaxList: 20}
		g := newGenerator(t, c)
		now, next := t0, int64(1<<16)
		arrived, tries := map[uint16]bool{}, map[uint16]int{}
		check := func(call string, seqs []uint16) {
			for _, seq := range seqs {
				if tries[seq]++; arrived[seq] || tries[seq] > c.MaxRetries {
					t.Fatalf("%s asked for %d: arrived %v, try %d", call, seq, arrived[seq], tries[seq])
				}
			}
			if g.Pending() > c.MaxList {
				t.Fatalf("%s: %d pending, limit %d", call, g.Pending(), c.MaxList)
			}
		}
		for i := 0; i+1 < len(data) && i < 8192; i += 2 {
			now = now.Add(time.Duration(data[i]) * time.Millisecond)
			seq := next + int64(data[i+1]&31) - 15
			next = max(next, seq+1)
			arrived[uint16(seq)] = true
			check("Received", g.Received(now, seq, nil))
			due, _ := g.Due(now, 40*time.Millisecond, nil)
			check("Due", due)
		}
		g.Due(now.Add(time.Hour), 0, nil)
		if g.Pending() != 0 {
			t.Fatalf("%d pending after an hour, want 0", g.Pending())
		}
	})
}

func ExampleGenerator() {
	g, err := nack.New(nack.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	rtt := 40 * time.Millisecond
	g.Received(now, 1001, nil)
	seqs := g.Received(now, 1004, nil) // 1002 and 1003 are missing
	fmt.Println("ask for", seqs, nack.Pairs(seqs, nil))

	g.Received(now.Add(45*time.Millisecond), 1003, nil) // repaired
	seqs, gaveUp := g.Due(now.Add(50*time.Millisecond), rtt, nil)
	fmt.Println("ask again for", seqs, "given up", gaveUp)
	// Output:
	// ask for [1002 1003] [{1002 1}]
	// ask again for [1002] given up 0
}
