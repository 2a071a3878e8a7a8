//go:build !race

package sfukit_test

import (
	"runtime"
	"testing"
)

// TestForwardThroughPionHardlyAllocates counts every allocation of the process
// while packets go from a publisher's decrypted bytes to the SRTP datagrams of
// ten connected subscribers that the kernel takes. What is counted besides the
// packet path is the room's timer, with its reports and feedback.
func TestForwardThroughPionHardlyAllocates(t *testing.T) {
	const subscribers, packets = 10, 10_000
	th := openTheatre(t, subscribers)
	for range 2000 { // histories grow to their size
		th.send(false)
	}
	out := func() int64 { return th.reg.Stats().Counters.PacketsOut }
	first := out()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range packets {
		th.send(false)
	}
	runtime.ReadMemStats(&after)
	forwarded := out() - first
	if forwarded != subscribers*packets {
		t.Fatalf("%d packets forwarded, want %d", forwarded, subscribers*packets)
	}
	if per := float64(after.Mallocs-before.Mallocs) / float64(forwarded); per > 0.05 {
		t.Errorf("%.4f allocations for each of %d forwarded packets, want at most 0.05", per, forwarded)
	} else {
		t.Logf("%.4f allocations for each of %d forwarded packets", per, forwarded)
	}
}
