package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// The drawing, in pixels.
const (
	plotWidth, plotHeight = 860, 250
	queueHeight           = 70
	left, right           = 56, 150
	top, gap, bottom      = 34, 18, 26
)

var colours = []string{"#1665c0", "#b0752b", "#8a8a8a", "#7a4fa3", "#2e8540"}

// plot draws the estimates of all policies against the capacity, what ours
// received, and how long packets waited under it, as SVG.
func plot(s sim.Scenario, results []sim.Result) []byte {
	var b bytes.Buffer
	ours := results[0].Flows
	high := units.Bitrate(1)
	longest := 50 * time.Millisecond
	for _, f := range ours {
		for _, p := range f.Samples {
			high = max(high, p.Capacity, min(p.Estimate, 2*max(p.Capacity, units.Mbps)))
			longest = max(longest, p.Wait)
		}
	}
	high = high * 110 / 100
	inner := plotWidth - left - right
	x := func(at time.Duration) float64 { return left + float64(inner)*at.Seconds()/s.Duration.Seconds() }
	y := func(r units.Bitrate) float64 {
		return top + plotHeight - plotHeight*math.Min(1, float64(r)/float64(high))
	}
	total := top + plotHeight + gap + queueHeight + bottom
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`+"\n", plotWidth, total)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, total)
	fmt.Fprintf(&b, `<text x="%d" y="18" font-size="14" font-weight="bold">%s</text>`+"\n", left, html.EscapeString(s.Name+": "+s.About))

	for _, at := range ticks(s.Duration.Seconds()) {
		px := x(time.Duration(at * float64(time.Second)))
		fmt.Fprintf(&b, `<path d="M%.1f %dV%d" stroke="#eee"/><text x="%.1f" y="%d" text-anchor="middle" fill="#555">%gs</text>`+"\n",
			px, top, total-bottom, px, total-8, at)
	}
	for _, v := range ticks(float64(high) / 1e6) {
		py := y(units.Bitrate(v * 1e6))
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#eee"/><text x="%d" y="%.1f" text-anchor="end" fill="#555">%g</text>`+"\n",
			left, py, plotWidth-right, left-6, py+4, v)
	}
	fmt.Fprintf(&b, `<text x="12" y="%d" fill="#555" transform="rotate(-90 12 %d)" text-anchor="middle">Mbit/s</text>`+"\n", top+plotHeight/2, top+plotHeight/2)

	capacity := path(ours[0].Samples, x, func(p sim.Sample) float64 { return y(p.Capacity) })
	fmt.Fprintf(&b, `<path d="%sV%dH%dZ" fill="#f1f4f8"/><path d="%s" fill="none" stroke="#222" stroke-width="1.2"/>`+"\n", capacity, top+plotHeight, left, capacity)
	for i := len(results) - 1; i >= 0; i-- {
		for k, f := range results[i].Flows {
			if i > 0 && k > 0 {
				break // one line for each baseline is enough to compare
			}
			dash := []string{"", ` stroke-dasharray="5 3"`, ` stroke-dasharray="2 2"`}[k%3]
			fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="%.1f" stroke-opacity="%.1f"%s/>`+"\n",
				path(f.Samples, x, func(p sim.Sample) float64 { return y(p.Estimate) }), colours[i%len(colours)],
				map[bool]float64{true: 1.8, false: 1}[i == 0], map[bool]float64{true: 1, false: 0.8}[i == 0], dash)
		}
	}
	received := smooth(ours[0].Samples)
	fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="#d0342c" stroke-width="1" stroke-opacity="0.7"/>`+"\n",
		path(received, x, func(p sim.Sample) float64 { return y(p.Received) }))

	base := float64(top + plotHeight + gap + queueHeight)
	waits := path(ours[0].Samples, x, func(p sim.Sample) float64 {
		return base - queueHeight*float64(p.Wait)/float64(longest)
	})
	fmt.Fprintf(&b, `<path d="%sV%.1fH%dZ" fill="#e7b9b6" stroke="none"/>`+"\n", waits, base, left)
	fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end" fill="#555">%d ms</text><text x="%d" y="%.1f" text-anchor="end" fill="#555">queue</text>`+"\n",
		left-6, base-queueHeight+9, longest.Milliseconds(), left-6, base)

	legend := func(n int, colour, text string) {
		fmt.Fprintf(&b, `<path d="M%d %dh18" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n",
			plotWidth-right+12, top+10+16*n, colour, plotWidth-right+36, top+14+16*n, html.EscapeString(text))
	}
	legend(0, "#222", "capacity")
	legend(1, "#d0342c", "received, ours")
	for i, r := range results {
		legend(2+i, colours[i%len(colours)], r.Policy)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// path draws samples as steps of at most one point per pixel.
func path(samples []sim.Sample, x func(time.Duration) float64, y func(sim.Sample) float64) string {
	var b bytes.Buffer
	last := -1.0
	for _, p := range samples {
		if px := x(p.At); px-last >= 1 {
			op := "L"
			if last < 0 {
				op = "M"
			}
			fmt.Fprintf(&b, "%s%.0f %.1f", op, px, y(p))
			last = px
		}
	}
	return b.String()
}

// smooth averages what was received over half a second.
func smooth(samples []sim.Sample) []sim.Sample {
	const window = 10
	out := make([]sim.Sample, len(samples))
	var sum units.Bitrate
	for i, p := range samples {
		sum += p.Received
		if i >= window {
			sum -= samples[i-window].Received
		}
		out[i] = p
		out[i].Received = sum / units.Bitrate(min(i+1, window))
	}
	return out
}

// ticks returns about six round numbers from 0 to a maximum.
func ticks(most float64) (out []float64) {
	step := math.Pow(10, math.Floor(math.Log10(most/2)))
	for _, m := range []float64{1, 2, 5, 10} {
		if most/(step*m) <= 6.5 {
			step *= m
			break
		}
	}
	for v := 0.0; v <= most*1.0001; v += step {
		out = append(out, math.Round(v*1000)/1000)
	}
	return out
}
