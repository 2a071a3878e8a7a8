package sfukit_test

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// stackCalls are the key scenarios: one viewer behind a link of 20 ms with a drop-tail
// queue of 200 ms, who watches one simulcast of 150 and 500 kbit/s and 1.7 Mbit/s and
// hears one voice.
func stackCalls() []stackCall {
	const (
		k, s    = units.Kbps, time.Second
		q, h, f = 0, 1, 2
		none    = -1
	)
	path := func(rate ...sim.Step) sim.LinkConfig {
		return sim.LinkConfig{Rate: rate, Delay: oneWay, Queue: stackQueue}
	}
	wide := sim.Step{Rate: 2500 * k}
	// An encoding of 1.7 Mbit/s begins after 3 s and takes 3 s more to its full rate; a
	// probe that is not answered well is repeated 5 s later.
	best := stackPhase{want: []int{f}, within: 12 * s}

	rise := path(sim.Step{Rate: 300 * k}, sim.Step{At: 15 * s, Rate: 2500 * k})
	rise.Queue = stackQueue * 2500 / 300 // 200 ms of the second rate
	lossy := path(wide)
	lossy.Loss = sim.RandomLoss(0.02)
	outage := path(wide)
	outage.Outages = []sim.Span{{From: 15 * s, To: 18 * s}}
	return []stackCall{{
		name: "2.5M", about: "2.5 Mbit/s", length: 20 * s, down: path(wide),
		phases: []stackPhase{best}, freeze: s / 2, silent: 0.001,
	}, {
		name: "1M", about: "1 Mbit/s", length: 20 * s, down: path(sim.Step{Rate: 1000 * k}),
		phases: []stackPhase{{want: []int{h}, within: 8 * s}}, freeze: s / 2, silent: 0.001,
	}, {
		name: "300k", about: "300 kbit/s", length: 20 * s, down: path(sim.Step{Rate: 300 * k}),
		phases: []stackPhase{{want: []int{q}, within: s}}, freeze: s / 2, silent: 0.001,
	}, {
		name: "step-down", about: "2.5 Mbit/s, from 15 s on 300 kbit/s", length: 30 * s,
		down:   path(wide, sim.Step{At: 15 * s, Rate: 300 * k}),
		phases: []stackPhase{best, {from: 15 * s, want: []int{q}, within: 8 * s, below: 300 * k}}, freeze: s / 2, silent: 0.01,
	}, {
		name: "step-up", about: "300 kbit/s, from 15 s on 2.5 Mbit/s; the queue holds 200 ms of the second", length: 35 * s, down: rise,
		phases: []stackPhase{{want: []int{q}, within: s}, {from: 15 * s, want: []int{f}, within: 10 * s}}, freeze: s / 2, silent: 0.001,
		open: []string{"agree"}, // here after 2.7 s, in package sim after 5.0 to 6.2
	}, {
		name: "loss-2", about: "2.5 Mbit/s, 2 % lost at random", length: 25 * s, down: lossy,
		phases: []stackPhase{best}, freeze: s / 2, silent: 0.01,
	}, {
		name: "outage", about: "2.5 Mbit/s, nothing gets through from 15 to 18 s in either direction", length: 30 * s, down: outage,
		phases: []stackPhase{best, {from: 18 * s, want: []int{f}, within: 10 * s}}, freeze: 3800 * time.Millisecond, silent: 0.13,
	}, {
		name: "roam", about: "the same, and then the viewer has another address and restarts ICE", length: 30 * s, down: outage,
		events: []stackEvent{{18 * s, (*stackRun).roam}},
		phases: []stackPhase{best, {from: 18 * s, want: []int{f}, within: 10 * s}}, freeze: 3800 * time.Millisecond, silent: 0.13,
	}, {
		name: "priority", about: "two cameras on 1 Mbit/s; the second has priority, from 15 s on the first", length: 30 * s,
		down: path(sim.Step{Rate: 1000 * k}), cameras: 2, alone: true,
		events: []stackEvent{{3 * s, prefer(1)}, {15 * s, prefer(0)}},
		phases: []stackPhase{{from: 3 * s, want: []int{q, h}, within: 5 * s}, {from: 15 * s, want: []int{h, q}, within: s}},
		freeze: s / 2, silent: 0.001, open: []string{"reached", "freeze"},
	}, {
		name: "starved", about: "300 kbit/s, from 15 to 30 s 60 kbit/s, which voice alone fits", length: 45 * s,
		down: path(sim.Step{Rate: 300 * k}, sim.Step{At: 15 * s, Rate: 60 * k}, sim.Step{At: 30 * s, Rate: 300 * k}),
		phases: []stackPhase{
			{want: []int{q}, within: s},
			{from: 15 * s, want: []int{none}, within: 2 * s, below: 60 * k},
			{from: 30 * s, want: []int{q}, within: 8 * s},
		}, freeze: s / 2, silent: 0.01, open: []string{"reached", "kept"},
	}}
}
