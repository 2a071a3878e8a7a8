package sfukit

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"
)

// BenchmarkForward is the kit's own work for one packet of a publisher, from
// its decrypted bytes to the writers of N subscribers. An operation is a packet
// in; ns/forward is the time for one of the packets out.
func BenchmarkForward(b *testing.B) {
	for _, n := range []int{1, 10, 60} {
		b.Run(fmt.Sprintf("subs=%d", n), func(b *testing.B) {
			s := newStage(b, n)
			c := s.camera(1, "")
			s.show(c)
			for range 5000 { // histories grow to their size
				c.send(false)
			}
			b.ReportAllocs()
			b.SetBytes(int64(n * len(c.packet)))
			before := s.registry.counters.packetsOut.Load()
			for b.Loop() {
				c.send(false)
			}
			if out := s.registry.counters.packetsOut.Load() - before; out != int64(b.N*n) {
				b.Errorf("%d packets forwarded, want %d", out, b.N*n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/forward")
		})
	}
}

// BenchmarkNACK is the answer to one lost packet: looking it up in the shared
// history, rewriting it and writing it over RTX.
func BenchmarkNACK(b *testing.B) {
	s := newStage(b, 1)
	c := s.camera(1, "")
	s.show(c)
	line := s.lines[0]
	line.peer.sub.sentBytes = 1 << 60 // so that repairs are not bounded by it
	var buf resendBuffer
	const packets = 512
	left, newest := 0, uint16(0)
	b.ReportAllocs()
	b.SetBytes(int64(len(c.packet)))
	for b.Loop() {
		if left == 0 { // each is asked for once, so none is suppressed
			b.StopTimer()
			for range packets {
				c.send(false)
			}
			left, newest = packets, line.out.Seq
			b.StartTimer()
		}
		left--
		line.resend(time.Now(), newest-uint16(left), &buf)
	}
	if got := s.registry.counters.resent.Load(); got < int64(b.N) {
		b.Fatalf("%d of %d requests answered", got, b.N)
	}
}

// BenchmarkForwardAudio is BenchmarkForward for Opus, to subscribers of plain audio
// and to those who get redundancy added.
func BenchmarkForwardAudio(b *testing.B) {
	for i, name := range []string{"plain", "redundant"} {
		b.Run(name, func(b *testing.B) {
			m := newMicrophone(b)
			m.lines[1-i].detach()
			m.lines[i].params.Writer = &sink{}
			packet := packetAt(b, 0, 0, voice(0))
			seq := uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				binary.BigEndian.PutUint16(packet[2:], seq)
				binary.BigEndian.PutUint32(packet[4:], uint32(seq)*960)
				m.stream.Packet(time.Now(), packet)
			}
		})
	}
}
