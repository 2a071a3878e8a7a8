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
	line.peer.sub.sentBytes = 1 << 40 // lest repairs exceed their share
	now := time.Now()
	resend := func() {
		for i := range uint16(packets) {
			line.resend(now, newest-i, &b)
		}
		now = now.Add(2 * unknownRTT) // within which nothing is sent again
	}
	resend() // what is reused is made
	const rounds = 4
	allocs := mallocs(func() {
		for range rounds {
			resend()
		}
	})
	if got := s.registry.counters.resent.Load(); got != (rounds+1)*packets {
		t.Fatalf("%d packets sent again, want %d", got, (rounds+1)*packets)
	}
	// The whole process is counted, and other goroutines of the test binary allocate.
	if per := float64(allocs) / (rounds * packets); per > 0.02 {
		t.Errorf("%d allocations for %d resent packets, want none", allocs, rounds*packets)
	}
}

// TestAudioDoesNotAllocate forwards to subscribers of plain and of redundant audio,
// and answers their NACKs.
func TestAudioDoesNotAllocate(t *testing.T) {
	m := newMicrophone(t)
	for _, l := range m.lines {
		l.params.Writer = &sink{}
	}
	packets := make([][]byte, 1000)
	for i := range packets {
		packets[i] = packetAt(t, uint16(i), uint32(960*i), voice(i))
	}
	for _, b := range packets[:200] {
		m.stream.Packet(time.Now(), b)
	}
	var buf resendBuffer
	i, now := 200, time.Now()
	if n := testing.AllocsPerRun(700, func() {
		m.stream.Packet(time.Now(), packets[i])
		for _, l := range m.lines {
			l.resend(now, l.header.SequenceNumber, &buf)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations per packet and its repeats, want 0", n)
	}
	if c := m.registry.Stats().Counters; c.Resent < 1400 {
		t.Errorf("%d packets sent again, want all: %v", c.Resent, c.NACKDrops)
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

// TestWaitingDoesNotAllocate has every packet wait for its turn in a shaper.
func TestWaitingDoesNotAllocate(t *testing.T) {
	const subscribers, burst, rounds = 20, 50, 40
	s := newStage(t, subscribers)
	c := s.camera(1, "")
	s.show(c)
	now := time.Now()
	for _, l := range s.lines {
		l.peer.sub.mu.Lock()
		l.peer.sub.shaper.SetTarget(now, 100_000)
		l.peer.sub.mu.Unlock()
	}
	var b resendBuffer
	waited := 0
	round := func() {
		for range burst {
			c.send(false)
		}
		for _, l := range s.lines {
			n, _ := l.peer.sub.shaper.Queued()
			waited += n
		}
		now = now.Add(time.Minute) // when all of it is due
		for _, l := range s.lines {
			l.peer.sub.flush(now, &b)
		}
	}
	for range 20 {
		round()
	}
	waited = 0
	before := s.registry.counters.packetsOut.Load()
	allocs := mallocs(func() {
		for range rounds {
			round()
		}
	})
	sent := s.registry.counters.packetsOut.Load() - before
	if sent != subscribers*burst*rounds || waited < int(sent)*9/10 {
		t.Fatalf("%d packets sent, of which %d had waited; want %d and most of them", sent, waited, subscribers*burst*rounds)
	}
	if per := float64(allocs) / float64(sent); per > 0.01 {
		t.Errorf("%d allocations for %d packets that waited, %.4f each; want at most 0.01", allocs, sent, per)
	}
}
