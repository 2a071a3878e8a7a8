//go:build !race

package sfukit

import (
	"testing"
	"time"
)

// TestPaddingDoesNotAllocate counts the allocations of a probe's packets, copies and
// padding.
func TestPaddingDoesNotAllocate(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	const packets = 500
	for range packets {
		c.send(false)
	}
	var b resendBuffer
	sub := &s.lines[0].peer.sub
	probe := func() {
		now := time.Now()
		for range packets {
			sub.mu.Lock()
			l := sub.paddingLineLocked()
			l.padLocked(now, 1100, &b)
			l.padLocked(now, 100, &b)
			sub.mu.Unlock()
		}
	}
	probe() // what is reused is made
	allocs := mallocs(probe)
	if got, want := s.sink(0).packets, 2*2*packets+packets; got < want {
		t.Fatalf("%d packets sent, want %d at least", got, want)
	}
	if per := float64(allocs) / (2 * packets); per > 0.02 {
		t.Errorf("%d allocations for %d packets of a probe, want none", allocs, 2*packets)
	}
}
