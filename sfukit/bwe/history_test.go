package bwe_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// symbols reads one letter for each packet: R received 10 ms after the one before,
// E received 10 ms earlier, - not received.
func symbols(s string) []bwe.Symbol {
	var out []bwe.Symbol
	for _, c := range s {
		switch c {
		case 'R':
			out = append(out, bwe.Symbol{Received: true, Delta: 10 * time.Millisecond})
		case 'E':
			out = append(out, bwe.Symbol{Received: true, Delta: -10 * time.Millisecond})
		default:
			out = append(out, bwe.Symbol{})
		}
	}
	return out
}

// show writes results as "seq state@ms", the time counted from the reference.
func show(results []bwe.Packet, reference uint32) string {
	var b strings.Builder
	zero := time.Unix(0, 0).Add(time.Duration(reference) * 64 * time.Millisecond)
	for _, p := range results {
		fmt.Fprintf(&b, " %d", p.Seq)
		switch p.State {
		case bwe.Received:
			fmt.Fprintf(&b, "+%d", p.RecvTime.Sub(zero).Milliseconds())
		case bwe.Lost:
			b.WriteString("-")
		default:
			b.WriteString("?")
		}
	}
	return strings.TrimSpace(b.String())
}

func TestSentNumbers(t *testing.T) {
	var h bwe.History
	for i := range 70_000 {
		if got, want := h.Sent(t0, 1, 0), uint16(i); got != want {
			t.Fatalf("packet %d has number %d, want %d", i, got, want)
		}
	}
}

func TestFeedback(t *testing.T) {
	type message struct {
		first   int
		symbols string
		want    string
	}
	tests := []struct {
		name     string
		sent     int
		messages []message
	}{
		{"nothing sent", 0, []message{{0, "RRR", ""}}},
		{"all received", 3, []message{{0, "RRR", "0+10 1+20 2+30"}}},
		{"one lost", 3, []message{{0, "R-R", "0+10 1- 2+20"}}},
		{"empty", 3, []message{{0, "", ""}}},
		{"overtaken on the way", 3, []message{{0, "RRE", "0+10 1+20 2+10"}}},
		{"repeated", 3, []message{{0, "R-R", "0+10 1- 2+20"}, {0, "R-R", ""}}},
		{"lost, then late", 3, []message{{0, "R-R", "0+10 1- 2+20"}, {1, "RR", "1+10"}, {1, "-R", ""}}},
		{"received, then said lost by an older message", 3, []message{{0, "RRR", "0+10 1+20 2+30"}, {0, "R--", ""}}},
		{"a lost message loses no packet", 6, []message{{0, "RR", "0+10 1+20"}, {4, "RR", "4+10 5+20"}}},
		{"messages overtake each other", 4, []message{{2, "RR", "2+10 3+20"}, {0, "R-", "0+10 1-"}}},
		{"never sent", 3, []message{{1, "RRRRR", "1+10 2+20"}, {3, "RR", ""}, {40000, "RR", ""}}},
		{"before the first", 3, []message{{65533, "RR-RR", "0+30 1+40"}}},
		{"over the wrap", 65538, []message{{65534, "R-RR", "65534+10 65535- 65536+20 65537+30"}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var h bwe.History
			for range tc.sent {
				h.Sent(t0, 1200, 0)
			}
			for i, m := range tc.messages {
				results, _ := h.Feedback(ms(100), uint16(m.first), 5000, symbols(m.symbols), nil)
				if got := show(results, 5000); got != m.want {
					t.Errorf("message %d: %q, want %q", i, got, m.want)
				}
			}
		})
	}
}

func TestFeedbackPacket(t *testing.T) {
	var h bwe.History
	h.Sent(ms(0), 100, 0)
	h.Sent(ms(7), 200, 0)
	dst := []bwe.Packet{{Seq: -1}}
	got, _ := h.Feedback(ms(100), 0, 10, symbols("R-"), dst)
	want := []bwe.Packet{
		{Seq: -1},
		{Seq: 0, Size: 100, SendTime: ms(0), RecvTime: time.Unix(0, 650e6), State: bwe.Received},
		{Seq: 1, Size: 200, SendTime: ms(7), State: bwe.Lost},
	}
	if !slices.Equal(got, want) {
		t.Errorf("Feedback = %+v, want %+v", got, want)
	}
}

