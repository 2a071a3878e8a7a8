package shaper_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// A keyframe of twelve packets meets a subscriber of 1 Mbit/s: two packets leave at
// once, the others over the next hundred milliseconds. A packet of audio in between
// does not wait for them.
func ExampleShaper() {
	s, err := shaper.New[string](shaper.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Unix(0, 0)
	send := func(now time.Time, name string) { fmt.Println(now.Sub(start), name) }

	s.SetTarget(start, units.Mbps)
	for i := range 12 {
		name, size := fmt.Sprintf("video %d", i), 1200
		if _, ok := s.Admit(start, shaper.Video, size); ok {
			send(start, name)
		} else {
			s.Push(start, shaper.Video, size, name)
		}
	}
	for now := start; now.Before(start.Add(30 * time.Millisecond)); now = now.Add(5 * time.Millisecond) {
		for name, _, ok := s.Pop(now); ok; name, _, ok = s.Pop(now) {
			send(now, name)
		}
		if now.Sub(start) == 10*time.Millisecond {
			if _, ok := s.Admit(now, shaper.Audio, 80); ok {
				send(now, "audio")
			}
		}
	}
	packets, bytes := s.Queued()
	fmt.Println(packets, "packets or", bytes, "bytes wait")
	// Output:
	// 0s video 0
	// 0s video 1
	// 10ms video 2
	// 10ms audio
	// 15ms video 3
	// 25ms video 4
	// 7 packets or 8400 bytes wait
}
