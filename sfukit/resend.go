package sfukit

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/history"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// resendBuffer holds a packet from the history and the body of its repair.
type resendBuffer struct {
	packet  [history.MaxPacketSize]byte
	body    [history.MaxPacketSize + 2]byte
	header  rtp.Header
	codec   codec.Codec
	descr   codec.Payload
	payload []byte // of packet, without padding
}

// load fetches a packet of an encoding from its history and parses it.
func (b *resendBuffer) load(now time.Time, e *encoding, seq int64) bool {
	n, ok := e.store.Get(now, seq, b.packet[:])
	if !ok {
		return false
	}
	at, err := b.header.Unmarshal(b.packet[:n])
	if err != nil {
		return false // it parsed when it was stored
	}
	b.payload = b.packet[at:n]
	if b.header.Padding && len(b.payload) > 0 {
		b.payload = b.payload[:max(0, len(b.payload)-int(b.payload[len(b.payload)-1]))]
	}
	b.codec = e.track.formats[b.header.PayloadType&0x7f].Codec
	return codec.Parse(b.codec, b.payload, &b.descr) == nil
}

// unknownRTT is assumed between two repairs of one packet while no report has
// told the round trip.
const unknownRTT = 100 * time.Millisecond

// resendFree is what may be repaired regardless of how much was sent, in bytes:
// a burst at the beginning.
const resendFree = 512 << 10

// mayResendLocked bounds all repairs together to half of what was sent: with more
// loss than that a path carries no call, and a client could otherwise have a
// hundred bytes of NACK answered by a megabyte.
func (s *subscriber) mayResendLocked() bool {
	return s.resentBytes < resendFree+s.sentBytes/2
}

// resend answers one entry of a subscriber's NACK from the encoding's shared
// history, over RTX with a number of its own (RFC 4588): the same number with
// other bytes must never be sent twice. A client without RTX gets nothing but
// what it never was sent.
func (l *downLine) resend(now time.Time, seq uint16, b *resendBuffer) {
	s := &l.peer.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	counters := &l.peer.registry.counters
	if l.rewrite == nil || l.track == nil || l.track.kind != KindVideo {
		counters.nackMissed.Add(1)
		return
	}
	source, original, out, ok := l.rewrite.Original(seq)
	if !ok {
		if !l.sendMissingLocked(now, seq, b) {
			counters.nackMissed.Add(1)
		}
		return
	}
	enc := l.track.bySource(source)
	if enc == nil || l.params.RTXSSRC == 0 {
		counters.nackMissed.Add(1)
		return
	}
	rtt := cmp.Or(time.Duration(s.rtt.Load()), unknownRTT)
	if !l.rewrite.Resent(now, seq, rtt) || !s.mayResendLocked() {
		counters.nackSuppressed.Add(1)
		return
	}
	if !b.load(now, enc, original) {
		counters.nackMissed.Add(1)
		return
	}
	rewrite.Patch(b.payload, &b.descr.Descriptor, &out)
	body := b.body[:2+len(b.payload)]
	binary.BigEndian.PutUint16(body, seq)
	copy(body[2:], b.payload)
	l.extend(now, &b.header, &l.track.ext, len(body))
	h := &l.header
	h.SSRC, h.PayloadType, h.SequenceNumber = l.params.RTXSSRC, l.params.Format.RTXPT, l.rtxSeq
	h.Timestamp, h.Marker = out.Timestamp, out.Marker
	l.rtxSeq++
	if n, err := l.params.Writer.WriteRTP(h, body); err == nil && n > 0 {
		l.stats.resent++
		s.resentBytes += int64(n)
		counters.resent.Add(1)
		counters.bytesOut.Add(int64(n))
	}
}

// sendMissingLocked sends for the first time what a line has kept a number free
// for: a packet that overtook the beginning of the keyframe the line began with.
func (l *downLine) sendMissingLocked(now time.Time, seq uint16, b *resendBuffer) bool {
	source, original, ok := l.rewrite.Missing(seq)
	if !ok {
		return false
	}
	enc := l.track.bySource(source)
	if enc == nil || !b.load(now, enc, original) || b.codec != l.params.Format.Codec {
		return false // still on its way from the publisher, or not for this line
	}
	meta := rewrite.Packet{
		Source: source, Seq: original, Timestamp: b.header.Timestamp, Marker: b.header.Marker, Arrival: now,
		Domain: l.track.owner.pub.domain, Payload: &b.descr,
	}
	if drop := l.rewrite.Map(&meta, &l.out); drop != rewrite.Forwarded {
		l.stats.drops[drop]++
		return false
	}
	rewrite.Patch(b.payload, &b.descr.Descriptor, &l.out)
	l.extend(now, &b.header, &l.track.ext, len(b.payload))
	l.header.PayloadType = l.params.Format.PT
	l.write(b.payload)
	return true
}
