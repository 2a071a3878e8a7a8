package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// What libwebrtc's own tests say of the interval: 5 % of what may be sent, in
// reports of 68 bytes, 50 to 250 ms apart.
func TestFeedbackInterval(t *testing.T) {
	for uplink, want := range map[units.Bitrate]time.Duration{
		0: 100 * ms, 20_000: 250 * ms, 80_000: 136 * ms, 300_000: 50 * ms, 10 * units.Mbps: 50 * ms,
	} {
		if got := sim.FeedbackInterval(uplink); got != want {
			t.Errorf("interval at %v = %v, want %v", uplink, got, want)
		}
	}
}

func TestFreezes(t *testing.T) {
	const frame = time.Second / 30
	// play shows n pictures a frame apart and returns the freezes.
	play := func(p *sim.Playout, from, n int, late func(i int) time.Duration) (out []sim.Freeze) {
		for i := from; i < from+n; i++ {
			captured := time.Duration(i) * frame
			if f, froze := p.Show(captured, captured+50*ms+late(i)); froze {
				out = append(out, f)
			}
		}
		return out
	}
	none := func(int) time.Duration { return 0 }
	at := func(k int, d time.Duration) func(int) time.Duration {
		return func(i int) time.Duration {
			if i >= k { // those behind it wait for it
				return max(0, d-time.Duration(i-k)*frame)
			}
			return 0
		}
	}
	tests := []struct {
		name string
		late func(int) time.Duration
		want []time.Duration // freezes, within a frame
	}{
		{"steady", none, nil},
		{"jitter of two frames", func(i int) time.Duration { return time.Duration(i%3) * frame }, nil},
		{"a picture 100 ms late", at(60, 100*ms), nil}, // a gap of 133 ms
		{"a picture 200 ms late", at(60, 200*ms), []time.Duration{233 * ms}},
		{"a picture a second late", at(60, time.Second), []time.Duration{1033 * ms}},
		{"among the first", at(3, time.Second), nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := play(new(sim.Playout), 0, 120, tc.late)
			if len(got) != len(tc.want) {
				t.Fatalf("freezes %v, want %v", got, tc.want)
			}
			for i, f := range got {
				if (f.Lasted - tc.want[i]).Abs() > frame {
					t.Errorf("freeze %d lasted %v, want %v", i, f.Lasted, tc.want[i])
				}
			}
		})
	}
}

func TestNacks(t *testing.T) {
	var n sim.Nacks
	now := sim.NewEngine(1).Now()
	for _, seq := range []int64{10, 11} {
		if ask, _ := n.Received(now, seq); len(ask) != 0 {
			t.Errorf("packet %d in order asks for %v", seq, ask)
		}
	}
	if ask, _ := n.Received(now, 14); fmt.Sprint(ask) != "[12 13]" {
		t.Errorf("a gap asks for %v, want [12 13]", ask)
	}
	n.Received(now, 12)
	asked := 1
	for range 100 {
		now = now.Add(20 * ms)
		if ask := n.Due(now); len(ask) > 0 {
			if fmt.Sprint(ask) != "[13]" {
				t.Fatalf("asked again for %v, want [13]", ask)
			}
			asked++
		}
	}
	if asked != 10 {
		t.Errorf("asked %d times, want 10", asked)
	}
	if _, overflow := n.Received(now, 2000); !overflow {
		t.Error("a gap of 2000 packets is asked for")
	}
}

func TestBestSum(t *testing.T) {
	q, h, f := [2]int{150, 170}, [2]int{500, 530}, [2]int{1700, 1760}
	tests := []struct {
		tracks [][][2]int
		budget int
		want   int
	}{
		{[][][2]int{{q, h, f}}, 3000, 1700},
		{[][][2]int{{q, h, f}}, 1000, 500},
		{[][][2]int{{q, h, f}}, 100, 0},
		{[][][2]int{{q, h, f}, {q, h, f}}, 2000, 1850},
		{[][][2]int{{q, h, f}, {q, h, f}, {q}}, 1100, 1000},
		{nil, 1000, 0},
	}
	for _, tc := range tests {
		if got := sim.BestSum(tc.tracks, tc.budget); got != tc.want {
			t.Errorf("best sum of %v in %d = %d, want %d", tc.tracks, tc.budget, got, tc.want)
		}
	}
}

func TestJain(t *testing.T) {
	for _, tc := range []struct {
		shares []float64
		want   float64
	}{
		{[]float64{1, 1, 1}, 1}, {[]float64{1, 0, 0, 0}, 0.25}, {[]float64{2, 1}, 0.9}, {nil, 1}, {[]float64{0, 0}, 1},
	} {
		if got := sim.Jain(tc.shares); got < tc.want-1e-9 || got > tc.want+1e-9 {
			t.Errorf("Jain(%v) = %v, want %v", tc.shares, got, tc.want)
		}
	}
}

// The transfers behave as TCP: alone they fill a link, and two share one.
func TestTransfers(t *testing.T) {
	for _, cubic := range []bool{false, true} {
		s := sim.Scenario{
			Name: "transfers", Duration: 60 * time.Second, Settle: 10 * time.Second, Seed: 3,
			Down:  sim.LinkConfig{Rate: sim.Constant(4 * units.Mbps), Delay: 20 * ms, Queue: 100 * ms},
			Up:    sim.LinkConfig{Delay: 20 * ms},
			Flows: []sim.FlowConfig{{Media: sim.Constant(0)}},
			Cross: []sim.CrossConfig{{Cubic: cubic}},
		}
		if r := run(t, s, sim.Default()); r.Cross < 0.9 || r.Cross > 1.001 {
			t.Errorf("cubic %v: one transfer uses %.2f of the link, want 0.9 to 1", cubic, r.Cross)
		}
		s.Cross = []sim.CrossConfig{{Rate: 2 * units.Mbps}}
		if r := run(t, s, sim.Default()); r.Cross < 0.49 || r.Cross > 0.51 {
			t.Errorf("2 Mbit/s of datagrams use %.2f of 4 Mbit/s, want a half", r.Cross)
		}
	}
}

func TestTraces(t *testing.T) {
	const d = 120 * time.Second
	for name, trace := range map[string]sim.Trace{"lte": sim.LTE(4, d, 3*units.Mbps), "wifi": sim.WiFi(5, d, 6*units.Mbps)} {
		mean := trace.Bits(0, d) / d.Seconds()
		if mean < 2e6 || mean > 6e6 {
			t.Errorf("%s: mean rate %.2f Mbit/s, want 2 to 6", name, mean/1e6)
		}
		if _, err := sim.NewLink(sim.NewEngine(1), "x", sim.LinkConfig{Rate: trace}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
