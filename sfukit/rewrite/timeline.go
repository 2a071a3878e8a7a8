package rewrite

import "time"

const (
	// maxLead is how far a new source may begin from where the clock of the
	// line says it should. Between the encodings of one publisher the real
	// difference is network delay; a second of it is already a broken path.
	maxLead = time.Second
	// maxStray is how far timestamps may run ahead of real time, or go back,
	// inside one run before the source counts as restarted. It leaves room for
	// a congested sender that catches up.
	maxStray = 10 * time.Second
	// maxGap in ticks is the longest silence that is shown as long as it was:
	// 3.3 hours at 90 kHz. A receiver takes 2^31 ticks for a step back.
	maxGap = 1 << 30
)

// anchor ties a timestamp of the line to a moment; the zero value ties nothing.
type anchor struct {
	ticks int64
	at    time.Time
}

// timeline places sources on the timestamps of the line. Timestamps are kept
// unwrapped.
//
// Two anchors are fixed once and then only read, which is why errors cannot add
// up: one to the local clock, made with the first packet of all, and one to the
// publisher's clock, made as soon as a packet brings a capture time. They are
// made anew only if a clock proves to have jumped by more than maxLead, and the
// latter also if the publisher changes.
type timeline struct {
	rate    int64 // Hz
	started bool
	last    int64     // highest timestamp sent
	arrived time.Time // latest arrival of a packet sent
	local   anchor
	capture anchor
	domain  uint32 // of capture
}

func newTimeline(rate, first uint32) timeline {
	return timeline{rate: int64(rate), last: int64(first)}
}

// begin places the first packet of a run and returns its timestamp offset.
func (t *timeline) begin(p *Packet) (offset uint32) {
	if p.Domain != t.domain {
		t.domain, t.capture = p.Domain, anchor{}
	}
	if !t.started {
		t.started = true
		t.arrived = p.Arrival
		t.local = anchor{t.last, p.Arrival}
		return uint32(t.last) - p.Timestamp
	}
	elapsed := t.elapsed(p)
	want := t.local.ticks + t.ticks(p.Arrival.Sub(t.local.at))
	if !t.capture.at.IsZero() && !p.Capture.IsZero() {
		want = t.capture.ticks + t.ticks(p.Capture.Sub(t.capture.at))
	}
	lead := t.ticks(maxLead)
	if want < t.last-lead || want > t.last+elapsed+lead {
		want = t.last + max(1, elapsed)
		t.local = anchor{want, p.Arrival}
		t.capture = anchor{} // sent makes it anew
	}
	return uint32(max(want, t.last+1)) - p.Timestamp
}

// sent notes that p went out with the given timestamp.
func (t *timeline) sent(p *Packet, timestamp uint32) {
	ticks := t.last + int64(int32(timestamp-uint32(t.last)))
	t.last = max(t.last, ticks)
	if p.Arrival.After(t.arrived) {
		t.arrived = p.Arrival
	}
	if t.capture.at.IsZero() && !p.Capture.IsZero() && p.Domain == t.domain {
		t.capture = anchor{ticks, p.Capture}
	}
}

// strays reports whether a packet of the current run would, with the given
// timestamp, leave real time.
func (t *timeline) strays(p *Packet, timestamp uint32) bool {
	step := int64(int32(timestamp - uint32(t.last)))
	limit := t.ticks(maxStray)
	return step > t.elapsed(p)+limit || step < -limit
}

// elapsed returns the ticks between the latest packet sent and p, never
// negative and at most maxGap.
func (t *timeline) elapsed(p *Packet) int64 {
	return min(max(t.ticks(p.Arrival.Sub(t.arrived)), 0), maxGap)
}

// ticks converts d. Seconds and the rest are multiplied apart so that even the
// longest Duration cannot overflow.
func (t *timeline) ticks(d time.Duration) int64 {
	return int64(d/time.Second)*t.rate + int64(d%time.Second)*t.rate/int64(time.Second)
}
