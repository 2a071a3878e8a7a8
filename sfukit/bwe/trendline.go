package bwe

import "time"

const (
	trendWindow    = 20  // groups
	trendSmoothing = 0.9 // share of the old value in the smoothed delay
)

// trendline fits a straight line through the one-way delay of the latest groups;
// its slope is the rate at which the queue grows, in seconds per second. This is
// the filter that libwebrtc uses in place of the Kalman filter of
// draft-ietf-rmcat-gcc-02, with the same constants.
type trendline struct {
	at, delay   [trendWindow]float64 // ms, since the first and smoothed
	n           int                  // groups seen, of which the ring holds the latest
	first       time.Time
	accumulated float64 // delay variation since the first group, ms
	smoothed    float64
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// add takes the variation of one group and returns the slope, 0 until the window
// is full.
func (t *trendline) add(v variation) float64 {
	if t.n == 0 {
		t.first = v.arrived
	}
	t.accumulated += milliseconds(v.delay)
	t.smoothed = trendSmoothing*t.smoothed + (1-trendSmoothing)*t.accumulated
	t.at[t.n%trendWindow] = milliseconds(v.arrived.Sub(t.first))
	t.delay[t.n%trendWindow] = t.smoothed
	t.n++
	if t.n < trendWindow {
		return 0
	}
	return t.slope()
}

// slope is that of the least-squares line.
func (t *trendline) slope() float64 {
	var atMean, delayMean float64
	for i := range t.at {
		atMean += t.at[i] / trendWindow
		delayMean += t.delay[i] / trendWindow
	}
	var num, den float64
	for i := range t.at {
		d := t.at[i] - atMean
		num += d * (t.delay[i] - delayMean)
		den += d * d
	}
	if den == 0 {
		return 0
	}
	return num / den
}
