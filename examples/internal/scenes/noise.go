package main

import (
	"math"
	"math/rand/v2"
)

// hiss is white noise through a high pass and a low pass of first order, at
// the given corners in Hz, at level 0 dBov.
func hiss(chance *rand.Rand, n int, low, high float64) []float64 {
	a := 1 - math.Exp(-2*math.Pi*high/rate)
	b := 1 - math.Exp(-2*math.Pi*low/rate)
	x := make([]float64, n)
	var lp, hp float64
	for i := range x {
		lp += a * (chance.NormFloat64() - lp)
		hp += b * (lp - hp)
		x[i] = lp - hp
	}
	scale(x, -power(x))
	return x
}

// burst adds hiss that sets in within 5 ms and decays with the time constant
// fade in seconds, its first 20 ms at about level.
func burst(x []float64, chance *rand.Rand, at, dur, fade, low, high, level float64) {
	h := hiss(chance, int(dur*rate), low, high)
	scale(h, level)
	for i, from := 0, int(at*rate); i < len(h) && from+i < len(x); i++ {
		t := float64(i) / rate
		x[from+i] += h[i] * min(1, t/0.005) * math.Exp(-t/fade)
	}
}

// cough is one explosion every 0.35 s or so, each with a breath after it.
func cough(chance *rand.Rand, dur, level float64) []float64 {
	x := make([]float64, int(dur*rate))
	for at := 0.0; at < dur; at += 0.3 + 0.15*chance.Float64() {
		fit := min(0.3, dur-at)
		burst(x, chance, at, fit, 0.05+0.04*chance.Float64(), 300, 4000, level-3*chance.Float64())
		burst(x, chance, at, fit, 0.25, 200, 2500, level-14)
	}
	return x
}

// keys is somebody typing: six strokes a second in runs, each a click down and
// a softer one up.
func keys(chance *rand.Rand, dur, level float64) []float64 {
	x := make([]float64, int(dur*rate))
	for at := 0.0; at < dur; {
		hit := level + 4*chance.NormFloat64()
		burst(x, chance, at, 0.08, 0.012, 500, 6000, hit)
		burst(x, chance, at+0.06+0.05*chance.Float64(), 0.04, 0.006, 1000, 7000, hit-10)
		if at += 0.08 + 0.09*chance.ExpFloat64(); chance.IntN(9) == 0 {
			at += 0.3 + 0.7*chance.Float64()
		}
	}
	return x
}

// music is chords on the beat over a bass, with a hi-hat.
func music(chance *rand.Rand, dur, level float64) []float64 {
	x := make([]float64, int(dur*rate))
	beat := 60 / (90 + 50*chance.Float64())
	roots := []float64{110, 87.31, 130.81, 98}
	for n, at := 0, 0.0; at < dur; n, at = n+1, at+beat {
		root := roots[n/4%len(roots)]
		for _, note := range []float64{root, 2 * root, 2.5198 * root, 2.9966 * root} {
			hold, from := beat*(0.5+chance.Float64()), int(at*rate)
			for i := 0; i < int(2*beat*rate) && from+i < len(x); i++ {
				t := float64(i) / rate
				v := 0.0
				for h := 1.0; h <= 4; h++ {
					v += math.Sin(2*math.Pi*note*h*t) / (h * h)
				}
				x[from+i] += 0.1 * v * min(1, t/0.01) * math.Exp(-t/hold)
			}
		}
		burst(x, chance, at+beat/2, 0.1, 0.03, 3000, 9000, -22)
	}
	scale(x, level-power(x))
	return x
}

// fan is steady noise that comes and goes a little.
func fan(chance *rand.Rand, dur, level float64) []float64 {
	x := hiss(chance, int(dur*rate), 80, 600)
	scale(x, level)
	for i := range x {
		x[i] *= 1 + 0.2*math.Sin(2*math.Pi*0.3*float64(i)/rate)
	}
	return x
}

// babble is a café: four strangers at once.
func babble(chance *rand.Rand, dur, level float64) ([]float64, error) {
	x := make([]float64, int(dur*rate))
	for _, voice := range []string{"en-us+m2", "en-gb+f4", "en-us+f5", "en-gb+m6"} {
		y, err := speak(peer{voice: voice, pace: 150 + chance.IntN(40)}, chance, dur, level-6)
		if err != nil {
			return nil, err
		}
		for i := range y {
			x[i] += y[i]
		}
	}
	return x, nil
}
