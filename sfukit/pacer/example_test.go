package pacer_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A link recovers, collapses and comes back, with an estimate every 100 ms.
func Example() {
	p, err := pacer.New(pacer.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	for _, estimate := range []units.Bitrate{
		900 * units.Kbps, 900 * units.Kbps, 900 * units.Kbps, // a streak of three
		400 * units.Kbps, // down at once
		60 * units.Kbps,
		120 * units.Kbps, // not yet enough for video
		160 * units.Kbps,
	} {
		action, rid := p.Drive(now, estimate)
		fmt.Printf("%v: %v %q\n", estimate, action, rid)
		now = now.Add(pacer.MinInterval)
	}
	// Output:
	// 900 kbit/s: no-change ""
	// 900 kbit/s: no-change ""
	// 900 kbit/s: change-layer "f"
	// 400 kbit/s: change-layer "h"
	// 60 kbit/s: go-audio-only ""
	// 120 kbit/s: no-change ""
	// 160 kbit/s: restore-video "q"
}
