package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const ms = time.Millisecond

// Scenarios returns the catalogue, a new copy with each call: first the single
// flow on a constant link, then changes, loss, wireless links, the test cases of
// RFC 8867 that concern one bottleneck, competition, and calls with a room. Unless
// a scenario says otherwise the round trip is 40 ms and the queue holds 200 ms.
func Scenarios() []Scenario {
	var all []Scenario
	for _, c := range []units.Bitrate{300 * units.Kbps, units.Mbps, 2500 * units.Kbps, 8 * units.Mbps} {
		all = append(all, greedy("constant-"+short(c), "one greedy flow, "+c.String(), Constant(c)))
	}
	step := Trace{{Rate: 2500 * units.Kbps}, {At: 30 * time.Second, Rate: 300 * units.Kbps}}
	up := Trace{{Rate: 300 * units.Kbps}, {At: 30 * time.Second, Rate: 2500 * units.Kbps}}
	rise := greedy("step-up", "300 kbit/s, then 2.5 Mbit/s; the queue holds 200 ms of the second", up)
	rise.Down.Queue = deep
	all = append(all, greedy("step-down", "2.5 Mbit/s, then 300 kbit/s; the queue holds 200 ms of the first", step), rise)

	bloat := greedy("bufferbloat", "1.5 Mbit/s with a queue of 1 s", Constant(1500*units.Kbps))
	bloat.Down.Queue = time.Second
	all = append(all, bloat)
	for _, share := range []float64{0.02, 0.1} {
		s := greedy(fmt.Sprintf("loss-%.0f", 100*share), fmt.Sprintf("2.5 Mbit/s, %.0f %% lost at random", 100*share), Constant(2500*units.Kbps))
		s.Down.Loss = RandomLoss(share)
		all = append(all, s)
	}
	burst := greedy("loss-burst", "2.5 Mbit/s, 10 % lost in bursts of 5 packets on average", Constant(2500*units.Kbps))
	burst.Down.Loss = BurstLoss(0.1, 5)
	long := greedy("rtt-300", "2.5 Mbit/s, round trip 300 ms", Constant(2500*units.Kbps))
	long.Down.Delay, long.Up.Delay = 150*ms, 150*ms
	lte := greedy("lte", "a phone in motion, about 3 Mbit/s, see LTE", LTE(4, 60*time.Second, 3*units.Mbps))
	lte.Down.Queue = 500 * ms
	wifi := greedy("wifi", "a busy Wi-Fi, at best 6 Mbit/s, see WiFi", WiFi(5, 60*time.Second, 6*units.Mbps))
	wifi.Down.Jitter = 3 * ms
	outage := greedy("outage", "2.5 Mbit/s, nothing gets through for 3 s in either direction", Constant(2500*units.Kbps))
	outage.Down.Outages = []Span{{30 * time.Second, 33 * time.Second}}
	outage.Up.Outages = outage.Down.Outages
	screen := greedy("screen", "a shared screen, 50 kbit/s while nothing moves, bursts of 2 Mbit/s; 2.5 Mbit/s", Constant(2500*units.Kbps))
	screen.Flows[0].Media = Trace{
		{Rate: 50 * units.Kbps},
		{At: 20 * time.Second, Rate: 2 * units.Mbps},
		{At: 25 * time.Second, Rate: 50 * units.Kbps},
		{At: 40 * time.Second, Rate: 2 * units.Mbps},
		{At: 45 * time.Second, Rate: 50 * units.Kbps},
	}
	all = append(all, burst, long, lte, wifi, outage, screen)
	return slices.Concat(all, rfc8867(), competition(), calls())
}

// deep is a queue that holds 200 ms of 2.5 Mbit/s, for a link that begins with 300
// kbit/s.
const deep = 200 * ms * 2500 / 300

// greedy is one flow that sends what it may.
func greedy(name, about string, rate Trace) Scenario {
	return Scenario{
		Name: name, About: about, Duration: 60 * time.Second, Settle: 10 * time.Second, Seed: 1,
		Down:  LinkConfig{Rate: rate, Delay: 20 * ms, Queue: 200 * ms},
		Up:    LinkConfig{Delay: 20 * ms},
		Flows: make([]FlowConfig, 1),
	}
}

