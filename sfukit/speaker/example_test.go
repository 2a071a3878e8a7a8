package speaker_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// Two peers send a packet every 20 ms; one talks for two seconds, then the
// other does.
func Example() {
	d, err := speaker.New(speaker.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	const alice, bob = 1, 2
	d.Add(alice)
	d.Add(bob)
	start := time.Unix(0, 0)
	for t := time.Duration(0); t < 4*time.Second; t += 20 * time.Millisecond {
		a, b := uint8(110), uint8(110) // -dBov: the background of a quiet room
		switch {
		case t < 100*time.Millisecond:
		case t < 2*time.Second:
			a = 25
		default:
			b = 25
		}
		d.Record(start.Add(t), alice, a)
		d.Record(start.Add(t), bob, b)
		if t%d.Interval() != 0 {
			continue
		}
		if c, ok := d.Tick(start.Add(t)); ok {
			fmt.Printf("%v: speaker %d, margin %.1f\n", t, c.Speaker, c.Margin)
		}
	}
	fmt.Println("top:", d.Top(2, nil))
	// Output:
	// 0s: speaker 1, margin 0.0
	// 2.6s: speaker 2, margin 25.8
	// top: [2 1]
}
