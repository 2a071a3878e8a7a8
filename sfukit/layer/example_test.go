package layer_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
)

// A publisher declares its largest encoding first and calls it "0"; the
// smallest stops.
func ExampleLadder() {
	l := layer.NewLadder([]layer.Rung{
		{RID: "0", Width: 1280, Height: 720, Live: true},
		{RID: "1", Width: 640, Height: 360, Live: true},
		{RID: "2", Width: 320, Height: 180, Live: false},
	})
	top, _ := l.BestFit("")         // no limit
	tier, _ := l.BestFit(layer.Low) // the pacer's lowest tier
	tile, _ := l.FitWidth(960)      // a viewer's tile
	thumbnail, _ := l.FitWidth(200) // nothing so small is alive
	fmt.Println(top, tier, tile, thumbnail)
	// Output: 0 1 1 1
}

// Half a second of silence is nothing at 4 frames/s.
func ExampleLiveness() {
	var l layer.Liveness
	now := time.Unix(0, 0)
	for range 8 {
		now = now.Add(250 * time.Millisecond)
		l.Frame(now)
	}
	fmt.Println(l.Interval())
	fmt.Println(l.Live(now.Add(500 * time.Millisecond)))
	fmt.Println(l.Live(now.Add(2 * time.Second)))
	// Output:
	// 250ms
	// true
	// false
}
