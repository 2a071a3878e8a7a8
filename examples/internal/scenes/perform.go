package main

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// span is what one peer does during some packets of 20 ms.
type span struct {
	peer, from, to int
	what           string
}

// none stands for a packet that is not sent.
const none = 0xff

// trace is a scene as the server sees it, with the truth beside it.
type trace struct {
	scene  *scene
	turns  []span   // of those who have the floor, what is "says"
	others []span   // everything else that happens
	levels [][]byte // by peer, one per 20 ms: -dBov, or none
}

// perform renders the sound of every microphone and measures it.
func perform(s *scene) (*trace, error) {
	t := &trace{scene: s}
	n := int(s.length * rate)
	mouths, mics := make([][]float64, len(s.peers)), make([][]float64, len(s.peers))
	silent := make([][]byte, len(s.peers)) // by packet: 0, or the first letter of mutes or drops
	for i := range s.peers {
		mics[i] = make([]float64, n)
		mouths[i] = mics[i]
		if s.echo() {
			mouths[i] = make([]float64, n)
		}
		silent[i] = make([]byte, n/packet)
	}
	for i, e := range s.events {
		chance := rand.New(rand.NewPCG(binary.BigEndian.Uint64(s.sum[:]), uint64(i)))
		x, err := sound(s.peers[e.peer], e, chance)
		if err != nil {
			return nil, err
		}
		from := int(e.at * rate)
		to := from + int(e.dur*rate)
		out := mics[e.peer]
		switch e.verb {
		case "says", "hums":
			out, to = mouths[e.peer], from+len(x)
		case "mutes", "drops":
			for at := from / packet; at < to/packet; at++ {
				silent[e.peer][at] = e.verb[0]
			}
		}
		for i := range x {
			if from+i < n {
				out[from+i] += x[i]
			}
		}
		sp := span{e.peer, from / packet, to / packet, e.verb}
		if e.verb == "says" {
			t.turns = append(t.turns, sp)
		} else {
			t.others = append(t.others, sp)
		}
	}
	for i, p := range s.peers {
		if s.echo() {
			listen(mics[i], mouths, i, p.echo)
		}
		chance := rand.New(rand.NewPCG(binary.BigEndian.Uint64(s.sum[8:]), uint64(i)))
		room := hiss(chance, n, 80, 2000)
		scale(room, p.room)
		for at := range room {
			mics[i][at] += room[at]
		}
		t.levels = append(t.levels, measure(mics[i], silent[i], p.dtx))
	}
	return t, nil
}

// sound is what e adds to the microphone.
func sound(p peer, e event, chance *rand.Rand) ([]float64, error) {
	level := e.level
	if level == 0 {
		level = p.level
	}
	switch e.verb {
	case "says":
		return speak(p, chance, e.dur, level)
	case "hums":
		return hum(p, chance, e.dur, level)
	case "coughs":
		return cough(chance, e.dur, level), nil
	case "types":
		return keys(chance, e.dur, level), nil
	case "slams":
		x := make([]float64, int(e.dur*rate))
		burst(x, chance, 0, e.dur, 0.06, 40, 800, level)
		return x, nil
	case "music":
		return music(chance, e.dur, level), nil
	case "fan":
		return fan(chance, e.dur, level), nil
	case "babble":
		return babble(chance, e.dur, level)
	}
	return nil, nil // mutes, drops
}

// listen adds what microphone me hears: its own mouth and, with a loudspeaker
// nearby, the others, later and fainter.
func listen(mic []float64, mouths [][]float64, me int, echo float64) {
	const delay = rate * 15 / 100
	g := math.Pow(10, echo/20)
	for i, mouth := range mouths {
		for at, v := range mouth {
			switch {
			case i == me:
				mic[at] += v
			case echo < 0 && at+delay < len(mic):
				mic[at+delay] += g * v
			}
		}
	}
}

// measure gives the level of every packet as libwebrtc does: the root mean
// square of its samples in whole dB below full scale, 127 for digital silence
// alone, and 126 for the faintest of sounds. A quiet sender with DTX sends, after
// 200 ms, one packet in 400 ms (Opus).
func measure(x []float64, silent []byte, dtx bool) []byte {
	const speech = -55 // dBov: what Opus takes for activity, here
	levels := make([]byte, 0, len(silent))
	quiet := 0
	for at, how := range silent {
		sum := 0.0
		for _, v := range x[at*packet : (at+1)*packet] {
			q := min(max(math.Round(v*32768), -32768), 32767)
			sum += q * q
		}
		level := 127
		if how == 0 && sum > 0 {
			level = min(max(int(-10*math.Log10(sum/packet/(32768*32768))+0.5), 0), 126)
		}
		if quiet++; level < -speech {
			quiet = 0
		}
		if how == 'd' || dtx && quiet > 10 && quiet%20 != 0 {
			level = none
		}
		levels = append(levels, byte(level))
	}
	return levels
}
