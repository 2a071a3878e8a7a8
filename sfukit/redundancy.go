package sfukit

import (
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/history"
)

// redundancy makes plain audio redundant (RFC 2198): every packet carries the one
// before it as well, so that a receiver that loses one has it 20 ms later. One
// block, as browsers send: what a second would mend is rare, and NACK's.
//
// The block before comes from the encoding's history. Only the packet with the
// number before is taken: after a loss or a pause nothing is claimed.
type redundancy struct {
	before  [history.MaxPacketSize]byte
	header  rtp.Header // of before
	payload []byte     // reused
}

// add returns the RED payload of one packet of e, nil if it must go plain. The block
// has the payload type pt. The result is valid until the next call.
func (r *redundancy) add(now time.Time, e *encoding, seq int64, timestamp uint32, pt uint8, primary []byte) []byte {
	n, ok := e.store.Get(now, seq-1, r.before[:])
	if !ok {
		return nil
	}
	at, err := r.header.Unmarshal(r.before[:n])
	if err != nil || e.track.formats[r.header.PayloadType&0x7f].Codec != codec.Opus {
		return nil
	}
	earlier := unpadded(&r.header, r.before[at:n])
	payload, ok := codec.AppendRED(r.payload[:0], pt, timestamp-r.header.Timestamp, earlier, primary)
	if !ok {
		return nil
	}
	r.payload = payload
	return payload
}

// redundant returns the packet as RED, made at the first subscriber who takes it and
// shared by all; nil if it must go plain. It runs on the publisher's goroutine.
func (f *forwarded) redundant(now time.Time) []byte {
	if !f.doubled {
		f.doubled = true
		if f.enc.doubler == nil {
			f.enc.doubler = &redundancy{}
		}
		f.double = f.enc.doubler.add(now, f.enc, f.meta.Seq, f.meta.Timestamp, f.header.PayloadType, f.payload)
	}
	return f.double
}

// shape returns the payload in the form the subscriber takes and sets the payload
// type: redundant audio without its redundancy for those who did not negotiate it,
// plain audio with it for those who did. Where there is no room for video there is
// none for redundancy: it would be what fills the queue.
func (l *downLine) shape(now time.Time, f *forwarded) []byte {
	l.header.PayloadType = l.params.Format.PT
	payload := f.payload
	double := l.params.REDPT != 0 && l.peer.sub.allocation.Mode == ModeVideo
	switch {
	case f.fallback != nil && !double:
		return f.fallback
	case f.fallback != nil:
	case f.codec == codec.Opus && double:
		if payload = f.redundant(now); payload == nil {
			return f.payload
		}
	default:
		return payload
	}
	l.header.PayloadType = l.params.REDPT
	codec.RewriteRED(payload, l.params.Format.PT)
	return payload
}

// maxRecovered is the widest gap in the numbers that redundancy is looked through to
// fill: more blocks than that nobody sends.
const maxRecovered = 8

// recover brings back the packets lost just before a redundant one out of its
// redundant blocks, and has them received in their order, before the packet itself.
// So subscribers without redundancy get them too, and nobody asks for them.
//
// A block says when it was to be heard, not which packet carried it first. Between
// the newest packet and this one the lost are taken to be evenly spaced; a block
// that lies elsewhere is left alone, unless only one is missing, which it then is.
func (e *encoding) recover(now time.Time, h *rtp.Header, payload []byte) {
	e.mu.Lock()
	lost := int(int16(h.SequenceNumber-uint16(e.highest))) - 1
	elapsed := h.Timestamp - e.newest
	begun := e.packets > 0
	e.mu.Unlock()
	if !begun || lost < 1 || lost > maxRecovered || elapsed > maxElapsed {
		return
	}
	blocks, _ := codec.REDBlocks(payload, e.blocks[:0])
	e.blocks = blocks
	for i := range blocks {
		b := &blocks[i]
		back := distance(uint32(b.Offset), elapsed, lost)
		if back == 0 || len(b.Data) == 0 || e.track.formats[b.PT].Codec != codec.Opus {
			continue
		}
		e.restored = rtp.Header{
			Version: 2, PayloadType: b.PT, SSRC: h.SSRC,
			SequenceNumber: h.SequenceNumber - uint16(back), Timestamp: h.Timestamp - uint32(b.Offset),
		}
		e.receive(now, &e.restored, nil, b.Data)
		e.track.owner.registry.counters.recovered.Add(1)
	}
}

// maxElapsed is the longest pause, in ticks, that can hide lost packets whose blocks
// are still within reach: a minute at 48 kHz, and no step back.
const maxElapsed = 60 * 48000

// distance returns how many numbers before its packet a block lies whose timestamp is
// offset ticks before the packet's, when lost packets lie in the elapsed ticks since
// the last one received; 0 if it is none of them.
func distance(offset, elapsed uint32, lost int) int {
	if offset == 0 || offset >= elapsed {
		return 0
	}
	if lost == 1 {
		return 1
	}
	share := offset * uint32(lost+1) // below 2^14 times 9
	if share%elapsed != 0 {
		return 0
	}
	return int(share / elapsed) // at most lost, since offset is below elapsed
}
