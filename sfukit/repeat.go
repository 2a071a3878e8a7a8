package sfukit

import (
	"hash/maphash"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// repeats is what an audio line must remember to send a packet a second time.
//
// Browsers have no retransmission format for audio: a lost packet is sent again on
// the same SSRC under the same number. SRTP makes its keystream from those two (RFC
// 3711 section 4.1, RFC 7714 section 8.1), so two different packets under one number
// would betray both, and with AES-GCM the authentication key as well. What goes out
// again is therefore the same to the last bit, its transport-wide number and send
// time included. The packet is put together again from the shared history, as
// everything but those two follows from it, and a digest of what was sent decides
// whether it is the same; if anything has changed, nothing is sent.
type repeats struct {
	sent [repeatDepth]sentAudio
}

// repeatDepth is how many packets an audio line can repeat: 1.3 s of 20 ms each,
// longer than a receiver waits for one.
const repeatDepth = 64

// sentAudio is what cannot be had from the history about one packet sent.
type sentAudio struct {
	digest  uint64
	seq     uint16
	twcc    uint16
	abs     [3]byte
	doubled bool // redundancy was added to it
	used    bool
}

// digestSeed makes digests unforgeable for those who send the audio.
var digestSeed = maphash.MakeSeed()

// maxAudioHeader holds an RTP header with every extension an audio line may have.
const maxAudioHeader = 256

// digest returns a keyed hash of a packet; ok is false for a header of no size we send.
func digest(h *rtp.Header, payload []byte) (sum uint64, ok bool) {
	var b [maxAudioHeader]byte
	n, err := h.MarshalTo(b[:])
	if err != nil {
		return 0, false
	}
	var d maphash.Hash
	d.SetSeed(digestSeed)
	_, _ = d.Write(b[:n]) // which never fails
	_, _ = d.Write(payload)
	return d.Sum64(), true
}

// note remembers a packet as it was sent.
func (r *repeats) note(h *rtp.Header, payload []byte, stamps *stamps, doubled bool) {
	e := &r.sent[h.SequenceNumber%repeatDepth]
	sum, ok := digest(h, payload)
	*e = sentAudio{digest: sum, seq: h.SequenceNumber, twcc: stamps.number, abs: stamps.abs, doubled: doubled, used: ok}
}

// of returns what was sent under a number, nil if it is not remembered.
func (r *repeats) of(seq uint16) *sentAudio {
	if e := &r.sent[seq%repeatDepth]; e.used && e.seq == seq {
		return e
	}
	return nil
}

// repeatLocked sends a packet of an audio line again, bit for bit.
func (l *downLine) repeatLocked(now time.Time, seq uint16, b *resendBuffer) nackOutcome {
	source, original, out, ok := l.rewrite.Original(seq)
	was := l.repeats.of(seq)
	enc := l.track.bySource(source)
	if !ok || was == nil || enc == nil {
		return nackNotSent
	}
	if why := l.mayRepeatLocked(now, seq); why != nackAnswered {
		return why
	}
	if !b.load(now, enc, original) {
		return nackForgotten
	}
	payload, pt := l.reshape(now, enc, original, was.doubled, b)
	if payload == nil {
		return nackChanged
	}
	l.stamps.number, l.stamps.abs = was.twcc, was.abs
	l.describe(&b.header, nil, &out, &l.track.ext)
	l.setStamps()
	h := &l.header
	h.SSRC, h.PayloadType, h.SequenceNumber = l.params.SSRC, pt, seq
	if sum, ok := digest(h, payload); !ok || sum != was.digest {
		return nackChanged
	}
	if l.params.Ext.TransportCC != 0 || l.params.CCFB {
		l.peer.sub.sent.Resent(was.twcc)
	}
	return l.sendAgainLocked(now, payload)
}

// reshape gives a loaded packet the form in which the line sent it; nil if that can
// no longer be made.
func (l *downLine) reshape(now time.Time, e *encoding, seq int64, doubled bool, b *resendBuffer) (payload []byte, pt uint8) {
	payload, pt = b.payload, l.params.Format.PT
	switch {
	case b.codec == codec.RED && l.params.REDPT == 0:
		payload, _, _ = codec.PrimaryRED(payload)
		return payload, pt
	case b.codec == codec.RED:
	case doubled:
		if payload = b.redundancy.add(now, e, seq, b.header.Timestamp, pt, payload); payload == nil {
			return nil, 0
		}
	default:
		return payload, pt
	}
	codec.RewriteRED(payload, pt)
	return payload, l.params.REDPT
}
