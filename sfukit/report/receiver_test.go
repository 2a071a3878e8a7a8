package report_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

const rate = 90000

// run delivers seqs 10 ms apart, with timestamps that fit.
func run(r *report.Receiver, seqs ...int) {
	for i, seq := range seqs {
		r.Packet(ms(10*i), uint16(seq), uint32(900*i), rate)
	}
}

func span(from, to int) []int {
	var seqs []int
	for seq := from; seq <= to; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

func TestReceiverLoss(t *testing.T) {
	tests := []struct {
		name           string
		seqs           []int
		fraction       uint8
		lost           int32
		last           uint32
		received, miss int64
	}{
		{"nothing", nil, 0, 0, 0, 0, 0},
		{"one", []int{7}, 0, 0, 7, 1, 0},
		{"in order", span(1, 10), 0, 0, 10, 10, 0},
		{"one of four", []int{1, 2, 4}, 64, 1, 4, 3, 1},
		{"reordered", []int{1, 3, 2, 4}, 0, 0, 4, 4, 0},
		{"before the first", []int{5, 4, 6}, 0, -1, 6, 3, -1},
		{"duplicates", []int{1, 1, 1, 2}, 0, -2, 2, 4, -2},
		{"duplicate hides a loss", []int{1, 3, 3}, 0, 0, 3, 3, 0},
		{"wrap", []int{65534, 65535, 0, 2}, 51, 1, 1<<16 + 2, 4, 1},
		{"late over the wrap", []int{65534, 0, 65535, 1}, 0, 0, 1<<16 + 1, 4, 0},
		{"largest dropout", []int{0, 2999}, 255, 2998, 2999, 2, 2998},
		{"beyond dropout", []int{0, 3000}, 0, 0, 0, 1, 0},
		{"one stray packet", []int{0, 1, 20000, 2, 3}, 0, 0, 3, 4, 0},
		{"two strays apart", []int{0, 1, 20000, 2, 20001, 3}, 0, 0, 3, 4, 0},
		{"restart", []int{0, 2, 20000, 20001, 20003}, 85, 1, 20003, 4, 2},
		{"restart at the wrap", []int{20000, 65535, 0, 1}, 0, 0, 1, 3, 0},
		{"misorder limit", []int{200, 101}, 0, -1, 200, 2, -1},
		{"beyond misorder", []int{200, 100}, 0, 0, 200, 1, 0},
	}
	for _, tc := range tests {
		var r report.Receiver
		run(&r, tc.seqs...)
		b := r.Block(ms(1000))
		if b.FractionLost != tc.fraction || b.TotalLost != tc.lost || b.LastSeq != tc.last {
			t.Errorf("%s: block %+v, want fraction %d, lost %d, last %d", tc.name, b, tc.fraction, tc.lost, tc.last)
		}
		if received, lost := r.Totals(); received != tc.received || lost != tc.miss {
			t.Errorf("%s: totals %d, %d, want %d, %d", tc.name, received, lost, tc.received, tc.miss)
		}
		if got, want := r.Loss(), float64(tc.fraction)/256; got != want {
			t.Errorf("%s: Loss() = %v, want %v", tc.name, got, want)
		}
	}
}

// FractionLost speaks of the interval, TotalLost of the whole.
func TestReceiverIntervals(t *testing.T) {
	var r report.Receiver
	steps := []struct {
		seqs     []int
		fraction uint8
		lost     int32
	}{
		{[]int{0, 1, 3}, 64, 1},
		{[]int{4, 5}, 0, 1},
		{nil, 0, 1},
		{[]int{7}, 128, 2},
		{[]int{6, 8}, 0, 1}, // the lost one came late
	}
	for i, s := range steps {
		run(&r, s.seqs...)
		if b := r.Block(t0); b.FractionLost != s.fraction || b.TotalLost != s.lost {
			t.Errorf("interval %d: %+v, want fraction %d, lost %d", i, b, s.fraction, s.lost)
		}
	}
}

func TestReceiverTotalLostClamped(t *testing.T) {
	var r report.Receiver
	for i := range 3000 {
		r.Packet(t0, uint16(i*2999), 0, rate)
	}
	if got, want := r.Block(t0).TotalLost, int32(1<<23-1); got != want {
		t.Errorf("TotalLost = %d, want %d", got, want)
	}
}

func TestReceiverLongLife(t *testing.T) {
	var r report.Receiver
	r.Packet(t0, 0, 0, rate)
	const wraps = 3
	for i := 1; i <= wraps<<16; i++ {
		r.Packet(t0, uint16(i), 0, rate)
	}
	b := r.Block(t0)
	if b.LastSeq != wraps<<16 || b.TotalLost != 0 {
		t.Errorf("after %d wraps: %+v, want last %d, none lost", wraps, b, wraps<<16)
	}
}

func TestReceiverJitter(t *testing.T) {
	// Transit differences in ticks, and the jitter by hand from RFC 3550
	// appendix A.8: j += d - (j+8)>>4 in 1/16 tick.
	tests := []struct {
		name string
		d    []int
		want uint32
	}{
		{"even", []int{0, 0, 0}, 0},
		{"one step of 160", []int{160}, 10},               // 160/16
		{"back and forth", []int{160, -160, 160}, 28},     // 160, 310, 451 → 28
		{"settles towards the mean", repeat(96, 200), 95}, // fixed point of the rounding
		{"a step of more than 5 s is no jitter", []int{6 * rate, 160}, 10},
	}
	for _, tc := range tests {
		var r report.Receiver
		now, ts := t0, uint32(1<<32-1000)
		r.Packet(now, 0, ts, rate)
		for i, d := range tc.d {
			now = now.Add(time.Second) // exactly 90000 ticks
			ts += uint32(rate - d)
			r.Packet(now, uint16(i+1), ts, rate)
		}
		if got := r.Block(now).Jitter; got != tc.want {
			t.Errorf("%s: jitter %d, want %d", tc.name, got, tc.want)
		}
	}
}

func repeat(v, n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func TestReceiverJitterDuration(t *testing.T) {
	var r report.Receiver
	if r.Jitter() != 0 {
		t.Errorf("Jitter() before packets = %v", r.Jitter())
	}
	r.Packet(t0, 0, 0, 48000)
	r.Packet(ms(36), 1, 960, 48000) // 16 ms late
	if got, want := r.Jitter(), time.Millisecond; got != want {
		t.Errorf("Jitter() = %v, want %v", got, want)
	}
	r.Packet(ms(56), 2, 1_000_000, 0) // no clock: ignored
	if got, want := r.Jitter(), time.Millisecond; got != want {
		t.Errorf("Jitter() after a packet without clock = %v, want %v", got, want)
	}
	r.Packet(ms(76), 3, 9_000_000, 90000) // another clock: begun anew
	if got := r.Jitter(); got != 0 {
		t.Errorf("Jitter() after a change of clock = %v, want 0", got)
	}
}

func TestReceiverSenderReport(t *testing.T) {
	var r report.Receiver
	r.SenderReport(t0, 0x1122_3344_5566_7788)
	tests := []struct {
		after time.Duration
		dlsr  uint32
	}{
		{0, 0},
		{time.Second, 1 << 16},
		{1500 * time.Millisecond, 3 << 15},
		{-time.Second, 0},
		{100 * time.Hour, 1<<32 - 1},
	}
	for _, tc := range tests {
		b := r.Block(t0.Add(tc.after))
		if b.LSR != 0x3344_5566 || b.DLSR != tc.dlsr {
			t.Errorf("%v after the report: LSR %#x DLSR %d, want 0x33445566 %d", tc.after, b.LSR, b.DLSR, tc.dlsr)
		}
	}
	var none report.Receiver
	if b := none.Block(t0); b.LSR != 0 || b.DLSR != 0 {
		t.Errorf("without report: LSR %#x DLSR %d, want 0 0", b.LSR, b.DLSR)
	}
}

func TestAllocs(t *testing.T) {
	var r report.Receiver
	var c report.Clock
	var o report.Offset
	var seq uint16
	if n := testing.AllocsPerRun(1000, func() {
		seq += 2
		r.Packet(t0, seq, uint32(seq)*100, rate)
		r.SenderReport(t0, report.ToNTP(t0))
		r.Block(t0)
		c.SenderReport(report.ToNTP(t0), uint32(seq))
		c.Time(uint32(seq), rate)
		c.RTP(t0, rate)
		o.Observe(t0, report.ToNTP(t0))
		o.Local(t0)
	}); n != 0 {
		t.Errorf("accounting: %v allocs, want 0", n)
	}
}

// FuzzReceiver feeds arbitrary packets: no value leaves its range.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte{255, 255, 0, 0, 200, 78, 32, 0, 0, 5, 78, 33, 0, 0, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r report.Receiver
		now := t0
		var n int64
		for ; len(data) >= 5; data = data[5:] {
			now = now.Add(time.Duration(int8(data[4])) * 50 * time.Millisecond)
			r.Packet(now, uint16(data[0])<<8|uint16(data[1]), uint32(data[2])<<24|uint32(data[3])<<8, rate)
			if n++; data[4]&7 == 0 {
				r.Block(now)
			}
		}
		b := r.Block(now)
		received, lost := r.Totals()
		if received > n || received < 0 || received+lost < 0 {
			t.Fatalf("received %d, lost %d of %d packets", received, lost, n)
		}
		if b.TotalLost > 1<<23-1 || b.TotalLost < -1<<23 || r.Jitter() < 0 || r.Jitter() > 5*time.Second {
			t.Fatalf("block %+v, jitter %v", b, r.Jitter())
		}
	})
}

func ExampleReceiver() {
	var r report.Receiver
	now := time.Unix(0, 0)
	for i, seq := range []uint16{65533, 65534, 0, 1} { // 65535 is lost
		arrival := now.Add(time.Duration(i) * 20 * time.Millisecond)
		r.Packet(arrival, seq, uint32(i)*960, 48000)
	}
	b := r.Block(now.Add(time.Second))
	fmt.Println("lost:", b.TotalLost, "fraction:", b.FractionLost, "last:", b.LastSeq)
	// Output: lost: 1 fraction: 51 last: 65537
}
