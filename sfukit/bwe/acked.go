package bwe

import "time"

const (
	ackedSlot  = 10 * time.Millisecond
	ackedSlots = 64
	ackedReset = 2 * time.Second // a longer jump of the arrival times starts anew
)

// acked measures the rate at which packets arrive, on the receiver's clock.
type acked struct {
	slots [ackedSlots]arrivals // ring
	n     int                  // slots begun
}

// arrivals are the packets that arrived within ackedSlot.
type arrivals struct {
	first, last time.Time
	sent        time.Time // latest that was sent
	bytes       int
}

func (a *acked) slot(i int) *arrivals { return &a.slots[i%ackedSlots] }

func (a *acked) restart() { a.n = 0 }

// record takes a packet that arrived.
func (a *acked) record(p *Packet) {
	if a.n > 0 {
		s := a.slot(a.n - 1)
		gap := p.RecvTime.Sub(s.last)
		if gap > ackedReset || gap < -ackedReset {
			a.n = 0
		} else if p.RecvTime.Sub(s.first) < ackedSlot {
			s.bytes += p.Size
			if p.SendTime.After(s.sent) {
				s.sent = p.SendTime
			}
			if gap > 0 {
				s.last = p.RecvTime
			}
			return
		}
	}
	*a.slot(a.n) = arrivals{first: p.RecvTime, last: p.RecvTime, sent: p.SendTime, bytes: p.Size}
	a.n++
}

// rates returns what arrived over the latest window, in bit/s, measured from the
// end of its first packets to the end of its last. passed is exactly what the
// bottleneck passes while it is full. proven is no more than was sent: a receiver,
// or something on the way, that tells of packets in bursts proves nothing. Both are
// 0 when too little arrived to tell.
func (a *acked) rates(window time.Duration) (passed, proven float64) {
	if a.n < 3 {
		return 0, 0
	}
	last := a.slot(a.n - 1)
	first := a.n - 1
	bytes := 0
	for first > max(0, a.n-ackedSlots) && (last.last.Sub(a.slot(first-1).last) <= window || a.n-first < 5) {
		bytes += a.slot(first).bytes
		first--
	}
	span := last.last.Sub(a.slot(first).last)
	if a.n-first < 3 || span < ackedSlot {
		return 0, 0
	}
	sent := last.sent.Sub(a.slot(first).sent)
	bits := float64(bytes) * 8
	return bits / span.Seconds(), bits / max(span, sent).Seconds()
}
