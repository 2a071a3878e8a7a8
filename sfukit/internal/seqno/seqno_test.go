package seqno_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"
)

func TestLess(t *testing.T) {
	tests := []struct {
		a, b uint16
		want bool
	}{
		{0, 0, false},
		{0, 1, true},
		{1, 0, false},
		{65535, 0, true},
		{0, 65535, false},
		{65535, 65535, false},
		{65000, 500, true},
		{500, 65000, false},
		{0, 32767, true},
		{32767, 0, false},
		{0, 32768, true}, // half the space apart: the smaller one is first
		{32768, 0, false},
		{0, 32769, false},
		{32769, 0, true},
		{40000, 40000 - 32768, false},
	}
	for _, tc := range tests {
		if got := seqno.Less(tc.a, tc.b); got != tc.want {
			t.Errorf("Less(%d, %d) = %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

// Every pair at an interesting distance has exactly one order, wherever in the
// number space it lies.
func TestLessAntisymmetric(t *testing.T) {
	distances := []uint16{1, 2, 255, 256, 32766, 32767, 32768, 32769, 65534, 65535}
	for a := range 1 << 16 {
		for _, d := range distances {
			a, b := uint16(a), uint16(a)+d
			if seqno.Less(a, b) == seqno.Less(b, a) {
				t.Fatalf("Less(%d, %d) and Less(%d, %d) are both %v", a, b, b, a, seqno.Less(a, b))
			}
		}
	}
}

func TestUnwrapFirst(t *testing.T) {
	for _, seq := range []uint16{0, 1, 32767, 32768, 65535} {
		var u seqno.Unwrapper
		if got, want := u.Unwrap(seq), int64(seq)+1<<16; got != want {
			t.Errorf("first Unwrap(%d) = %d, want %d", seq, got, want)
		}
	}
}

func TestUnwrap(t *testing.T) {
	const base = 1 << 16
	tests := []struct {
		name string
		in   []uint16
		want []int64 // less base
	}{
		{"in order over the wrap", []uint16{65534, 65535, 0, 1}, []int64{65534, 65535, 65536, 65537}},
		{"late packet below the first", []uint16{0, 65535}, []int64{0, -1}},
		{"late packet from before the wrap", []uint16{65535, 1, 0, 65534, 2}, []int64{65535, 65537, 65536, 65534, 65538}},
		{"duplicate", []uint16{7, 7}, []int64{7, 7}},
		{"largest step forward", []uint16{10, 10 + 32767}, []int64{10, 10 + 32767}},
		{"half the space is older", []uint16{10, 10 + 32768}, []int64{10, 10 - 32768}},
		{"late packet moves nothing", []uint16{40000, 10000, 7000}, []int64{40000, 10000, 7000 + 65536}},
	}
	for _, tc := range tests {
		var u seqno.Unwrapper
		for i, seq := range tc.in {
			if got := u.Unwrap(seq) - base; got != tc.want[i] {
				t.Errorf("%s: Unwrap(%d) at step %d = base%+d, want base%+d", tc.name, seq, i, got, tc.want[i])
			}
		}
	}
}

// A stream that stays within half the number space of its newest packet is
// reproduced exactly, over many wraps.
func TestUnwrapFollowsStream(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for run := range 50 {
		var u seqno.Unwrapper
		highest := int64(1<<16 + rnd.IntN(1<<16))
		u.Unwrap(uint16(highest))
		for range 2000 {
			n := highest + int64(rnd.IntN(1<<16)) - 1<<15
			if got := u.Unwrap(uint16(n)); got != n {
				t.Fatalf("run %d: Unwrap(%d) = %d, want %d (highest %d)", run, uint16(n), got, n, highest)
			}
			highest = max(highest, n)
		}
	}
}

func TestUnwrap32(t *testing.T) {
	const base = 1 << 32
	tests := []struct {
		name string
		in   []uint32
		want []int64 // less base
	}{
		{"in order over the wrap", []uint32{1<<32 - 1, 0, 3000}, []int64{1<<32 - 1, 1 << 32, 1<<32 + 3000}},
		{"late below the first", []uint32{0, 1<<32 - 3000}, []int64{0, -3000}},
		{"largest step forward", []uint32{5, 5 + 1<<31 - 1}, []int64{5, 5 + 1<<31 - 1}},
		{"half the space is older", []uint32{5, 5 + 1<<31}, []int64{5, 5 - 1<<31}},
	}
	for _, tc := range tests {
		var u seqno.Unwrapper32
		for i, v := range tc.in {
			if got := u.Unwrap(v) - base; got != tc.want[i] {
				t.Errorf("%s: Unwrap(%d) at step %d = base%+d, want base%+d", tc.name, v, i, got, tc.want[i])
			}
		}
	}
}

func TestUnwrap32FollowsStream(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var u seqno.Unwrapper32
	highest := int64(1<<32 + rnd.Int64N(1<<32))
	u.Unwrap(uint32(highest))
	for range 20000 {
		n := highest + rnd.Int64N(1<<32) - 1<<31
		if got := u.Unwrap(uint32(n)); got != n {
			t.Fatalf("Unwrap(%d) = %d, want %d (highest %d)", uint32(n), got, n, highest)
		}
		highest = max(highest, n)
	}
}

// FuzzUnwrap feeds arbitrary counters: results are congruent to the input,
// never negative and never further than half the space from the highest.
func FuzzUnwrap(f *testing.F) {
	f.Add([]byte{0, 0, 255, 255, 128, 0, 0, 1})
	f.Add([]byte{255, 255, 0, 0, 127, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		var u seqno.Unwrapper
		var highest int64
		for i := 0; i+1 < len(data); i += 2 {
			seq := uint16(data[i])<<8 | uint16(data[i+1])
			got := u.Unwrap(seq)
			if uint16(got) != seq || got < 0 {
				t.Fatalf("Unwrap(%d) = %d", seq, got)
			}
			if i > 0 && (got-highest >= 1<<15 || got-highest < -1<<15) {
				t.Fatalf("Unwrap(%d) = %d, too far from %d", seq, got, highest)
			}
			highest = max(highest, got)
		}
	})
}

func TestAllocs(t *testing.T) {
	var u seqno.Unwrapper
	var v seqno.Unwrapper32
	var seq uint16
	if n := testing.AllocsPerRun(1000, func() {
		seq += 1021
		u.Unwrap(seq)
		v.Unwrap(uint32(seq) << 16)
	}); n != 0 {
		t.Errorf("Unwrap: %v allocs, want 0", n)
	}
}

func ExampleUnwrapper() {
	var u seqno.Unwrapper
	a := u.Unwrap(65535)
	b := u.Unwrap(1)
	c := u.Unwrap(0) // late
	fmt.Println(b-a, c-a)
	// Output: 2 1
}
