//go:build !race

package sfukit

import (
	"runtime"
	"testing"
	"time"
)

// TestForwardDoesNotAllocate counts every allocation of the process while
// packets go from a publisher's decrypted bytes to the writers of twenty
// subscribers: parsing, accounting, history, transport-wide numbers, rewriting.
func TestForwardDoesNotAllocate(t *testing.T) {
	const subscribers, packets = 20, 10_000
	s := newStage(t, subscribers)
	c := s.camera(1, "")
	s.show(c)
	for range 20_000 { // histories grow to their size
		c.send(false)
	}
	before := s.registry.counters.packetsOut.Load()
	allocs := mallocs(func() {
		for range packets {
			c.send(false)
		}
	})
	forwarded := s.registry.counters.packetsOut.Load() - before
	if forwarded != subscribers*packets {
		t.Fatalf("%d packets forwarded, want %d", forwarded, subscribers*packets)
	}
	if per := float64(allocs) / float64(forwarded); per > 0.01 {
		t.Errorf("%d allocations for %d forwarded packets, %.4f each; want at most 0.01", allocs, forwarded, per)
	}
}

// TestResendDoesNotAllocate is the same for answers to NACKs.
func TestResendDoesNotAllocate(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	const packets = 512
	for range packets {
		c.send(false)
	}
	var b resendBuffer
	line := s.lines[0]
	newest := line.out.Seq
	allocs := mallocs(func() {
		for i := range uint16(packets) {
			line.resend(time.Now(), newest-i, &b)
		}
	})
	if got := s.registry.counters.resent.Load(); got != packets {
		t.Fatalf("%d packets sent again, want %d", got, packets)
	}
	if per := float64(allocs) / packets; per > 0.02 {
		t.Errorf("%d allocations for %d resent packets, want none", allocs, packets)
	}
}

// mallocs returns how many objects the process allocates while f runs.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
