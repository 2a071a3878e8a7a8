package sfukit

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// A bandwidth probe needs packets for which there is no media. What they may be
// follows from what a receiver does with them:
//
//   - A packet sent again over RTX (RFC 4588) that was not lost is a duplicate of
//     what the receiver has. libwebrtc marks it as recovered, which ends a NACK for
//     it and begins none; then its packet buffer drops it. If the original was lost,
//     or is about to be reported so, the copy repairs it before anybody asks. It is
//     as large as media, so a probe at megabits takes few of them.
//   - A packet of nothing but RTP padding (RFC 3550 section 5.1) on the RTX SSRC has
//     no original sequence number. libwebrtc drops a payload shorter than the two
//     octets of one after counting it for feedback and statistics, pion's client
//     does too. 255 octets are the most it can have.
//   - Padding on the primary SSRC would take one of its sequence numbers: it may
//     stand between frames only, and receivers have to be told of the gap it closes.
//     Here the rewriter owns those numbers, and receives nothing of this.
//
// So it is copies while there are packets that may be copied, else padding, and
// both on the RTX SSRC: its sequence numbers are taken when a packet leaves and
// belong to nothing else, so neither the rewriter, nor the receiver's jitter
// buffer, nor its NACKs see a trace of the probe. Before the first media there is
// nothing to copy, and padding is right: the receiver knows the SSRC and its
// payload type from the description (a=ssrc-group:FID), and the transport-wide
// number makes the feedback. libwebrtc's sender does the same once this extension
// or abs-send-time is negotiated; without either the packets would tell nothing.
// A client without RTX cannot be probed other than with media.

const (
	// minCopy is the least wanted size, in bytes, for which a copy is sent. A copy is
	// as large as it is, and for a smaller gap would be more than three times that.
	minCopy = 400
	// maxPadding is what one octet can count (RFC 3550 section 5.1).
	maxPadding = 255
	// copyWindow is how far back from its newest packet a line looks for one to copy.
	// These arrived within the last round trip or two, so they may be of use.
	copyWindow = 64
)

// paddingLineLocked returns the line that carries a probe's padding: of those on
// which media flows the one that has sent most, since it has the most to copy and
// does not stop soon; before there is media, the one with the lowest SSRC. It is
// nil if no line has RTX and feedback. Subscriber.mu is held.
func (s *subscriber) paddingLineLocked() *downLine {
	var best *downLine
	for _, l := range s.lines {
		p := l.params
		if p.RTXSSRC == 0 || p.Format.RTXPT == 0 || p.Ext.TransportCC == 0 && p.Ext.AbsSendTime == 0 && !p.CCFB {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(l.flowing(), best.flowing()), cmp.Compare(best.params.SSRC, p.SSRC)) > 0 {
			best = l
		}
	}
	return best
}

// flowing returns how many bytes the line has sent, -1 if no media flows on it.
func (l *downLine) flowing() int64 {
	if l.track == nil || l.rewrite.Current() == 0 {
		return -1
	}
	return l.stats.bytes
}

// padLocked sends one packet that fills about size bytes of a probe and returns its
// size, both counted as bwe.History is told; 0 says that nothing could be sent. B is
// scratch. Subscriber.mu is held.
func (l *downLine) padLocked(now time.Time, size int, b *resendBuffer) (n int) {
	if size >= minCopy {
		if out, ok := l.copyLocked(now, b); ok {
			return l.writeRTX(now, &out, b)
		}
	}
	fill := min(max(size-headerEstimate, 1), maxPadding)
	// A packet without an original has no timestamp of its own. This one is near.
	newest, _ := l.rewrite.Newest()
	_, _, out, _ := l.rewrite.Original(newest)
	l.describe(nil, nil, &rewrite.Out{Timestamp: out.Timestamp}, nil)
	h := &l.header
	// What fills it is left to the writer: whatever of former, encrypted packets is in
	// its buffer. A receiver ignores it.
	h.Padding, h.PaddingSize = true, uint8(fill)
	if l.writeRepairStream(now, fill, nil) {
		n = fill + headerEstimate
	}
	h.Padding, h.PaddingSize = false, 0
	return n
}

// copyLocked loads into b the newest packet that has not been sent again within a
// round trip, and marks it so: the next call has an older one, and a NACK that was
// sent before this copy can arrive is not answered with another.
func (l *downLine) copyLocked(now time.Time, b *resendBuffer) (out rewrite.Out, ok bool) {
	if l.track == nil || l.track.kind != KindVideo {
		return out, false
	}
	newest, ok := l.rewrite.Newest()
	if !ok {
		return out, false
	}
	rtt := l.peer.sub.roundTripLocked()
	for back := range uint16(copyWindow) {
		seq := newest - back
		source, original, out, ok := l.rewrite.Original(seq)
		if !ok || out.Empty {
			continue
		}
		enc := l.track.bySource(source)
		if enc == nil || !l.rewrite.Resent(now, seq, rtt) {
			continue
		}
		if !b.load(now, enc, original) || b.codec != l.params.Format.Codec {
			break // too old, and so are those before it
		}
		return out, true
	}
	return out, false
}

// writeRTX sends the packet in b, which was sent as out, once more (RFC 4588
// section 4), and returns its size as padLocked does.
func (l *downLine) writeRTX(now time.Time, out *rewrite.Out, b *resendBuffer) int {
	rewrite.Patch(b.payload, &b.descr.Descriptor, out)
	body := b.body[:2+len(b.payload)]
	binary.BigEndian.PutUint16(body, out.Seq)
	copy(body[2:], b.payload)
	l.describe(&b.header, b.dependency, out, &l.track.ext)
	if !l.writeRepairStream(now, len(body), body) {
		return 0
	}
	return len(body) + headerEstimate
}

// writeRepairStream sends what l.header and body describe on the RTX SSRC, under
// its next number; size is that of body with its padding. It returns false if the
// connection did not take it.
func (l *downLine) writeRepairStream(now time.Time, size int, body []byte) bool {
	h := &l.header
	h.SSRC, h.PayloadType, h.SequenceNumber = l.params.RTXSSRC, l.params.Format.RTXPT, l.rtxSeq
	l.rtxSeq++
	l.stamp(now, size)
	n, err := l.params.Writer.WriteRTP(h, body)
	return err == nil && n > 0
}
