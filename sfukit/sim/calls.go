package sim

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// calls are the scenarios with a room: one subscriber, unless it says otherwise,
// behind the bottleneck, who watches one 720p simulcast and hears one voice.
func calls() []Scenario {
	const m = units.Mbps
	var all []Scenario
	for _, c := range []units.Bitrate{300 * units.Kbps, m, 2500 * units.Kbps, 8 * m} {
		all = append(all, call("call-"+short(c), "one subscriber, "+c.String(), Constant(c)))
	}
	rise := call("call-step-up", "300 kbit/s, then 2.5 Mbit/s; the queue holds 200 ms of the second",
		Trace{{Rate: 300 * units.Kbps}, {At: 30 * time.Second, Rate: 2500 * units.Kbps}})
	rise.Down.Queue = deep
	all = append(all,
		call("call-step-down", "2.5 Mbit/s, then 300 kbit/s; the queue holds 200 ms of the first",
			Trace{{Rate: 2500 * units.Kbps}, {At: 30 * time.Second, Rate: 300 * units.Kbps}}),
		rise)
	bloat := call("call-bufferbloat", "1.5 Mbit/s with a queue of 1 s", Constant(1500*units.Kbps))
	bloat.Down.Queue = time.Second
	all = append(all, bloat)
	for _, share := range []float64{0.02, 0.1} {
		s := call(fmt.Sprintf("call-loss-%.0f", 100*share), fmt.Sprintf("2.5 Mbit/s, %.0f %% lost at random", 100*share), Constant(2500*units.Kbps))
		s.Down.Loss = RandomLoss(share)
		all = append(all, s)
	}
	burst := call("call-loss-burst", "2.5 Mbit/s, 10 % lost in bursts of 5 packets on average", Constant(2500*units.Kbps))
	burst.Down.Loss = BurstLoss(0.1, 5)
	long := call("call-rtt-300", "2.5 Mbit/s, round trip 300 ms", Constant(2500*units.Kbps))
	long.Down.Delay, long.Up.Delay = 150*ms, 150*ms
	lte := call("call-lte", "a phone in motion, about 3 Mbit/s, see LTE", LTE(4, 60*time.Second, 3*m))
	lte.Down.Queue = 500 * ms
	wifi := call("call-wifi", "a busy Wi-Fi, at best 6 Mbit/s, see WiFi", WiFi(5, 60*time.Second, 6*m))
	wifi.Down.Jitter = 3 * ms
	outage := call("call-outage", "2.5 Mbit/s, nothing gets through for 3 s in either direction", Constant(2500*units.Kbps))
	outage.Down.Outages = []Span{{30 * time.Second, 33 * time.Second}}
	outage.Up.Outages = outage.Down.Outages
	all = append(all, burst, long, lte, wifi, outage)

	screen := call("call-screen", "a camera and a screen that moves for 5 s at a time, 3 Mbit/s", Constant(3*m))
	screen.Call.Publishers[0].Cameras = append(screen.Call.Publishers[0].Cameras, Camera{
		Encodings: []Encoding{{RID: "", Width: 1920, Height: 1080, Rate: 1500 * units.Kbps}}, Screen: true,
		Activity: []Activity{{0, 0.05}, {20 * time.Second, 1}, {25 * time.Second, 0.05}, {40 * time.Second, 1}, {45 * time.Second, 0.05}},
	})
	nine := call("call-nine", "nine simulcasts and the three loudest of nine voices on 1.5 Mbit/s", Constant(1500*units.Kbps))
	nine.Call.Config.AudioTopN = 3
	for len(nine.Call.Publishers) < 9 {
		nine.Call.Publishers = append(nine.Call.Publishers, publisher())
	}
	stops := call("call-top-stops", "the publisher's top encoding stops from 25 to 45 s, 4 Mbit/s", Constant(4*m))
	ladder := Simulcast()
	ladder[2].Off = []Span{{25 * time.Second, 45 * time.Second}}
	stops.Call.Publishers[0].Cameras[0].Encodings = ladder
	pause := call("call-pause", "the publisher's camera is off from 25 to 40 s, 2.5 Mbit/s", Constant(2500*units.Kbps))
	ladder = Simulcast()
	for i := range ladder {
		ladder[i].Off = []Span{{25 * time.Second, 40 * time.Second}}
	}
	pause.Call.Publishers[0].Cameras[0].Encodings = ladder
	layers := call("call-temporal", "three temporal layers in each encoding, 1.2 Mbit/s", Constant(1200*units.Kbps))
	layers.Call.Publishers[0].Cameras[0].Temporal = 3
	tcp := call("call-tcp", "beside a long TCP transfer (Cubic) from 20 s on, 4 Mbit/s", Constant(4*m))
	tcp.Cross = []CrossConfig{{Start: 20 * time.Second, Cubic: true}}
	pair := call("call-two", "two subscribers share 2 Mbit/s", Constant(2*m))
	pair.Call.Viewers = 2
	return append(all, screen, nine, stops, pause, layers, tcp, pair)
}

// call is one publisher and one subscriber. What the bottleneck carries includes
// IP, UDP and SRTP.
func call(name, about string, rate Trace) Scenario {
	return Scenario{
		Name: name, About: about, Duration: 60 * time.Second, Settle: 10 * time.Second, Seed: 1,
		Down: LinkConfig{Rate: rate, Delay: 20 * ms, Queue: 200 * ms, Overhead: 38},
		Up:   LinkConfig{Delay: 20 * ms, Overhead: 38},
		Call: &Call{Publishers: []Publisher{publisher()}},
	}
}

// publisher is a browser with a camera, 20 ms from the room.
func publisher() Publisher {
	return Publisher{Cameras: make([]Camera, 1), Up: LinkConfig{Delay: 20 * ms}}
}