// rfc8867 are the test cases of RFC 8867 section 5, with its path: 50 ms each way,
// packets that vary by up to 30 ms, a queue of 300 ms.
func rfc8867() []Scenario {
	path := func(section, about string, seconds int, flows int, rate Trace) Scenario {
		return Scenario{
			Name: "rfc8867-" + section, About: "RFC 8867 section " + section + ": " + about,
			Duration: time.Duration(seconds) * time.Second, Settle: 10 * time.Second, Seed: 8867,
			Down:  LinkConfig{Rate: rate, Delay: 50 * ms, Jitter: 10 * ms, Queue: 300 * ms},
			Up:    LinkConfig{Delay: 50 * ms, Jitter: 10 * ms},
			Flows: make([]FlowConfig, flows),
		}
	}
	const s, k = time.Second, units.Kbps
	variable := path("5.1", "variable capacity, one flow", 100, 1,
		Trace{{Rate: 1000 * k}, {40 * s, 2500 * k}, {60 * s, 600 * k}, {80 * s, 1000 * k}})
	shared := path("5.2", "variable capacity, two flows", 125, 2,
		Trace{{Rate: 4000 * k}, {25 * s, 2000 * k}, {50 * s, 3500 * k}, {75 * s, 1000 * k}, {100 * s, 2000 * k}})
	both := path("5.3", "congested feedback, a flow each way", 100, 1,
		Trace{{Rate: 2000 * k}, {20 * s, 1000 * k}, {40 * s, 500 * k}, {60 * s, 2000 * k}})
	both.Up.Rate, both.Up.Queue = Trace{{Rate: 2000 * k}, {35 * s, 800 * k}, {70 * s, 2000 * k}}, 300*ms
	both.Back = make([]FlowConfig, 1)
	same := path("5.4", "three of our flows, 20 s apart", 120, 3, Constant(3500*k))
	for i := range same.Flows {
		same.Flows[i].Start = time.Duration(i) * 20 * s
	}
	rtt := path("5.5", "five flows, 10 to 150 ms each way, 10 s apart", 300, 5, Constant(4000*k))
	rtt.Down.Delay, rtt.Up.Delay = 0, 0
	for i, d := range []time.Duration{10 * ms, 25 * ms, 50 * ms, 100 * ms, 150 * ms} {
		rtt.Flows[i] = FlowConfig{Name: d.String(), Start: time.Duration(i) * 10 * s, Delay: d}
	}
	tcp := path("5.6", "beside a long TCP transfer (Reno) from 20 s on", 120, 1, Constant(2000*k))
	tcp.Cross = []CrossConfig{{Start: 20 * s}}
	short := path("5.7", "two flows beside ten short TCP transfers", 120, 2, Constant(2000*k))
	for i := range 10 {
		short.Cross = append(short.Cross, CrossConfig{Start: time.Duration(i) * s, On: s, Off: 10 * s})
	}
	pause := path("5.8", "three flows, the first pauses from 40 to 60 s", 120, 3, Constant(3500*k))
	pause.Flows[0].Media = Trace{{Rate: maxMedia}, {40 * s, 0}, {60 * s, maxMedia}}
	return []Scenario{variable, shared, both, same, rtt, tcp, short, pause}
}

// competition is what RFC 8867 leaves out and the bars ask for.
func competition() []Scenario {
	pair := greedy("fair-2", "two of our flows on 2 Mbit/s, the second 10 s later", Constant(2*units.Mbps))
	pair.Flows = []FlowConfig{{}, {Start: 10 * time.Second}}
	pair.Settle = 20 * time.Second
	cubic := greedy("tcp-cubic", "beside a long TCP transfer (Cubic) from 20 s on, 4 Mbit/s", Constant(4*units.Mbps))
	cubic.Cross = []CrossConfig{{Start: 20 * time.Second, Cubic: true}}
	burst := greedy("udp-bursts", "beside 1 Mbit/s of datagrams that come and go, 3 Mbit/s", Constant(3*units.Mbps))
	burst.Cross = []CrossConfig{{Rate: units.Mbps, On: 3 * time.Second, Off: 3 * time.Second}}
	return []Scenario{pair, cubic, burst}
}

// short writes a rate for a name: 300k, 2.5M.
func short(r units.Bitrate) string {
	if r < units.Mbps {
		return fmt.Sprintf("%dk", r/units.Kbps)
	}
	return fmt.Sprintf("%gM", float64(r)/float64(units.Mbps))
}
