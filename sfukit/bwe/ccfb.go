package bwe

import (
	"cmp"
	"slices"
	"time"
)

const (
	// RFC 8888 section 3.1: the arrival time offset counts 1/1024 s back from the
	// report timestamp, which counts 1/65536 s. From offsetTooOld on it is no time.
	offsetTooOld   = 8190
	offsetsPerS    = 1024
	timestampsPerS = 1 << 16

	maxStreams = 256  // at once; the one that was silent for longest gives way
	minStream  = 64   // packets remembered of one stream, at first
	maxStream  = 4096 // and at most: 2 s at 20 Mbit/s in packets of 1200 bytes
)

// Arrival is what RFC 8888 feedback says of one packet. Its ECN mark is left out:
// packets are not sent as ECN-capable.
type Arrival struct {
	// Received tells whether the packet arrived.
	Received bool
	// Offset is the arrival time offset as in the report: how many 1/1024 s before
	// the report's timestamp the packet arrived. From 8190 on it tells no time.
	Offset uint16
}

// StreamReport is what RFC 8888 feedback says of one stream.
type StreamReport struct {
	// SSRC is the stream's.
	SSRC uint32
	// Begin is the RTP sequence number that Arrivals begins with.
	Begin uint16
	// Arrivals has one entry for each sequence number from Begin on.
	Arrivals []Arrival
}

// A CCFB turns the congestion control feedback of RFC 8888, which names packets by
// SSRC and RTP sequence number, into results of a [History]. It remembers, for each
// of at most 256 streams, the last packets, from 64 to 4096 of them as the rate
// demands; what it has forgotten stays Unknown.
//
// The zero value is ready for use. A CCFB is not safe for concurrent use.
type CCFB struct {
	streams map[uint32]*stream

	timestamp    int64 // unwrapped, of the latest report
	hasTimestamp bool
}

// stream maps RTP sequence numbers to transport-wide ones.
type stream struct {
	ring []numbered // length a power of two; entry of RTP number n at n modulo length
	last int64      // latest transport-wide number
}

type numbered struct {
	seq int64 // transport-wide, unwrapped, plus 1: 0 is no packet
	rtp uint16
}

// Sent records the last packet given to h as packet rtp of the stream ssrc. It
// must be called right after [History.Sent].
func (c *CCFB) Sent(h *History, ssrc uint32, rtp uint16) {
	if h.next == 0 {
		return
	}
	s := c.streams[ssrc]
	if s == nil {
		s = c.add(ssrc)
	}
	e := &s.ring[int(rtp)&(len(s.ring)-1)]
	if e.seq != 0 && len(s.ring) < maxStream && h.recent(e.seq-1) {
		s.grow()
		e = &s.ring[int(rtp)&(len(s.ring)-1)]
	}
	s.last = h.next - 1
	*e = numbered{seq: h.next, rtp: rtp}
}

func (c *CCFB) add(ssrc uint32) *stream {
	if c.streams == nil {
		c.streams = make(map[uint32]*stream)
	}
	if len(c.streams) >= maxStreams {
		var oldest uint32
		last := int64(-1)
		for ssrc, s := range c.streams {
			if last < 0 || s.last < last {
				oldest, last = ssrc, s.last
			}
		}
		delete(c.streams, oldest)
	}
	s := &stream{ring: make([]numbered, minStream)}
	c.streams[ssrc] = s
	return s
}

func (s *stream) grow() {
	old := s.ring
	s.ring = make([]numbered, 2*len(old))
	for _, e := range old {
		if e.seq != 0 {
			s.ring[int(e.rtp)&(len(s.ring)-1)] = e
		}
	}
}

// Feedback takes one report that arrived at now: its timestamp, the middle 32 bits
// of an NTP time, and the streams it speaks of. It appends to dst what is new, in
// ascending order of Seq, ready for [Estimator.OnFeedback]. Reports may repeat,
// overlap and overtake each other, as those of [History.Feedback].
//
// A packet that arrived at an unknown time is received, but not told.
//
// rtt is the time from sending the packet with the highest number that is new here
// until now, less its wait at the receiver; 0 if nothing new was received.
func (c *CCFB) Feedback(now time.Time, h *History, timestamp uint32, reports []StreamReport, dst []Packet) (results []Packet, rtt time.Duration) {
	sent := time.Unix(0, 0).Add(c.unwrap(timestamp))
	from := len(dst)
	for i := range reports {
		s := c.streams[reports[i].SSRC]
		if s == nil {
			continue
		}
		for j, a := range reports[i].Arrivals {
			rtp := reports[i].Begin + uint16(j)
			e := s.ring[int(rtp)&(len(s.ring)-1)]
			if e.seq == 0 || e.rtp != rtp {
				continue
			}
			arrival := sent.Add(-time.Duration(a.Offset) * time.Second / offsetsPerS)
			if p, ok := h.report(e.seq-1, a.Received, arrival); ok && (!a.Received || a.Offset < offsetTooOld) {
				dst = append(dst, p)
			}
		}
	}
	fresh := dst[from:]
	slices.SortStableFunc(fresh, func(a, b Packet) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := len(fresh) - 1; i >= 0; i-- {
		if p := &fresh[i]; p.State == Received {
			return dst, max(0, now.Sub(p.SendTime)-sent.Sub(p.RecvTime))
		}
	}
	return dst, 0
}

// unwrap extends a report timestamp, which wraps after 18 hours, next to the one
// before, and returns it as the time since a fixed point.
func (c *CCFB) unwrap(timestamp uint32) time.Duration {
	if !c.hasTimestamp {
		c.hasTimestamp, c.timestamp = true, int64(timestamp)
	}
	c.timestamp += int64(int32(timestamp - uint32(c.timestamp)))
	whole, part := c.timestamp/timestampsPerS, c.timestamp%timestampsPerS
	return time.Duration(whole)*time.Second + time.Duration(part)*time.Second/timestampsPerS
}
