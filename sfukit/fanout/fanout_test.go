package fanout_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
)

func TestGroupKeepsOrderAndSet(t *testing.T) {
	var g fanout.Group[int]
	for _, s := range []int{3, 1, 2} {
		if !g.Add(s) {
			t.Errorf("Add(%d) = false, want true", s)
		}
	}
	if g.Add(1) {
		t.Error("second Add(1) = true, want false")
	}
	if !g.Remove(1) || g.Remove(1) {
		t.Error("Remove(1) must be true once and then false")
	}
	if got, want := g.Snapshot(), []int{3, 2}; !slices.Equal(got, want) {
		t.Errorf("Snapshot = %v, want %v", got, want)
	}
	if g.Len() != 2 {
		t.Errorf("Len = %d, want 2", g.Len())
	}
}

func TestSnapshotNeverChangesUnderItsReader(t *testing.T) {
	var g fanout.Group[int]
	g.Add(1)
	g.Add(2)
	before := g.Snapshot()
	g.Remove(1)
	g.Add(3)
	if want := []int{1, 2}; !slices.Equal(before, want) {
		t.Errorf("old snapshot = %v, want %v", before, want)
	}
}

func TestGroupConcurrentSafe(t *testing.T) {
	var g fanout.Group[int]
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				g.Add(w*1000 + i)
				for range g.Snapshot() {
				}
				if i%2 == 0 {
					g.Remove(w*1000 + i)
				}
			}
		})
	}
	wg.Wait()
	if got := g.Len(); got != 400 {
		t.Errorf("Len = %d, want 400", got)
	}
}

func TestSnapshotDoesNotAllocate(t *testing.T) {
	var g fanout.Group[int]
	g.Add(1)
	sum := 0
	if n := testing.AllocsPerRun(100, func() {
		for _, s := range g.Snapshot() {
			sum += s
		}
	}); n != 0 {
		t.Errorf("allocations = %v, want 0", n)
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("sinks=%d", n), func(b *testing.B) {
			var g fanout.Group[int]
			for i := range n {
				g.Add(i)
			}
			b.ReportAllocs()
			sum := 0
			for b.Loop() {
				for _, s := range g.Snapshot() {
					sum += s
				}
			}
		})
	}
}

func ExampleGroup() {
	var viewers fanout.Group[chan<- string]
	a, b := make(chan string, 1), make(chan string, 1)
	viewers.Add(a)
	viewers.Add(b)
	for _, v := range viewers.Snapshot() { // once per packet, without a lock
		v <- "packet"
	}
	fmt.Println(<-a, <-b, viewers.Len())
	// Output: packet packet 2
}
