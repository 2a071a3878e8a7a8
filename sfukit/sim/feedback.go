package sim

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// What libwebrtc's receivers do (modules/remote_bitrate_estimator, as constants):
// a report each 50 to 250 ms, so many that reports of 68 bytes take 5 % of what the
// receiver may send, each 100 ms while that is not known; and a packet that comes
// late is still reported within 500 ms.
const (
	minFeedback     = 50 * time.Millisecond
	maxFeedback     = 250 * time.Millisecond
	defaultFeedback = 100 * time.Millisecond
	backWindow      = 500 * time.Millisecond
	feedbackSize    = 68
	feedbackShare   = 0.05
)

// feedbackInterval returns how long a libwebrtc receiver waits between reports
// when it may send at the given rate, 0 if it does not know.
func feedbackInterval(uplink units.Bitrate) time.Duration {
	if uplink <= 0 {
		return defaultFeedback
	}
	d := time.Duration(8 * feedbackSize / (feedbackShare * float64(uplink)) * float64(time.Second))
	return min(max(d, minFeedback), maxFeedback)
}

const (
	referenceTick = 64 * time.Millisecond
	deltaTick     = 250 * time.Microsecond
	// maxDelta is what a report's 16-bit deltas hold.
	maxDelta = 32767 * deltaTick
	// maxReported keeps one report within a datagram.
	maxReported = 400
)

// message is one message of transport-wide feedback.
type message struct {
	first     int64
	reference uint32 // in units of 64 ms
	symbols   []bwe.Symbol
}

// size returns what the report takes on the wire, in bytes: RTCP and message
// headers, a chunk for each seven packets, and deltas
// (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
func (r *message) size() int {
	n := 20 + 2*((len(r.symbols)+6)/7)
	for _, s := range r.symbols {
		if s.Received && small(s.Delta) {
			n++
		} else if s.Received {
			n += 2
		}
	}
	return n
}

// small reports whether a delta fits one byte.
func small(d time.Duration) bool { return d >= 0 && d <= 255*deltaTick }

// arrivals is the receiver's side of transport-wide feedback.
type arrivals struct {
	seen  map[int64]time.Duration // by transport-wide number, since the epoch
	next  int64                   // the next report begins here
	end   int64                   // after the highest number seen
	begun bool
}

// unwrap extends a transport-wide number next to the highest seen.
func (a *arrivals) unwrap(seq uint16) int64 {
	if !a.begun {
		return int64(seq)
	}
	last := a.end - 1
	return last + int64(int16(seq-uint16(last)))
}

// record notes that a packet came at a time.
func (a *arrivals) record(seq int64, at time.Duration) {
	if a.seen == nil {
		a.seen = map[int64]time.Duration{}
	}
	if _, again := a.seen[seq]; again {
		return
	}
	if !a.begun {
		a.begun, a.next, a.end = true, seq, seq
	}
	a.seen[seq] = at
	a.end = max(a.end, seq+1)
	if seq < a.next {
		a.next = seq
	}
}

// take returns what has not been reported, in one or several reports, none if
// nothing came.
func (a *arrivals) take(now time.Duration) []message {
	var out []message
	for a.next < a.end {
		r, ok := a.build()
		if !ok {
			break
		}
		out = append(out, r)
	}
	for seq, at := range a.seen {
		if seq < a.next && at < now-backWindow {
			delete(a.seen, seq)
		}
	}
	return out
}

// build makes the next report.
func (a *arrivals) build() (message, bool) {
	r := message{first: a.next}
	begun := false
	var at time.Duration // as the reader adds it up
	for ; a.next < a.end && len(r.symbols) < maxReported; a.next++ {
		arrival, here := a.seen[a.next]
		if !here {
			r.symbols = append(r.symbols, bwe.Symbol{})
			continue
		}
		if !begun {
			begun = true
			r.reference = uint32(arrival / referenceTick)
			at = time.Duration(r.reference) * referenceTick
		}
		delta := (arrival - at).Round(deltaTick)
		if delta > maxDelta || delta < -maxDelta {
			break // to be continued by the next report
		}
		at += delta
		r.symbols = append(r.symbols, bwe.Symbol{Received: true, Delta: delta})
	}
	r.reference &= 1<<24 - 1
	return r, begun
}
