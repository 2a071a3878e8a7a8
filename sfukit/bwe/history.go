package bwe

import "time"

const (
	// Feedback later than this is of no use to an estimator, and more than any
	// round trip that a call survives.
	historyDepth = 2 * time.Second
	minHistory   = 256
	// 2 s of 39 Mbit/s in packets of 1200 bytes, 192 KiB of entries. At a higher
	// rate the history is shorter, never wrong: what is gone stays Unknown.
	maxHistory = 1 << 13

	referenceTick = 64 * time.Millisecond
	referenceBits = 24
)

// Symbol is what transport-wide feedback says of one packet.
type Symbol struct {
	// Received tells whether the packet arrived.
	Received bool
	// Delta is, of a packet that arrived, the arrival time less that of the
	// previous packet in the same message that arrived, or less the message's
	// reference time for the first. Negative when packets overtook each other.
	Delta time.Duration
}

// A History numbers the packets sent to one subscriber with transport-wide
// sequence numbers (draft-holmer-rmcat-transport-wide-cc-extensions-01) and turns
// the feedback on them into results for an [Estimator]. It remembers at least the
// last 2 s, at most 8192 packets; it starts small and grows with the packet rate.
//
// The zero value is ready for use. A History is not safe for concurrent use.
type History struct {
	ring []sent    // length 0 or a power of two; entry of seq at seq modulo length
	next int64     // unwrapped, number of the next packet
	base time.Time // time of the first packet

	reference    int64 // unwrapped reference time of the latest feedback
	hasReference bool
}

// sent is one packet, small since there are thousands.
type sent struct {
	at    time.Duration // since History.base
	size  int32
	probe int32
	state State // as last reported
	again bool  // was sent a second time
}

// Sent records that a packet of size bytes is sent at now, for the [Cluster] with
// the ID probe or for none (0), and returns the transport-wide sequence number it
// must carry. Every number must go out: a packet that is dropped after this call is
// reported lost.
func (h *History) Sent(now time.Time, size, probe int) uint16 {
	if h.base.IsZero() {
		h.base = now
	}
	at := now.Sub(h.base)
	if n := int64(len(h.ring)); h.next >= n && n < maxHistory {
		// The ring is full. Grow it if the oldest may still be reported.
		if n == 0 || at-h.entry(h.next-n).at < historyDepth {
			h.grow()
		}
	}
	seq := h.next
	h.next++
	*h.entry(seq) = sent{at: at, size: int32(size), probe: int32(probe)}
	return uint16(seq)
}

func (h *History) grow() {
	old := h.ring
	h.ring = make([]sent, max(minHistory, 2*len(old)))
	for seq := h.next - int64(len(old)); seq < h.next; seq++ {
		*h.entry(seq) = old[seq&int64(len(old)-1)]
	}
}

func (h *History) entry(seq int64) *sent {
	return &h.ring[seq&int64(len(h.ring)-1)]
}

// lookup returns the entry of seq, nil if it was never sent or is forgotten.
func (h *History) lookup(seq int64) *sent {
	if seq < 0 || seq >= h.next || seq < h.next-int64(len(h.ring)) {
		return nil
	}
	return h.entry(seq)
}

// Feedback takes one feedback message that arrived at now: the number of its first
// packet, its 24-bit reference time in units of 64 ms, and one symbol for each
// packet from the first on. It appends to dst what is new and returns it, in
// ascending order of Seq, ready for [Estimator.OnFeedback].
//
// Messages may repeat, overlap and overtake each other. A packet is told Received
// once and Lost once at most, and Lost never after Received. Numbers that were
// not sent or are forgotten are passed over; their deltas still count for the
// packets behind them. Lost messages leave their packets unreported, not lost.
//
// rtt is the time from sending the packet with the highest number that is new
// here until now, less the time it is known to have waited at the receiver: until
// the last arrival in the message. The wait from then until the message was sent
// is not told, up to the receiver's feedback interval, so rtt is an upper bound;
// reception reports (package report) give the exact one. It is 0 if nothing new
// was received.
func (h *History) Feedback(now time.Time, first uint16, reference uint32, symbols []Symbol, dst []Packet) (results []Packet, rtt time.Duration) {
	if h.next == 0 {
		return dst, 0
	}
	newest := h.next - 1
	seq := newest + int64(int16(first-uint16(newest)))
	arrival := time.Unix(0, 0).Add(time.Duration(h.unwrap(reference)) * referenceTick)
	var last, newSent, newArrival time.Time
	for i := range symbols {
		if symbols[i].Received {
			arrival = arrival.Add(symbols[i].Delta)
			if arrival.After(last) {
				last = arrival
			}
		}
		p, ok := h.report(seq+int64(i), symbols[i].Received, arrival)
		if !ok {
			continue
		}
		if p.State == Received {
			newSent, newArrival = p.SendTime, arrival
		}
		dst = append(dst, p)
	}
	if newSent.IsZero() {
		return dst, 0
	}
	return dst, max(0, now.Sub(newSent)-last.Sub(newArrival))
}

// recent tells whether feedback on a packet may still come.
func (h *History) recent(seq int64) bool {
	e := h.lookup(seq)
	return e != nil && h.entry(h.next-1).at-e.at < historyDepth
}

// report returns what feedback says of one packet, unless it is nothing new.
func (h *History) report(seq int64, received bool, arrival time.Time) (Packet, bool) {
	e := h.lookup(seq)
	if e == nil {
		return Packet{}, false
	}
	received = received && !e.again
	if e.state == Received || e.state == Lost && !received {
		return Packet{}, false
	}
	p := Packet{Seq: seq, Size: int(e.size), SendTime: h.base.Add(e.at), State: Lost, Probe: int(e.probe)}
	if received {
		p.State, p.RecvTime = Received, arrival
	}
	e.state = p.State
	return p, true
}

// unwrap extends a 24-bit reference time, which wraps after 12 days, next to the
// one before.
func (h *History) unwrap(reference uint32) int64 {
	const shift = 32 - referenceBits
	if !h.hasReference {
		h.hasReference = true
		h.reference = int64(reference & (1<<referenceBits - 1))
		return h.reference
	}
	d := int32((reference-uint32(h.reference))<<shift) >> shift
	h.reference += int64(d)
	return h.reference
}
