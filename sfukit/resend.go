package sfukit

import (
	"cmp"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/history"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
)

// resendBuffer holds a packet from the history and the body of its repair.
type resendBuffer struct {
	packet  [history.MaxPacketSize]byte
	body    [history.MaxPacketSize + 2]byte
	header  rtp.Header
	codec   codec.Codec
	descr   codec.Payload
	payload []byte // of packet, without padding
	// dependency is the packet's descriptor, nil if it has none.
	dependency *dd.Descriptor
	descriptor dd.Descriptor

	redundancy redundancy
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
	b.payload = unpadded(&b.header, b.packet[at:n])
	b.codec = e.track.formats[b.header.PayloadType&0x7f].Codec
	b.dependency = nil
	if codec.Parse(b.codec, b.payload, &b.descr) != nil {
		return false
	}
	if v := extension(&b.header, e.track.ext.DependencyDescriptor); v != nil && b.codec == codec.AV1 {
		if !e.describe(v, &b.descriptor) {
			return false
		}
		b.dependency = &b.descriptor
	}
	return true
}

// unpadded returns a payload without its padding (RFC 3550 section 5.1).
func unpadded(h *rtp.Header, payload []byte) []byte {
	if h.Padding && len(payload) > 0 {
		return payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	return payload
}

// nackOutcome says what came of one number that a subscriber asked for.
type nackOutcome uint8

const (
	nackAnswered   nackOutcome = iota
	nackNotSent                // nothing was sent under it on what the line shows now, or long ago
	nackNoRTX                  // a video line without retransmission stream
	nackForgotten              // the packet has left the history
	nackChanged                // the audio packet cannot be made the same again
	nackSuperseded             // the receiver can go on from a later keyframe
	nackTooSoon                // answered less than a round trip ago
	nackTooMany                // repairs exceed their share of what was sent
	nackOverflow               // it would have waited too long for its turn
	nackWriteError             // the transport refused, or the peer has left
	nackOutcomes
	nackWaits // for its turn: what comes of it is counted then
)

var nackOutcomeNames = [nackOutcomes]string{
	"answered", "not_sent", "no_rtx", "forgotten", "changed", "superseded", "too_soon", "too_many", "overflow",
	"write_error",
}

// unknownRTT is assumed between two repairs of one packet while no report has
// told the round trip.
const unknownRTT = 100 * time.Millisecond

// roundTripLocked returns what a round trip takes now. Reports tell it each second or
// so, which is too late when a queue fills: then receivers, many of which take it for
// 100 ms whatever it is, ask for packets that are under way already, and to answer
// them all would keep the queue full.
func (s *subscriber) roundTripLocked() time.Duration {
	return cmp.Or(time.Duration(s.rtt.Load()), unknownRTT) + min(s.estimate.Queue, time.Second)
}

// resendFree is what may be repaired regardless of how much was sent, in bytes:
// a burst at the beginning.
const resendFree = 512 << 10

// mayResendLocked bounds all repairs together to half of what was sent: with more
// loss than that a path carries no call, and a client could otherwise have a
// hundred bytes of NACK answered by a megabyte.
func (s *subscriber) mayResendLocked() bool {
	return s.resentBytes < resendFree+s.sentBytes/2
}

// mayRepeatLocked decides whether a packet sent as seq may be sent again, and notes
// that it is: one that is about to be may still wait in the shaper.
func (l *downLine) mayRepeatLocked(now time.Time, seq uint16) nackOutcome {
	s := &l.peer.sub
	if !s.mayResendLocked() {
		return nackTooMany
	}
	if !l.rewrite.Resent(now, seq, s.roundTripLocked()+s.shaper.Delay(now)) {
		return nackTooSoon
	}
	return nackAnswered
}

// resend answers one entry of a subscriber's NACK from the encoding's shared
// history.
func (l *downLine) resend(now time.Time, seq uint16, b *resendBuffer) nackOutcome {
	l.peer.sub.mu.Lock()
	defer l.peer.sub.mu.Unlock()
	outcome := l.answerLocked(now, seq, b)
	l.peer.registry.counters.countNACK(outcome)
	return outcome
}

func (c *counters) countNACK(outcome nackOutcome) {
	if outcome != nackWaits {
		c.nack[outcome].Add(1)
	}
}

// answerLocked sends video again over RTX with a number of its own (RFC 4588): the
// same number with other bytes must never be sent twice. A client without RTX gets
// nothing but what it never was sent. Audio is repeated as it was. What is older than
// the latest switch is of no use any more, since the switch was to a keyframe; behind a
// link that has become narrow it would keep that very keyframe waiting.
func (l *downLine) answerLocked(now time.Time, seq uint16, b *resendBuffer) nackOutcome {
	if l.rewrite == nil || l.track == nil {
		return nackNotSent
	}
	if l.repeats != nil {
		return l.repeatLocked(now, seq, b)
	}
	source, _, _, ok := l.rewrite.Original(seq)
	switch {
	case !ok && l.sendMissingLocked(now, seq, b):
		return nackAnswered
	case !ok || l.track.bySource(source) == nil:
		return nackNotSent
	case l.rewrite.Superseded(seq):
		return nackSuperseded
	case l.params.RTXSSRC == 0:
		return nackNoRTX
	}
	if why := l.mayRepeatLocked(now, seq); why != nackAnswered {
		return why
	}
	out, why := l.fetchLocked(now, seq, b)
	if why != nackAnswered {
		return why
	}
	return l.sendAgain(now, &out, b)
}

// fetchLocked loads into b what was sent as seq.
func (l *downLine) fetchLocked(now time.Time, seq uint16, b *resendBuffer) (out rewrite.Out, why nackOutcome) {
	if l.track == nil {
		return out, nackNotSent
	}
	source, original, out, ok := l.rewrite.Original(seq)
	enc := l.track.bySource(source)
	switch {
	case !ok || enc == nil:
		return out, nackNotSent
	case l.rewrite.Superseded(seq): // while it waited
		return out, nackSuperseded
	case b.load(now, enc, original):
	case l.rewrite.BeforeKeyframe(seq):
		return out, nackSuperseded
	default:
		return out, nackForgotten
	}
	if out.Empty {
		b.payload = nil // of a layer that the line had given up: only the number is filled
	}
	return out, nackAnswered
}

// repairLocked sends b, which was sent as out, once more over RTX, for a probe or for
// none (0).
func (l *downLine) repairLocked(now time.Time, out *rewrite.Out, cluster int, b *resendBuffer) nackOutcome {
	l.probe = cluster
	n := l.writeRTX(now, out, b)
	l.probe = 0
	if n == 0 {
		return nackWriteError
	}
	l.countRepair()
	return nackAnswered
}

// sendAgainLocked sends the repair of audio that header and payload describe.
func (l *downLine) sendAgainLocked(now time.Time, payload []byte) nackOutcome {
	s, size := &l.peer.sub, len(payload)+headerEstimate
	s.shaper.Admit(now, shaper.Audio, size) // never waits
	s.resentBytes += int64(size)
	n, err := l.params.Writer.WriteRTP(&l.header, payload)
	if err != nil || n == 0 {
		return nackWriteError
	}
	l.countRepair()
	return nackAnswered
}

func (l *downLine) countRepair() {
	l.stats.resent++
	l.peer.registry.counters.resent.Add(1)
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
		Domain: l.track.owner.pub.domain, Payload: &b.descr, Dependency: b.dependency,
	}
	if drop := l.rewrite.Map(&meta, &l.out); drop != rewrite.Forwarded {
		l.stats.drops[drop]++
		return false
	}
	if l.out.Empty {
		b.payload = nil
	}
	rewrite.Patch(b.payload, &b.descr.Descriptor, &l.out)
	l.describe(&b.header, b.dependency, &l.out, &l.track.ext)
	l.header.SSRC, l.header.PayloadType, l.header.SequenceNumber = l.params.SSRC, l.params.Format.PT, l.out.Seq
	l.send(now, b.payload)
	return true
}
