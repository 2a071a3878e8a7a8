package rewrite

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
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
	key       uint8 // KEYIDX under markerBit and emptyBit
}

const (
	markerBit = 0x80
	emptyBit  = 0x40
)

// history remembers what was sent, by number on the line.
type history struct {
	codec   codec.Codec
	epoch   time.Time
	records []record
	active  []dd.Targets // of descriptors; only AV1 has them
}

// allocate makes room at first use, so that a line that never flows has none.
func (h *history) allocate() {
	switch {
	case h.records != nil:
	case h.codec.Video():
		h.records = make([]record, videoHistory)
		if h.codec == codec.AV1 {
			h.active = make([]dd.Targets, videoHistory)
		}
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
	if out.Empty {
		key |= emptyBit
	}
	e := h.slot(line)
	*e = record{
		seq: p.Seq, line: uint32(line), source: p.Source, timestamp: out.Timestamp,
		pictureID: out.PictureID, tl0: out.TL0PICIDX, key: key,
	}
	if h.active != nil {
		h.packChange(line, e, out)
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
	out = Out{
		Seq:       outSeq,
		Timestamp: e.timestamp,
		Marker:    e.key&markerBit != 0,
		PictureID: e.pictureID,
		TL0PICIDX: e.tl0,
		Empty:     e.key&emptyBit != 0,
		KeyIdx:    e.key &^ (markerBit | emptyBit),
	}
	if r.sent.active != nil {
		out = Out{Seq: outSeq, Timestamp: out.Timestamp, Marker: out.Marker, Empty: out.Empty}
		r.sent.unpackChange(int64(e.line), e, &out)
	}
	return e.source, e.seq, out, true
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

// Superseded reports whether outSeq is from before the latest switch. A run of video
// begins with a keyframe, so its receiver needs nothing that was sent before.
func (r *Rewriter) Superseded(outSeq uint16) bool {
	line, ok := r.line(outSeq)
	return ok && r.video && line < r.run.first
}

// BeforeKeyframe reports whether a key frame has been sent that began after outSeq, on
// the same run or a later one: a decoder can go on from there without it. A number that
// is not remembered is not before any.
func (r *Rewriter) BeforeKeyframe(outSeq uint16) bool {
	line, ok := r.line(outSeq)
	return ok && r.video && line < r.key
}

// Newest returns the highest number sent; ok is false before the first.
func (r *Rewriter) Newest() (outSeq uint16, ok bool) { return uint16(r.highest), r.started }

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
