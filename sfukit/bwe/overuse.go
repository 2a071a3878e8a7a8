package bwe

import (
	"math"
	"time"
)

// Constants of the detector, those of libwebrtc; the threshold's adaptation is
// that of draft-ietf-rmcat-gcc-02 section 5.4.
const (
	trendGain      = 4.0
	trendGroups    = 60 // the trend counts by the number of groups it rests on, up to this
	thresholdUp    = 0.0087
	thresholdDn    = 0.039
	thresholdMin   = 6.0
	thresholdSteep = 25.0 // least one where others fill the queue: a trend of 10 %
	thresholdMax   = 600.0
	overuseTime    = 10 * time.Millisecond
)

// usage is what the delay says about the bottleneck.
type usage uint8

const (
	normal usage = iota
	underuse
	overused
)

// detector compares the trend of the delay with a threshold that follows the
// trend's own noise: so a flow neither starves beside one that fills the queue nor
// takes the jitter of a radio link for a queue.
type detector struct {
	groups    grouper
	trend     trendline
	threshold float64
	floor     float64       // of the threshold
	previous  float64       // trend
	over      time.Duration // for which the trend is above the threshold
	count     int           // groups since then
	updated   time.Time     // arrival of the latest group
	state     usage
}

func newDetector() detector { return detector{threshold: 12.5, floor: thresholdMin} }

// restart forgets the packets but not the noise.
func (d *detector) restart() { *d = detector{threshold: d.threshold, floor: d.floor} }

// record takes a packet that arrived.
func (d *detector) record(p *Packet) {
	v, ok := d.groups.add(p)
	if !ok {
		return
	}
	slope := d.trend.add(v)
	trend := slope * trendGain * float64(min(d.trend.n, trendGroups))
	switch {
	case trend > d.threshold:
		if d.count == 0 {
			d.over = v.sent / 2
		} else {
			d.over += v.sent
		}
		d.count++
		if d.over > overuseTime && d.count > 1 && slope >= d.previous {
			d.over, d.count = 0, 0
			d.state = overused
		}
	case trend < -d.threshold:
		d.over, d.count = 0, 0
		d.state = underuse
	default:
		d.over, d.count = 0, 0
		d.state = normal
	}
	d.previous = slope
	d.adapt(math.Abs(trend), v.arrived)
}

// adapt moves the threshold towards the trend, faster down than up.
func (d *detector) adapt(trend float64, at time.Time) {
	elapsed := at.Sub(d.updated)
	if d.updated.IsZero() || elapsed < 0 {
		elapsed = 0
	}
	d.updated = at
	k := thresholdUp
	if trend < d.threshold {
		k = thresholdDn
	}
	step := k * (trend - d.threshold) * milliseconds(min(elapsed, 100*time.Millisecond))
	d.threshold = min(max(d.threshold+step, d.floor), thresholdMax)
}
