package sim_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A policy of one's own is a way to make an estimator. Here one that never asks
// for more than 500 kbit/s watches a call over 1 Mbit/s: there is room for the
// middle one of three encodings.
func Example() {
	call := sim.Scenario{
		Name: "mine", Duration: 20 * time.Second, Settle: 10 * time.Second, Seed: 1,
		Down: sim.LinkConfig{Rate: sim.Constant(units.Mbps), Delay: 20 * time.Millisecond},
		Up:   sim.LinkConfig{Delay: 20 * time.Millisecond},
		Call: &sim.Call{Publishers: []sim.Publisher{{Cameras: []sim.Camera{{
			Encodings: []sim.Encoding{
				{RID: "q", Width: 320, Height: 180, Rate: 150 * units.Kbps},
				{RID: "h", Width: 640, Height: 360, Rate: 350 * units.Kbps},
				{RID: "f", Width: 1280, Height: 720, Rate: 1700 * units.Kbps},
			},
		}}}}},
	}
	modest := sim.Policy{Name: "modest", New: func() bwe.Estimator { return sim.Fixed(500 * units.Kbps) }}
	result, err := call.Run(modest)
	if err != nil {
		fmt.Println(err)
		return
	}
	view := result.Flows[0].View
	frozen, _, _ := view.Frozen()
	fmt.Printf("%.0f %% of the best that was feasible, frozen %v, lost %.0f %%\n",
		100*view.Share(), frozen, 100*result.Flows[0].Loss)
	// Output: 100 % of the best that was feasible, frozen 0s, lost 0 %
}
