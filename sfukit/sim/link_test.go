package sim_test

import (
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const ms = time.Millisecond

func newLink(t *testing.T, e *sim.Engine, c sim.LinkConfig) *sim.Link {
	t.Helper()
	l, err := sim.NewLink(e, "link", c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// flood offers packets of a size at a rate for d and returns when they arrived.
func flood(e *sim.Engine, l *sim.Link, size int, rate units.Bitrate, d time.Duration) (sent int, arrived []time.Duration) {
	gap := time.Duration(8 * float64(size) / float64(rate) * float64(time.Second))
	for e.Elapsed() < d {
		l.Send(&sim.Packet{Size: size, Sent: e.Now(), To: func(*sim.Packet) { arrived = append(arrived, e.Elapsed()) }})
		sent++
		e.Run(gap)
	}
	e.Run(10 * time.Second)
	return sent, arrived
}

// What is offered above the rate leaves at the rate, whatever the trace does, and
// the queue bounds the wait.
func TestLinkConservesRate(t *testing.T) {
	traces := map[string]sim.Trace{
		"constant": sim.Constant(units.Mbps),
		"steps":    {{Rate: units.Mbps}, {At: 3 * time.Second, Rate: 200 * units.Kbps}, {At: 5 * time.Second, Rate: 2 * units.Mbps}},
		"stops":    {{Rate: units.Mbps}, {At: 2 * time.Second}, {At: 4 * time.Second, Rate: units.Mbps}},
		"lte":      sim.LTE(1, 30*time.Second, units.Mbps),
		"wifi":     sim.WiFi(1, 30*time.Second, units.Mbps),
	}
	for name, trace := range traces {
		t.Run(name, func(t *testing.T) {
			e := sim.NewEngine(1)
			l := newLink(t, e, sim.LinkConfig{Rate: trace, Queue: 200 * ms})
			const d = 10 * time.Second
			_, arrived := flood(e, l, 500, 5*units.Mbps, d)
			got := 0.0
			for _, at := range arrived {
				if at <= d {
					got += 8 * 500
				}
			}
			want := trace.Bits(0, d)
			if math.Abs(got-want) > 0.01*want {
				t.Errorf("%v bits arrived in %v, want %v within 1 %%", got, d, want)
			}
		})
	}
}

func TestLinkDelay(t *testing.T) {
	tests := []struct {
		name string
		c    sim.LinkConfig
		want []time.Duration // of three packets of 1000 bytes sent at once
	}{
		{"nothing", sim.LinkConfig{}, []time.Duration{0, 0, 0}},
		{"delay", sim.LinkConfig{Delay: 20 * ms}, []time.Duration{20 * ms, 20 * ms, 20 * ms}},
		{"rate", sim.LinkConfig{Rate: sim.Constant(units.Mbps)}, []time.Duration{8 * ms, 16 * ms, 24 * ms}},
		{"both", sim.LinkConfig{Rate: sim.Constant(units.Mbps), Delay: 20 * ms}, []time.Duration{28 * ms, 36 * ms, 44 * ms}},
		{"overhead", sim.LinkConfig{Rate: sim.Constant(units.Mbps), Overhead: 250}, []time.Duration{10 * ms, 20 * ms, 30 * ms}},
		{"a queue of two", sim.LinkConfig{Rate: sim.Constant(units.Mbps), Queue: 20 * ms}, []time.Duration{8 * ms, 16 * ms}},
		{"slower midway", sim.LinkConfig{Rate: sim.Trace{{Rate: units.Mbps}, {At: 12 * ms, Rate: units.Mbps / 2}}}, []time.Duration{8 * ms, 20 * ms, 36 * ms}},
		{"stopped midway", sim.LinkConfig{Rate: sim.Trace{{Rate: units.Mbps}, {At: 12 * ms}, {At: 112 * ms, Rate: units.Mbps}}}, []time.Duration{8 * ms, 116 * ms, 124 * ms}},
		{"outage", sim.LinkConfig{Rate: sim.Constant(units.Mbps), Outages: []sim.Span{{From: 10 * ms, To: 20 * ms}}}, []time.Duration{8 * ms, 24 * ms}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			e := sim.NewEngine(1)
			l := newLink(t, e, tc.c)
			var got []time.Duration
			for range 3 {
				l.Send(&sim.Packet{Size: 1000, To: func(*sim.Packet) { got = append(got, e.Elapsed()) }})
			}
			e.Run(time.Second)
			if len(got) != len(tc.want) {
				t.Fatalf("arrivals %v, want %v", got, tc.want)
			}
			for i := range got {
				if (got[i] - tc.want[i]).Abs() > time.Microsecond {
					t.Errorf("packet %d arrives at %v, want %v", i, got[i], tc.want[i])
				}
			}
		})
	}
}

// Waited is the time in the queue alone, and never more than the queue holds.
func TestLinkWaited(t *testing.T) {
	e := sim.NewEngine(1)
	l := newLink(t, e, sim.LinkConfig{Rate: sim.Constant(units.Mbps), Queue: 100 * ms, Delay: 30 * ms})
	var longest time.Duration
	l.Watch(func(p *sim.Packet, through bool) {
		if through {
			longest = max(longest, p.Waited)
		}
	})
	flood(e, l, 1000, 3*units.Mbps, time.Second)
	if longest > 100*ms || longest < 80*ms {
		t.Errorf("longest wait %v, want just below 100 ms", longest)
	}
	if got := l.Stats(); got.Overflow == 0 || got.Sent != got.Overflow+got.Delivered {
		t.Errorf("stats %+v: want overflow, and nothing unaccounted for", got)
	}
}

func TestLinkLoss(t *testing.T) {
	tests := []struct {
		name       string
		loss       sim.Loss
		share, run float64 // expected share and mean length of runs
	}{
		{"none", sim.Loss{}, 0, 0},
		{"2 % random", sim.RandomLoss(0.02), 0.02, 1 / 0.98},
		{"10 % random", sim.RandomLoss(0.1), 0.1, 1 / 0.9},
		{"10 % in bursts of 5", sim.BurstLoss(0.1, 5), 0.1, 5},
		{"Gilbert and Elliott", sim.Loss{Good: 0.01, Bad: 0.5, ToBad: 0.01, ToGood: 0.09}, 0.01*0.9 + 0.5*0.1, 0},
		{"all", sim.RandomLoss(1), 1, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			const n = 200_000
			e := sim.NewEngine(7)
			l := newLink(t, e, sim.LinkConfig{Loss: tc.loss})
			lost, runs, before := 0, 0, true
			l.Watch(func(_ *sim.Packet, through bool) {
				if !through {
					lost++
					if before {
						runs++
					}
				}
				before = through
			})
			for range n {
				l.Send(&sim.Packet{Size: 100})
			}
			if got := float64(lost) / n; math.Abs(got-tc.share) > 0.05*tc.share+1e-9 {
				t.Errorf("share lost %.4f, want %.4f within 5 %%", got, tc.share)
			}
			if got := float64(lost) / float64(max(runs, 1)); tc.run > 0 && math.Abs(got-tc.run) > 0.05*tc.run {
				t.Errorf("mean run of losses %.3f, want %.3f within 5 %%", got, tc.run)
			}
		})
	}
}

// Jitter delays and does not reorder; Reorder does.
func TestLinkOrder(t *testing.T) {
	for _, tc := range []struct {
		name string
		c    sim.LinkConfig
		want bool // whether packets overtake each other
	}{
		{"jitter", sim.LinkConfig{Jitter: 10 * ms}, false},
		{"reorder", sim.LinkConfig{Reorder: 0.05}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := sim.NewEngine(1)
			l := newLink(t, e, tc.c)
			last, overtaken, moved, n := int64(-1), false, false, 0
			for i := range int64(1000) {
				l.Send(&sim.Packet{Number: i, Sent: e.Now(), To: func(p *sim.Packet) {
					overtaken = overtaken || p.Number < last
					moved = moved || e.Now().Sub(p.Sent) > ms
					last = p.Number
					n++
				}})
				e.Run(5 * ms)
			}
			e.Run(time.Second)
			if n != 1000 || overtaken != tc.want || !moved {
				t.Errorf("%d of 1000 arrived, overtaken %v, want %v; delayed %v", n, overtaken, tc.want, moved)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	for name, c := range map[string]sim.LinkConfig{
		"negative rate":     {Rate: sim.Trace{{Rate: -1}}},
		"steps backwards":   {Rate: sim.Trace{{At: time.Second, Rate: 1}, {Rate: 1}}},
		"negative delay":    {Delay: -1},
		"loss above one":    {Loss: sim.RandomLoss(1.5)},
		"loss not a number": {Loss: sim.BurstLoss(math.NaN(), 2)},
		"reorder":           {Reorder: -0.1},
		"overhead":          {Overhead: -1},
	} {
		if _, err := sim.NewLink(sim.NewEngine(1), "x", c); err == nil {
			t.Errorf("%s: NewLink succeeds", name)
		}
	}
}

func TestEngineOrder(t *testing.T) {
	e := sim.NewEngine(1)
	var got []int
	note := func(i int) func() { return func() { got = append(got, i) } }
	e.After(2*ms, note(3))
	e.After(ms, func() { note(1)(); e.After(ms, note(5)); e.At(e.Now().Add(-time.Hour), note(2)) })
	e.After(2*ms, note(4))
	e.After(time.Second, note(99))
	e.Run(500 * ms)
	for i, v := range got {
		if v != i+1 {
			t.Fatalf("order %v, want 1 2 3 4 5", got)
		}
	}
	if len(got) != 5 || e.Elapsed() != 500*ms {
		t.Errorf("events %v at %v, want five at 500ms", got, e.Elapsed())
	}
	if a, b := e.Rand("a").Uint64(), e.Rand("b").Uint64(); a == b || a != e.Rand("a").Uint64() {
		t.Error("Rand does not tell names apart, or the same name gives other numbers")
	}
}

// Whatever a link is made of, it loses track of no packet, and none arrives before
// it could.
func FuzzLink(f *testing.F) {
	f.Add(uint16(300), uint8(20), uint8(5), uint8(10), uint8(0), []byte{100, 3, 100, 0, 200, 50})
	f.Add(uint16(0), uint8(0), uint8(0), uint8(255), uint8(255), []byte{0, 0})
	f.Fuzz(func(t *testing.T, kbps uint16, delay, jitter, loss, reorder uint8, packets []byte) {
		e := sim.NewEngine(uint64(kbps))
		c := sim.LinkConfig{
			Rate:  sim.Trace{{Rate: units.Bitrate(kbps) * units.Kbps}, {At: 50 * ms}, {At: 100 * ms, Rate: units.Mbps}},
			Delay: time.Duration(delay) * ms, Jitter: time.Duration(jitter) * ms,
			Loss: sim.BurstLoss(float64(loss)/256, 3), Reorder: float64(reorder) / 255,
		}
		l, err := sim.NewLink(e, "link", c)
		if err != nil {
			return // a share that gives no probability
		}
		arrived := int64(0)
		for _, b := range packets {
			l.Send(&sim.Packet{Size: int(b) * 8, Sent: e.Now(), To: func(p *sim.Packet) {
				arrived++
				if way := e.Now().Sub(p.Sent); way < c.Delay+p.Waited {
					t.Errorf("a packet took %v, less than the delay of %v and the wait of %v", way, c.Delay, p.Waited)
				}
			}})
			e.Run(time.Duration(b%16) * ms)
		}
		e.Run(time.Hour)
		s := l.Stats()
		if s.Sent != int64(len(packets)) || s.Sent != s.Overflow+s.Lost+s.Delivered || s.Delivered != arrived {
			t.Errorf("%d packets sent, %d arrived, stats %+v", len(packets), arrived, s)
		}
	})
}