// Deltas of packets that are no longer (or never were) in the ring move the
// arrival of those behind them all the same, and nothing forgotten counts as lost.
func TestFeedbackPastRing(t *testing.T) {
	var h bwe.History
	for range 8192 + 3 {
		h.Sent(t0, 1200, 0)
	}
	results, _ := h.Feedback(ms(100), 0, 7, symbols("RR-RR"), nil)
	if got, want := show(results, 7), "3+30 4+40"; got != want {
		t.Errorf("Feedback at the ring's end = %q, want %q", got, want)
	}
	results, _ = h.Feedback(ms(100), 0, 7, symbols("---"), nil)
	if len(results) != 0 {
		t.Errorf("forgotten packets are reported: %q", show(results, 7))
	}
}

// Two seconds of packets can be reported at any rate up to the bound.
func TestHistoryDepth(t *testing.T) {
	for _, pps := range []int{1, 10, 100, 1000, 4000} {
		var h bwe.History
		n := 5 * pps
		interval := time.Second / time.Duration(pps)
		for i := range n {
			h.Sent(t0.Add(time.Duration(i)*interval), 1, 0)
		}
		deep := min(2*pps, n)
		results, _ := h.Feedback(t0.Add(6*time.Second), uint16(n-deep), 0, make([]bwe.Symbol, deep), nil)
		if len(results) != deep {
			t.Errorf("%d packets/s: %d of the last %d known", pps, len(results), deep)
		}
	}
}

// Growing in the middle of a flight keeps what was reported and what was not.
func TestHistoryGrows(t *testing.T) {
	var h bwe.History
	for range 300 {
		h.Sent(t0, 1, 0)
	}
	h.Feedback(t0, 0, 0, symbols("RR-"), nil)
	for range 3000 {
		h.Sent(t0, 1, 0)
	}
	results, _ := h.Feedback(t0, 0, 0, symbols("RRRR"), nil)
	if got, want := show(results, 0), "2+30 3+40"; got != want {
		t.Errorf("Feedback after growth = %q, want %q", got, want)
	}
}

// The reference time wraps after 2^24 units and may step back a little when
// messages overtake each other.
func TestFeedbackReferenceWrap(t *testing.T) {
	const wrap = 1 << 24
	var h bwe.History
	var at []time.Time
	references := []uint32{wrap - 2, wrap - 1, 1, 0, 2, wrap + 3} // the last with a stray high bit
	for i, r := range references {
		h.Sent(t0, 1, 0)
		results, _ := h.Feedback(t0, uint16(i), r, symbols("R"), nil)
		if len(results) != 1 {
			t.Fatalf("reference %d: %d results", r, len(results))
		}
		at = append(at, results[0].RecvTime)
	}
	for i, units := range []int{0, 1, 3, 2, 4, 5} {
		if got, want := at[i].Sub(at[0]), time.Duration(units)*64*time.Millisecond; got != want {
			t.Errorf("reference %d is %v after the first, want %v", references[i], got, want)
		}
	}
}

