package main

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
)

// rate is espeak-ng's, in Hz; packet is the samples in 20 ms.
const (
	rate   = 22050
	packet = rate / 50
)

//go:embed lines.txt
var linesFile string

var lines = strings.Split(strings.TrimSpace(linesFile), "\n")

// short are what listeners say without wanting the floor.
var short = []string{"Yeah.", "Mm-hm.", "Right.", "Okay.", "I see.", "Sure.", "Exactly."}

// speak returns dur seconds of p talking at level, cut short at the end and
// beginning with sound.
func speak(p peer, chance *rand.Rand, dur, level float64) ([]float64, error) {
	want := int(dur * rate)
	for sentences := 1 + int(dur/2); ; sentences *= 2 {
		var text []string
		for range sentences {
			text = append(text, lines[chance.IntN(len(lines))])
		}
		x, err := synthesise(p, strings.Join(text, " "))
		if err != nil {
			return nil, err
		}
		if len(x) >= want {
			x = trim(x[:want])
			setLevel(x, level)
			sway(x, chance)
			return x, nil
		}
		if sentences > 1000 {
			return nil, fmt.Errorf("voice %s has %d samples to say after %d sentences", p.voice, len(x), sentences)
		}
	}
}

// hum returns p agreeing, for at most dur seconds.
func hum(p peer, chance *rand.Rand, dur, level float64) ([]float64, error) {
	x, err := synthesise(p, short[chance.IntN(len(short))])
	if err != nil {
		return nil, err
	}
	x = trim(x[:min(len(x), int(dur*rate))])
	setLevel(x, level)
	return x, nil
}

// synthesise returns text as samples of full scale 1, with the silence around it cut.
func synthesise(p peer, text string) ([]float64, error) {
	wav, err := exec.Command("espeak-ng", "--stdout", "-v", p.voice, "-s", strconv.Itoa(p.pace), "--", text).Output()
	if err != nil {
		return nil, fmt.Errorf("espeak-ng -v %s: %w", p.voice, err)
	}
	const header = 44
	if len(wav) < header || binary.LittleEndian.Uint32(wav[24:]) != rate {
		return nil, fmt.Errorf("espeak-ng -v %s: no sound of %d Hz", p.voice, rate)
	}
	x := make([]float64, (len(wav)-header)/2)
	for i := range x {
		x[i] = float64(int16(binary.LittleEndian.Uint16(wav[header+2*i:]))) / 32768
	}
	return trim(x), nil
}

// trim cuts packets of near silence off both ends, and fades in and out.
func trim(x []float64) []float64 {
	const quiet = -45 // dBov
	for len(x) >= packet && power(x[:packet]) < quiet {
		x = x[packet:]
	}
	for len(x) >= packet && power(x[len(x)-packet:]) < quiet {
		x = x[:len(x)-packet]
	}
	const ramp = rate / 200
	for i := range min(ramp, len(x)/2) {
		x[i] *= float64(i) / ramp
		x[len(x)-1-i] *= float64(i) / ramp
	}
	return x
}

// power is the level of x in dBov, -200 for nothing.
func power(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return 10 * math.Log10(max(sum/float64(max(len(x), 1)), 1e-20))
}

// setLevel scales x so that the packets within 20 dB of the loudest have the
// level on average: pauses do not count.
func setLevel(x []float64, level float64) {
	var sum, loudest float64
	n := 0
	for pass := range 2 {
		for at := 0; at+packet <= len(x); at += packet {
			p := math.Pow(10, power(x[at:at+packet])/10)
			if loudest = max(loudest, p); pass == 1 && p > loudest/100 {
				sum += p
				n++
			}
		}
	}
	if n == 0 {
		return
	}
	scale(x, level-10*math.Log10(sum/float64(n)))
}

func scale(x []float64, dB float64) {
	g := math.Pow(10, dB/20)
	for i := range x {
		x[i] *= g
	}
}

// sway is a head that moves before the microphone: 3 dB to and fro.
func sway(x []float64, chance *rand.Rand) {
	phase, period := chance.Float64()*2*math.Pi, 2+4*chance.Float64()
	for i := range x {
		x[i] *= math.Pow(10, 3*math.Sin(phase+2*math.Pi*float64(i)/rate/period)/20)
	}
}
