package rewrite

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"
)

const (
	// videoHistory and audioHistory are how many sent packets are remembered:
	// 3 s of video at 3 Mbit/s, 5 s of audio at 50 packets/s. Both are powers
	// of two.
	videoHistory = 1024
	audioHistory = 256

	// minResendInterval is the least time between two resends of one packet,
	// for when the round trip is not known or next to nothing.
	minResendInterval = 10 * time.Millisecond
)

// record is what was sent under one number.
type record struct {
	seq       int64
	resent    time.Duration // since epoch plus 1 ns; 0 is never
	line      uint32        // number on the line, modulo 2^32
	source    Source        // 0 marks an empty record
	timestamp uint32
	pictureID uint16
	tl0       uint8
	key       uint8 // KEYIDX; the top bit is the marker
}

const markerBit = 0x80

// history remembers what was sent, by number on the line.
type history struct {
	video   bool
	epoch   time.Time
	records []record
}

// allocate makes room at first use, so that a line that never flows has none.
func (h *history) allocate() {
	switch {
	case h.records != nil:
	case h.video:
		h.records = make([]record, videoHistory)
	default:
		h.records = make([]record, audioHistory)
	}
}

func (h *history) size() int64 { return int64(len(h.records)) }

// slot returns the place of line.
func (h *history) slot(line int64) *record {
	return &h.records[line&int64(len(h.records)-1)]
}

// at returns the record of line, nil if there is none.
func (h *history) at(line int64) *record {
	if e := h.slot(line); e.source != 0 && e.line == uint32(line) {
		return e
	}
	return nil
}

func (h *history) put(line int64, p *Packet, out *Out) {
	key := out.KeyIdx
	if out.Marker {
		key |= markerBit
	}
	*h.slot(line) = record{
		seq: p.Seq, line: uint32(line), source: p.Source, timestamp: out.Timestamp,
		pictureID: out.PictureID, tl0: out.TL0PICIDX, key: key,
	}
}

// Original finds what was sent as outSeq: the source packet and how it was
// rewritten, from which the same bytes can be made again. Out.Switched is
// always false. Ok is false when nothing was sent under the number or it has
// been forgotten: 1024 numbers are remembered for video, 256 for audio. It does
// not allocate.
func (r *Rewriter) Original(outSeq uint16) (src Source, seq int64, out Out, ok bool) {
	e := r.record(outSeq)
	if e == nil {
		return 0, 0, Out{}, false
	}
	return e.source, e.seq, Out{
		Seq:       outSeq,
		Timestamp: e.timestamp,
		Marker:    e.key&markerBit != 0,
		PictureID: e.pictureID,
		TL0PICIDX: e.tl0,
		KeyIdx:    e.key &^ markerBit,
	}, true
}

// Missing finds the packet of the current source for which outSeq is kept free.
// It either has not arrived or arrived before the first packet of the key frame
// with which the source began, when it was dropped as AwaitKeyframe. A caller
// that has it can give it to Map again and send it. Ok is false when the number
// was sent, is of another run or no longer remembered. It does not allocate.
func (r *Rewriter) Missing(outSeq uint16) (src Source, seq int64, ok bool) {
	line, ok := r.line(outSeq)
	if !ok || r.run.source == 0 || r.sent.at(line) != nil {
		return 0, 0, false
	}
	seq, ok = r.run.numbers.source(line)
	if !ok {
		return 0, 0, false
	}
	return r.run.source, seq, true
}

// Resent reports whether the packet sent as outSeq may be sent again at now
// and, if so, notes that it is. It may when it is remembered and was not
// resent within the last round trip, rtt, and at least 10 ms: until then a
// second request for it was made before the answer to the first could arrive.
// It does not allocate.
func (r *Rewriter) Resent(now time.Time, outSeq uint16, rtt time.Duration) bool {
	e := r.record(outSeq)
	if e == nil {
		return false
	}
	at := max(now.Sub(r.sent.epoch), 0) + 1
	if e.resent != 0 && at-e.resent < max(rtt, minResendInterval) {
		return false
	}
	e.resent = at
	return true
}

// record returns what was sent as outSeq, nil if nothing or forgotten.
func (r *Rewriter) record(outSeq uint16) *record {
	line, ok := r.line(outSeq)
	if !ok {
		return nil
	}
	return r.sent.at(line)
}

// line unwraps outSeq; ok is false outside the numbers remembered.
func (r *Rewriter) line(outSeq uint16) (line int64, ok bool) {
	newest := uint16(r.highest)
	if !r.started || seqno.Less(newest, outSeq) {
		return 0, false
	}
	back := int64(newest - outSeq)
	return r.highest - back, back < r.sent.size()
}
