package sfukit

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// downLine is one m-line on which a subscriber receives: all of its egress
// state in one place. It lives as long as the peer and carries one track at a
// time; its SSRC, sequence numbers and timestamps go on across tracks.
type downLine struct {
	peer *Peer
	line transport.Line

	// Guarded by Peer.signal.
	watched   *track // what the line is for, nil if free
	announced bool   // the client has been told
	offered   bool   // the offer that is out shows it so
	agreed    bool   // the client knows that it carries this; until then nothing is sent

	// Guarded by subscriber.mu.
	params    *transport.LineParams
	track     *track // what is forwarded; nil until the line is accepted
	rewrite   *rewrite.Rewriter
	wish      LayerWish
	shown     LayerChange       // the last one reported
	decision  allocate.Decision // the latest
	rungs     []allocate.Rung   // what it speaks of; shared, never changed
	header    rtp.Header
	out       rewrite.Out
	stamps    stamps
	probe     int       // the cluster that the packet being sent is for
	doubled   bool      // redundancy was added to it
	described []byte    // reused: its dependency descriptor
	repeats   *repeats  // of an audio line
	revived   time.Time // when a keyframe was last asked for because a packet is forgotten
	rtxSeq    uint16
	packets   uint32 // of the primary stream, for sender reports
	octets    uint32
	stats     lineCounters
}

// lineCounters is what a line has done since it began.
type lineCounters struct {
	sent, bytes, resent int64
	drops               [rewrite.DropCount]int64 // by rewrite.Drop
	loss                float64                  // last reported by the client
	jitter              time.Duration
	switches            int64
}

// attach lets the line carry a track; agreed says that the client needs no new
// description for it.
func (l *downLine) attach(t *track, agreed bool) {
	l.watched, l.announced, l.offered, l.agreed = t, false, false, agreed
	l.peer.sub.mu.Lock()
	l.wish = LayerWish{} // from here on the client may say what it wants of this one
	l.peer.sub.mu.Unlock()
	l.start()
}

// start begins to forward, once the client has accepted the line and is
// connected; it is called again and again.
func (l *downLine) start() {
	t := l.watched
	if t == nil || !l.agreed {
		return
	}
	s := &l.peer.sub
	s.mu.Lock()
	if l.params == nil {
		if l.params = l.line.Params(); l.params == nil {
			s.mu.Unlock()
			return
		}
		l.bindLocked()
	}
	fresh := l.track != t
	if fresh {
		l.track = t
		l.decision, l.rungs = allocate.Decision{Rung: -1, Next: -1}, nil
		l.shown = LayerChange{Paused: true}
		l.repinLocked()
	}
	s.mu.Unlock()
	if fresh {
		t.watchers.Add(l)
	}
	if l.peer.connected.Load() { // else a keyframe would come too early, and the next one late
		s.reallocate(l.peer.registry.network.Now())
	}
}

// bindLocked sets up what depends on the negotiated parameters.
func (l *downLine) bindLocked() {
	p := l.params
	l.header = rtp.Header{Version: 2, SSRC: p.SSRC}
	l.rtxSeq = firstSequence()
	l.peer.sub.lines[p.SSRC] = l
	l.peer.sub.order = append(l.peer.sub.order, l)
	if p.Format.Codec.Audio() {
		l.repeats = &repeats{}
	}
	// The configuration is complete, which is all that New asks for.
	l.rewrite, _ = rewrite.New(rewrite.Config{
		Codec: p.Format.Codec, FirstSeq: firstSequence(), FirstTimestamp: rand.Uint32(),
		PictureID: uint16(rand.UintN(1 << 15)), TL0PICIDX: uint8(rand.UintN(1 << 8)),
	})
}

