package sim

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A Bar is what the default policy must reach in a scenario.
type Bar struct {
	// Scenario is the one it is measured in, What the quantity, Unit its unit.
	Scenario, What, Unit string
	// Min and Max bound it, both inclusive.
	Min, Max float64
	// Measure takes it from the results, which find returns by scenario.
	Measure func(find func(scenario string) Result) float64
}

// Never stands in a measurement for something that did not happen.
const Never = 1e9

// Bars returns the bars of the default policy: first those the project set out
// with, then some that keep what has been reached.
func Bars() []Bar {
	var all []Bar
	add := func(scenario, what, unit string, low, high float64, measure func(r Result) float64) {
		all = append(all, Bar{scenario, what, unit, low, high, func(find func(string) Result) float64 {
			return measure(find(scenario))
		}})
	}
	for _, s := range []string{"constant-300k", "constant-1M", "constant-2.5M", "constant-8M"} {
		add(s, "estimate ÷ capacity, mean after 10 s", "", 0.85, 1, func(r Result) float64 { return r.Flows[0].Ratio })
		add(s, "queueing delay, 95th percentile", "ms", 0, 40, wait95)
		add(s, "loss", "%", 0, 0.5, func(r Result) float64 { return 100 * r.Flows[0].Loss })
	}
	for _, s := range []string{"call-300k", "call-1M", "call-2.5M", "call-8M"} {
		add(s, "media ÷ best feasible sum of rungs", "", 0.95, 1.05, func(r Result) float64 { return r.Flows[0].View.Share() })
	}
	add("step-down", "below capacity after", "s", 0, 1, reached)
	add("call-step-down", "longest freeze", "s", 0, 0.5, longest)
	add("step-up", "90 % of capacity after", "s", 0, 8, reached)
	all = append(all, Bar{"loss-2", "rate ÷ rate without loss", "", 0.9, 1.2, func(find func(string) Result) float64 {
		return share(float64(find("loss-2").Flows[0].Received), float64(find("constant-2.5M").Flows[0].Received))
	}})
	for _, s := range []string{"loss-10", "loss-burst", "call-loss-10", "call-loss-burst"} {
		add(s, "lowest estimate after 10 s", "kbit/s", 150, Never, lowest)
	}
	add("fair-2", "fairness after 20 s (Jain)", "", 0.9, 1, func(r Result) float64 { return r.Jain })
	// A flow beside a transfer lives, and so does the transfer.
	for _, s := range []string{"rfc8867-5.6", "tcp-cubic"} {
		add(s, "share of the link beside TCP", "", 0.25, 0.75, func(r Result) float64 { return r.Utilisation })
	}
	for _, s := range []string{"rfc8867-5.2", "rfc8867-5.4"} {
		add(s, "fairness at the end (Jain)", "", 0.9, 1, func(r Result) float64 { return r.Jain })
	}
	for _, s := range calls() {
		add(s.Name, "freezes for which the room is to blame", "", 0, 0, func(r Result) float64 {
			_, _, n := r.Flows[0].View.Frozen()
			return float64(n)
		})
	}
	for _, s := range calls() {
		add(s.Name, "timestamps off by", "ms", 0, 20, func(r Result) float64 {
			var most time.Duration
			for _, t := range r.Flows[0].View.Tracks {
				most = max(most, t.Skew)
			}
			return float64(most) / float64(time.Millisecond)
		})
	}
	for _, s := range []string{"call-loss-2", "call-loss-10", "call-loss-burst"} {
		add(s, "longest freeze", "s", 0, 0.5, longest)
	}
	for _, s := range []string{"call-300k", "call-1M", "call-2.5M", "call-8M", "call-loss-2", "call-nine"} {
		add(s, "concealed audio", "%", 0, 2, func(r Result) float64 { return 100 * r.Flows[0].View.Concealed })
	}
	for _, s := range calls() {
		add(s.Name, "frames without their keyframe", "", 0, 0, func(r Result) float64 {
			n := 0
			for _, t := range r.Flows[0].View.Tracks {
				n += t.Foreign
			}
			return float64(n)
		})
		add(s.Name, "layer changes per minute", "", 0, 10, func(r Result) float64 {
			return r.Flows[0].View.FlipsPerMinute(r.Flows[0].last())
		})
	}
	return all
}

// Met reports what was measured and whether it is within the bar.
func (b Bar) Met(find func(scenario string) Result) (got float64, ok bool) {
	got = b.Measure(find)
	return got, b.Min <= got && got <= b.Max
}

// last is when the last sample was taken.
func (f *FlowResult) last() time.Duration {
	if len(f.Samples) == 0 {
		return 0
	}
	return f.Samples[len(f.Samples)-1].At
}

func wait95(r Result) float64 { return float64(r.Flows[0].Wait95) / float64(time.Millisecond) }

// reached is how long the first change took.
func reached(r Result) float64 {
	if c := r.Flows[0].Reach; len(c) > 0 && c[0].Took >= 0 {
		return c[0].Took.Seconds()
	}
	return Never
}

func longest(r Result) float64 {
	_, d, _ := r.Flows[0].View.Frozen()
	return d.Seconds()
}

func lowest(r Result) float64 {
	low := maxMedia
	for _, s := range r.Flows[0].Samples {
		if s.At > 10*time.Second {
			low = min(low, s.Estimate)
		}
	}
	return float64(low) / float64(units.Kbps)
}
