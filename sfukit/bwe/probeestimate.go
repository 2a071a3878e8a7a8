package bwe

import "time"

const (
	probeShare     = 0.8  // of a cluster's packets and bytes must be accounted for
	probeArrived   = 3    // packets that must have arrived
	probeSaturated = 0.9  // a link that passes less than this share of the rate is full
	probeCaution   = 0.95 // then this share of what it passed is taken
	probeRatio     = 2.0  // packets that arrive this much faster were collected on the way
	probeSpan      = time.Second
)

// measurement collects what became of a cluster.
type measurement struct {
	packets, bytes    int // accounted for, arrived or not
	arrived           int
	arrivedBytes      int
	firstSize         int // of the first to arrive
	lastSize          int // of the last to be sent, of those that arrived
	sent, lastSent    time.Time
	recv, lastArrived time.Time
}

func (m *measurement) record(p *Packet) {
	m.packets++
	m.bytes += p.Size
	if p.State != Received {
		return
	}
	if m.arrived == 0 || p.SendTime.Before(m.sent) {
		m.sent = p.SendTime
	}
	if m.arrived == 0 || !p.SendTime.Before(m.lastSent) {
		m.lastSent, m.lastSize = p.SendTime, p.Size
	}
	if m.arrived == 0 || p.RecvTime.Before(m.recv) {
		m.recv, m.firstSize = p.RecvTime, p.Size
	}
	if m.arrived == 0 || p.RecvTime.After(m.lastArrived) {
		m.lastArrived = p.RecvTime
	}
	m.arrived++
	m.arrivedBytes += p.Size
}

// complete tells whether enough is known to judge.
func (m *measurement) complete(c Cluster) bool {
	return float64(m.packets) >= probeShare*float64(c.Packets) && float64(m.bytes) >= probeShare*float64(c.Bytes)
}

// lossy tells whether the link dropped part of it.
func (m *measurement) lossy() bool {
	return float64(m.arrived) < probeSaturated*float64(m.packets)
}

// result returns the rate that the link proved to carry, in bit/s, and whether it
// was full; 0 if nothing can be concluded.
func (m *measurement) result() (bps float64, full bool) {
	sent, recv := m.lastSent.Sub(m.sent), m.lastArrived.Sub(m.recv)
	if m.arrived < probeArrived || sent <= 0 || recv <= 0 || sent > probeSpan || recv > probeSpan {
		return 0, false
	}
	out := float64(m.arrivedBytes-m.lastSize) * 8 / sent.Seconds()
	in := float64(m.arrivedBytes-m.firstSize) * 8 / recv.Seconds()
	switch {
	case in > probeRatio*out:
		return 0, false
	case in < probeSaturated*out || m.lossy():
		return probeCaution * min(in, out), true
	}
	return min(in, out), false
}