// detach stops the line and frees it.
func (l *downLine) detach() {
	t := l.watched
	if t == nil {
		return
	}
	l.watched, l.announced, l.offered, l.agreed = nil, false, false, false
	t.watchers.Remove(l)
	l.peer.sub.mu.Lock()
	l.track = nil
	l.repinLocked()
	t.dynacast.leave(l.peer.registry.network.Now(), l) // from here on it wants nothing again
	if l.rewrite != nil {
		l.rewrite.Want(0)
	}
	l.peer.sub.mu.Unlock()
}

// forward sends one packet to the subscriber, if the line wants it. It runs on
// the publisher's goroutine.
func (l *downLine) forward(now time.Time, f *forwarded) {
	s := &l.peer.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.track != f.enc.track || !l.peer.connected.Load() {
		return
	}
	if f.padding {
		l.rewrite.Skip(&f.meta)
		return
	}
	if f.codec != l.params.Format.Codec && f.codec != codec.RED {
		l.stats.drops[rewrite.NotWanted]++ // until the line has changed with it
		return
	}
	if drop := l.rewrite.Map(&f.meta, &l.out); drop != rewrite.Forwarded {
		l.stats.drops[drop]++
		return
	}
	if l.out.Switched {
		l.stats.switches++
		l.reportLocked(f.enc.rid, false)
	}
	payload := l.shape(now, f)
	l.doubled = f.doubled && l.header.PayloadType == l.params.REDPT
	if l.out.Empty {
		payload = nil
	}
	rewrite.Patch(payload, &f.descr.Descriptor, &l.out)
	l.describe(f.header, f.meta.Dependency, &l.out, &f.enc.track.ext)
	l.header.SSRC, l.header.SequenceNumber = l.params.SSRC, l.out.Seq
	l.send(now, payload)
}

// headerEstimate is what a packet weighs besides its payload: the RTP header,
// our extensions and the SRTP tag.
const headerEstimate = 44

// describe makes l.header that of a packet sent as out: time, marker, and the
// extensions that concern the media as it came. Stream, number and payload type
// are the caller's; the stamps follow when the packet leaves.
func (l *downLine) describe(in *rtp.Header, d *dd.Descriptor, out *rewrite.Out, from *transport.Extensions) {
	h, to := &l.header, &l.params.Ext
	h.Timestamp, h.Marker = out.Timestamp, out.Marker
	h.Extensions, h.Extension = h.Extensions[:0], false
	if out.Described && l.params.TwoByte && to.DependencyDescriptor != 0 {
		// A key frame's does not fit one-byte extensions, and a decoder that has seen
		// one waits for the others.
		l.described = rewrite.AppendDependency(l.described[:0], d, out)
		h.Extension, h.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
		set(h, to.DependencyDescriptor, l.described)
	}
	if in == nil {
		return
	}
	copyExtension(h, to.AudioLevel, in, from.AudioLevel)
	copyExtension(h, to.VideoOrientation, in, from.VideoOrientation)
	copyExtension(h, to.PlayoutDelay, in, from.PlayoutDelay)
	copyExtension(h, to.AbsCaptureTime, in, from.AbsCaptureTime)
	copyExtension(h, to.FrameMarking, in, from.FrameMarking)
	copyExtension(h, to.ContentType, in, from.ContentType)
}

// set adds one header extension. What does not fit the header's form is left
// out: every extension is optional to its receiver.
func set(h *rtp.Header, id uint8, value []byte) {
	if len(value) > 0 {
		_ = h.SetExtension(id, value)
	}
}

func copyExtension(h *rtp.Header, to uint8, in *rtp.Header, from uint8) {
	if to != 0 && from != 0 {
		set(h, to, in.GetExtension(from))
	}
}

// putAbsSendTime writes the 24-bit 6.18 fixed-point seconds of
// http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time.
func putAbsSendTime(dst *[3]byte, now time.Time) {
	nanos := uint64(now.UnixNano())
	seconds, rest := nanos/1e9, nanos%1e9
	v := uint32(seconds&0x3f)<<18 | uint32(rest<<18/1e9)
	dst[0], dst[1], dst[2] = byte(v>>16), byte(v>>8), byte(v)
}
