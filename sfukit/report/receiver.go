package report

import "time"

const (
	// RFC 3550 appendix A.1: a number this far ahead, or this far behind, belongs
	// to a sender that started over, if the next one follows it.
	maxDropout  = 3000
	maxMisorder = 100

	// A transit time that changes by more is a new timestamp base, not jitter.
	maxTransitStep = 5 // seconds

	noBadSeq = 1 << 16 // no 16-bit number equals it

	maxTotalLost = 1<<23 - 1
	minTotalLost = -1 << 23
)

// Block is a reception report block (RFC 3550 section 6.4.1) without its SSRC.
type Block struct {
	// FractionLost is the loss since the previous block, in 1/256. It is 0 if
	// duplicates outnumber losses.
	FractionLost uint8
	// TotalLost is the number of packets lost since the stream began or started
	// over, within the signed 24 bits it has on the wire; negative with duplicates.
	TotalLost int32
	// LastSeq is the highest sequence number, extended by the count of wraps.
	LastSeq uint32
	// Jitter is the interarrival jitter in ticks of the stream's RTP clock.
	Jitter uint32
	// LSR is the middle of the latest sender report's NTP time, 0 if there is none.
	LSR uint32
	// DLSR is the time since that report in 1/65536 s, 0 if there is none.
	DLSR uint32
}

// A Receiver accounts for one inbound SSRC. Unlike the sample in RFC 3550
// appendix A.1 it counts from the first packet on: what passes SRTP comes from
// the peer, so a source need not prove itself. The zero value is ready for use.
// A Receiver is not safe for concurrent use.
type Receiver struct {
	started  bool
	baseSeq  uint16
	maxSeq   uint16
	cycles   int64  // 2^16 for every wrap of maxSeq
	badSeq   uint32 // the number that would prove a restart
	received int64  // since the start or restart

	expectedPrior int64
	receivedPrior int64
	fraction      uint8

	pastReceived int64 // before the latest restart
	pastLost     int64

	transitSet  bool
	lastArrival time.Time
	lastTS      uint32
	clockRate   uint32
	jitter      int64 // in 1/16 tick

	srNTP uint64
	srAt  time.Time
}

// Packet accounts for a packet that arrived at now with sequence number seq and
// RTP timestamp ts of a clock with clockRate ticks per second; with 0 the jitter
// is left alone. Retransmissions in a stream of their own (RFC 4588) belong to
// that stream's Receiver.
func (r *Receiver) Packet(now time.Time, seq uint16, ts, clockRate uint32) {
	if !r.sequence(seq) {
		return
	}
	r.received++
	r.transit(now, ts, clockRate)
}

// sequence is update_seq of RFC 3550 appendix A.1 without probation. It reports
// whether the packet counts.
func (r *Receiver) sequence(seq uint16) bool {
	if !r.started {
		r.start(seq)
		return true
	}
	switch d := seq - r.maxSeq; {
	case d < maxDropout:
		if seq < r.maxSeq {
			r.cycles += 1 << 16
		}
		r.maxSeq = seq
		r.badSeq = noBadSeq
	case d <= 1<<16-maxMisorder:
		if uint32(seq) != r.badSeq {
			r.badSeq = uint32(seq + 1)
			return false
		}
		r.pastReceived += r.received
		r.pastLost += r.lost()
		r.start(seq)
	}
	return true
}

// start begins to count from seq.
func (r *Receiver) start(seq uint16) {
	r.started = true
	r.baseSeq, r.maxSeq = seq, seq
	r.cycles = 0
	r.badSeq = noBadSeq
	r.received, r.receivedPrior, r.expectedPrior = 0, 0, 0
	r.transitSet = false
}

// transit updates the jitter by RFC 3550 section 6.4.1 and appendix A.8, from the
// difference of two packets, which needs no common epoch.
func (r *Receiver) transit(now time.Time, ts, clockRate uint32) {
	if clockRate == 0 {
		return
	}
	if r.transitSet && r.clockRate == clockRate {
		rate := int64(clockRate)
		d := ticks(now.Sub(r.lastArrival), rate) - int64(int32(ts-r.lastTS))
		if d < 0 {
			d = -d
		}
		if d <= maxTransitStep*rate {
			r.jitter += d - (r.jitter+8)>>4
		}
	}
	if r.clockRate != clockRate {
		r.jitter = 0
	}
	r.transitSet = true
	r.lastArrival, r.lastTS, r.clockRate = now, ts, clockRate
}

// SenderReport records that a sender report with the NTP time ntp arrived at now.
func (r *Receiver) SenderReport(now time.Time, ntp uint64) {
	r.srNTP, r.srAt = ntp, now
}

// Block returns the report block to send at now and begins the next interval for
// FractionLost. Before the first packet all of it but LSR and DLSR is 0; RFC 3550
// section 6.4 reports only on sources that sent since the last report.
func (r *Receiver) Block(now time.Time) Block {
	var b Block
	if r.started {
		expected := r.expected()
		lost := (expected - r.expectedPrior) - (r.received - r.receivedPrior)
		r.fraction = 0
		if interval := expected - r.expectedPrior; interval > 0 && lost > 0 {
			r.fraction = uint8(min(lost<<8/interval, 255))
		}
		r.expectedPrior, r.receivedPrior = expected, r.received
		b = Block{
			FractionLost: r.fraction,
			TotalLost:    int32(min(max(r.lost(), minTotalLost), maxTotalLost)),
			LastSeq:      uint32(r.highest()),
			Jitter:       uint32(r.jitter >> 4),
		}
	}
	if lsr := uint32(r.srNTP >> 16); lsr != 0 {
		b.LSR = lsr
		b.DLSR = toUnits(now.Sub(r.srAt))
	}
	return b
}

// Totals returns how many packets were received and lost in the whole life of
// the stream, restarts included. Duplicates count as received and make up for
// losses, so lost may be negative.
func (r *Receiver) Totals() (received, lost int64) {
	return r.pastReceived + r.received, r.pastLost + r.lost()
}

// Loss returns the loss in the interval that the latest [Receiver.Block] closed,
// from 0 to 1.
func (r *Receiver) Loss() float64 { return float64(r.fraction) / 256 }

// Jitter returns the interarrival jitter (RFC 3550 section 6.4.1), 0 until two
// packets came.
func (r *Receiver) Jitter() time.Duration {
	if r.clockRate == 0 {
		return 0
	}
	return time.Duration(float64(r.jitter) / 16 / float64(r.clockRate) * float64(time.Second))
}

// expected and lost follow RFC 3550 appendix A.3.
func (r *Receiver) expected() int64 {
	if !r.started {
		return 0
	}
	return r.highest() - int64(r.baseSeq) + 1
}

func (r *Receiver) highest() int64 { return r.cycles + int64(r.maxSeq) }

func (r *Receiver) lost() int64 { return r.expected() - r.received }

// toUnits converts to 1/65536 s, limited to the 32 bits of DLSR (18 hours).
func toUnits(d time.Duration) uint32 {
	s := int64(min(max(d, 0), 1<<16*time.Second-1))
	return uint32(s/1e9<<16 + s%1e9<<16/1e9)
}

// ticks converts d to ticks of a clock, in two steps that cannot overflow.
func ticks(d time.Duration, rate int64) int64 {
	s, ns := int64(d/time.Second), int64(d%time.Second)
	return s*rate + ns*rate/int64(time.Second)
}
