package bwe

import "math"

// linkCapacity remembers what the bottleneck passed when it was full, and how much
// that varied. Near it the rate is raised with care; far from it the link must have
// changed. Constants are those of libwebrtc.
type linkCapacity struct {
	bps       float64 // 0 is not known
	deviation float64 // variance relative to bps, kbit/s
}

func (l *linkCapacity) full(bps float64)   { l.update(bps, 0.05) }
func (l *linkCapacity) probed(bps float64) { l.update(bps, 0.5) }

func (l *linkCapacity) update(bps, weight float64) {
	if bps <= 0 {
		return
	}
	if l.bps == 0 {
		l.bps, l.deviation = bps, 0.4
		return
	}
	l.bps += weight * (bps - l.bps)
	miss := (l.bps - bps) / 1000
	l.deviation += weight * (miss*miss/max(l.bps/1000, 1) - l.deviation)
	l.deviation = min(max(l.deviation, 0.4), 2.5)
}

func (l *linkCapacity) forget() { *l = linkCapacity{} }

// span is three standard deviations, in bit/s.
func (l *linkCapacity) span() float64 { return 3 * math.Sqrt(l.deviation*l.bps/1000) * 1000 }

// below and above tell whether a rate is beyond what the memory explains.
func (l *linkCapacity) below(bps float64) bool { return l.bps > 0 && bps < l.bps-l.span() }
func (l *linkCapacity) above(bps float64) bool { return l.bps > 0 && bps > l.bps+l.span() }