func TestFeedbackRTT(t *testing.T) {
	tests := []struct {
		name    string
		now     int
		first   int
		symbols string
		want    int
	}{
		{"newest arrived last", 100, 0, "RRR", 60}, // sent at 40
		{"newest lost", 100, 0, "RR-", 80},
		{"newest overtook its predecessor", 100, 0, "RRE", 50}, // it waited 10 ms
		{"nothing received", 100, 0, "---", 0},
		{"nothing known", 100, 40000, "RRR", 0},
		{"clock set back", 10, 0, "RRR", 0},
	}
	for _, tc := range tests {
		var h bwe.History
		for i := range 3 {
			h.Sent(ms(20*i), 1, 0)
		}
		_, rtt := h.Feedback(ms(tc.now), uint16(tc.first), 9, symbols(tc.symbols), nil)
		if got := int(rtt.Milliseconds()); got != tc.want {
			t.Errorf("%s: rtt %d ms, want %d", tc.name, got, tc.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	var h bwe.History
	k := newKalman(t, bwe.KalmanConfig{})
	syms := symbols("RRRRR-RRRR")
	dst := make([]bwe.Packet, 0, len(syms))
	now := t0
	step := func() {
		var first uint16
		for i := range syms {
			now = now.Add(time.Millisecond)
			if seq := h.Sent(now, 1200, 0); i == 0 {
				first = seq
			}
		}
		results, rtt := h.Feedback(now, first, uint32(now.UnixMilli()/64), syms, dst)
		k.OnFeedback(now, results, rtt)
		k.OnREMB(now, 1e6)
		k.OnHint(now, 1e6)
		k.Estimate(now)
	}
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Sent, Feedback and the estimator: %v allocs, want 0", n)
	}
}

// FuzzFeedback plays arbitrary feedback against arbitrary sending: results are
// ascending, of packets that were sent, each told lost and received once at most
// and never lost after received; the arrival chain is that of the message.
func FuzzFeedback(f *testing.F) {
	f.Add([]byte{10, 0, 0, 0, 1, 5, 1, 0, 1, 1, 20, 0, 5, 0, 1, 5, 1, 1, 0, 1})
	f.Add([]byte{255, 255, 250, 255, 255, 15, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1})
	f.Add(bytes.Repeat([]byte{255, 0, 0, 128, 0, 3, 1, 129, 0}, 60))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h bwe.History
		now := t0
		var next int64
		told := map[int64]bwe.State{}
		for len(data) >= 6 && next < 1<<16 {
			for range data[0] {
				now = now.Add(time.Millisecond)
				if got := h.Sent(now, int(next), 0); got != uint16(next) {
					t.Fatalf("number %d, want %d", got, uint16(next))
				}
				next++
			}
			first := uint16(data[1])<<8 | uint16(data[2])
			reference := uint32(data[3])<<16 | uint32(data[4])
			n := min(int(data[5]), len(data)-6)
			var syms []bwe.Symbol
			var chain []time.Duration
			var sum time.Duration
			for _, b := range data[6 : 6+n] {
				s := bwe.Symbol{Received: b&1 == 1, Delta: time.Duration(int8(b)) * time.Millisecond}
				if s.Received {
					sum += s.Delta
				}
				syms, chain = append(syms, s), append(chain, sum)
			}
			data = data[6+n:]

			results, rtt := h.Feedback(now, first, reference, syms, nil)
			if rtt < 0 || len(results) > len(syms) {
				t.Fatalf("rtt %v, %d results of %d symbols", rtt, len(results), len(syms))
			}
			for i, p := range results {
				at := int(uint16(p.Seq) - first)
				if p.Seq < 0 || p.Seq >= next || int64(p.Size) != p.Seq || at >= len(syms) {
					t.Fatalf("result %+v of %d sent, feedback from %d", p, next, first)
				}
				if i > 0 && p.Seq <= results[i-1].Seq {
					t.Fatalf("results out of order: %d after %d", p.Seq, results[i-1].Seq)
				}
				before := told[p.Seq]
				switch {
				case p.State == bwe.Received && before != bwe.Received && syms[at].Received:
				case p.State == bwe.Lost && before == bwe.Unknown && !syms[at].Received:
				default:
					t.Fatalf("packet %d told %v after %v", p.Seq, p.State, before)
				}
				told[p.Seq] = p.State
				if d := p.RecvTime.Sub(time.Unix(0, 0)) - chain[at]; p.State == bwe.Received && d%(64*time.Millisecond) != 0 {
					t.Fatalf("packet %d arrived %v off the message's chain", p.Seq, d)
				}
			}
		}
	})
}

func BenchmarkFeedback(b *testing.B) {
	var h bwe.History
	syms := symbols(strings.Repeat("R", 100))
	dst := make([]bwe.Packet, 0, len(syms))
	now := t0
	b.ReportAllocs()
	for b.Loop() {
		var first uint16
		for i := range syms {
			now = now.Add(time.Millisecond)
			if seq := h.Sent(now, 1200, 0); i == 0 {
				first = seq
			}
		}
		h.Feedback(now, first, uint32(now.UnixMilli()/64), syms, dst)
	}
}
