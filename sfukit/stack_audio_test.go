package sfukit_test

import "time"

// playedAudio plays what a viewer heard as package sim's jitter buffer does, after
// libwebrtc's NetEq in outline: 40 ms to begin with; what is late puts off all that
// follows; repairs that come too late are lost; and it catches up by 1 % while it has
// 20 ms to spare. It returns the share that had to be made up, in time, and the share
// of packets that never came.
func playedAudio(heard []heardFrame) (concealed, lost float64) {
	const (
		frame  = 20 * time.Millisecond
		delay  = 40 * time.Millisecond
		margin = 20 * time.Millisecond
		window = 100 // frames
	)
	if len(heard) == 0 {
		return 0, 0
	}
	first, last := heard[0].frame, heard[0].frame
	start := heard[0].at + delay - time.Duration(first)*frame
	spare, counted := time.Hour, 0
	var late time.Duration
	played := 0
	for _, h := range heard {
		early := start + time.Duration(h.frame)*frame - h.at
		if h.frame < last && early < 0 {
			continue // a repair, too late
		}
		last = max(last, h.frame)
		if early < 0 {
			late -= early
			start -= early
			early = 0
		}
		played++
		spare = min(spare, early)
		if counted++; counted == window {
			if spare > margin {
				start -= min(spare-margin, window*frame/100)
			}
			counted, spare = 0, time.Hour
		}
	}
	all := int(last-first) + 1
	made := late + time.Duration(all-played)*frame
	return float64(made) / float64(late+time.Duration(all)*frame), 1 - float64(len(heard))/float64(all)
}

// heardFrame is when a frame of audio came first.
type heardFrame struct {
	frame uint32
	at    time.Duration
}
