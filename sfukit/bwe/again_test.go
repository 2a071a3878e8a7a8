package bwe_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// TestResent sends a packet twice under one number and has feedback tell of it
// before and after.
func TestResent(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, tc := range []struct {
		name    string
		symbols []bool // whether the packet is reported received, message by message
		at      int    // it is sent again before this message
		want    []bwe.State
	}{
		{"told lost, then arrives", []bool{false, true}, 1, []bwe.State{bwe.Lost}},
		{"arrives before it is told lost", []bool{true, true}, 0, []bwe.State{bwe.Lost}},
		{"had arrived", []bool{true, true}, 1, []bwe.State{bwe.Received}},
		{"never arrives", []bool{false, false}, 1, []bwe.State{bwe.Lost}},
		{"not sent again", []bool{false, true}, 9, []bwe.State{bwe.Lost, bwe.Received}},
	} {
		var h bwe.History
		h.Resent(0) // nothing was sent yet
		for range 300 {
			start = start.Add(time.Millisecond)
			h.Sent(start, 100, 0)
		}
		seq := h.Sent(start, 100, 0)
		h.Resent(seq + 1) // was not sent yet
		h.Sent(start, 100, 0)
		var got []bwe.State
		for i, received := range tc.symbols {
			if i == tc.at {
				h.Resent(seq)
			}
			results, _ := h.Feedback(start, seq, uint32(i), []bwe.Symbol{{Received: received}}, nil)
			for _, p := range results {
				got = append(got, p.State)
			}
		}
		if len(got) != len(tc.want) || got[0] != tc.want[0] || got[len(got)-1] != tc.want[len(tc.want)-1] {
			t.Errorf("%s: told %v, want %v", tc.name, got, tc.want)
		}
		if results, _ := h.Feedback(start, seq+1, 9, []bwe.Symbol{{Received: true}}, nil); len(results) != 1 || results[0].State != bwe.Received {
			t.Errorf("%s: the packet behind it is told %v, want Received", tc.name, results)
		}
	}
}
