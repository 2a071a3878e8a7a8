package allocate_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Somebody speaks and two listen; a probe shows that the link carries more.
func Example() {
	a, err := allocate.New(allocate.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	camera := []allocate.Rung{
		{RID: "q", Width: 320, Rate: 150 * units.Kbps, Live: true},
		{RID: "h", Width: 640, Rate: 500 * units.Kbps, Live: true},
		{RID: "f", Width: 1280, Rate: 1_700 * units.Kbps, Live: true},
	}
	tracks := []allocate.Track{
		{ID: 1, Audio: true, Rungs: []allocate.Rung{{Rate: 32 * units.Kbps, Live: true}}},
		{ID: 2, Rungs: camera, Showing: -1},
		{ID: 3, Rungs: camera, Showing: -1, Speaker: true},
		{ID: 4, Rungs: camera, Showing: -1, MaxWidth: 320},
	}
	now := time.Unix(0, 0)
	show := func(b allocate.Budget) {
		r := a.Update(now, b, tracks)
		fmt.Printf("%v of %v, %v wanted\n", r.Allocated, b.Target, r.Wanted)
		for i, d := range r.Tracks[1:] {
			fmt.Printf("  track %d: rung %d, bound by %v, lacks %v, waits for %v\n", d.ID, d.Rung, d.Binding, d.Missing, d.Waiting)
			tracks[i+1].Showing = d.Rung
		}
		now = now.Add(100 * time.Millisecond)
	}
	show(allocate.Budget{Target: 600 * units.Kbps, Known: true})
	now = now.Add(time.Second)
	show(allocate.Budget{Target: 3 * units.Mbps, Known: true, Probed: 3 * units.Mbps, ProbedAt: now})
	show(allocate.Budget{Target: 400 * units.Kbps, Known: true})
	// Output:
	// 482 kbit/s of 600 kbit/s, 915.2 kbit/s wanted
	//   track 2: rung 0, bound by bandwidth, lacks 315.2 kbit/s, waits for keyframe
	//   track 3: rung 0, bound by bandwidth, lacks 315.2 kbit/s, waits for keyframe
	//   track 4: rung 0, bound by client, lacks 0 bit/s, waits for keyframe
	// 2.38 Mbit/s of 3 Mbit/s, 3.94 Mbit/s wanted
	//   track 2: rung 1, bound by bandwidth, lacks 940.2 kbit/s, waits for keyframe
	//   track 3: rung 2, bound by start, lacks 0 bit/s, waits for keyframe
	//   track 4: rung 0, bound by client, lacks 0 bit/s, waits for client
	// 332 kbit/s of 400 kbit/s, 750.2 kbit/s wanted
	//   track 2: rung 0, bound by bandwidth, lacks 350.2 kbit/s, waits for keyframe
	//   track 3: rung 0, bound by bandwidth, lacks 350.2 kbit/s, waits for keyframe
	//   track 4: rung -1, bound by bandwidth, lacks 130.2 kbit/s, waits for rate
}
