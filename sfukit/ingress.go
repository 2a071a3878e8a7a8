package sfukit

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/framemarking"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// dropIngress says why an inbound packet went no further.
type dropIngress uint8

const (
	dropMalformed dropIngress = iota
	dropUnknownStream
	dropUnknownFormat
	dropBadPayload
	dropTooManyStreams
	dropBadDescriptor
	dropReasons
)

var dropIngressNames = [dropReasons]string{
	"malformed", "unknown_stream", "unknown_format", "bad_payload", "too_many_streams", "bad_descriptor",
}

// forwarded is one packet on its way to the subscribers: parsed once, read by all.
type forwarded struct {
	meta    rewrite.Packet
	descr   codec.Payload
	enc     *encoding
	codec   codec.Codec
	header  *rtp.Header
	payload []byte
	// dependency is the packet's dependency descriptor, nil if it has none.
	dependency *dd.Descriptor
	descriptor dd.Descriptor
	padding    bool   // nothing to forward: closes a number, carries nothing
	fallback   []byte // the primary block of a RED payload
	double     []byte // the packet as RED, if doubled and possible
	doubled    bool
}

// Packet takes one decrypted RTP packet of the stream. It runs on the
// goroutine that decrypts the peer's packets, through to the subscribers'
// sockets, and keeps nothing of b.
func (s *stream) Packet(now time.Time, b []byte) {
	counters := &s.pub.peer.registry.counters
	n, err := s.header.Unmarshal(b)
	if err != nil {
		counters.ingress[dropMalformed].Add(1)
		return
	}
	counters.packetsIn.Add(1)
	counters.bytesIn.Add(int64(len(b)))
	payload := b[n:]
	if s.header.Padding {
		pad := 0
		if len(payload) > 0 {
			pad = int(payload[len(payload)-1])
		}
		if pad == 0 || pad > len(payload) {
			counters.ingress[dropMalformed].Add(1)
			return
		}
		payload = payload[:len(payload)-pad]
	}
	known := s.resolve()
	s.recordArrival(now)
	if !known {
		counters.ingress[dropUnknownStream].Add(1)
		return
	}
	if s.rtx {
		s.repair(now, payload)
		return
	}
	s.enc.receive(now, &s.header, b, payload)
}

// recordArrival notes the packet for transport-wide feedback.
func (s *stream) recordArrival(now time.Time) {
	var id uint8
	if s.enc != nil {
		id = s.enc.track.ext.TransportCC
	} else {
		id = s.pub.transportCC()
	}
	if id == 0 {
		return
	}
	v := s.header.GetExtension(id)
	if len(v) < 2 {
		return
	}
	s.pub.mu.Lock()
	s.pub.arrival.Record(s.ssrc, binary.BigEndian.Uint16(v), now.Sub(s.pub.epoch))
	full := s.pub.arrival.Held() >= maxArrivals
	s.pub.mu.Unlock()
	if full {
		s.pub.peer.writeRTCP(s.pub.arrivals()...)
	}
}

// maxArrivals is how many packets one transport-wide feedback message reports:
// more would not surely fit a datagram. At high rates feedback is due earlier
// than the tick.
const maxArrivals = 400

// transportCC returns the extension id for streams that belong to no encoding,
// such as a browser's bandwidth probes before its first frame.
func (p *publisher) transportCC() uint8 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.tracks {
		if t.ext.TransportCC != 0 {
			return t.ext.TransportCC
		}
	}
	return 0
}

// repair restores a retransmitted packet (RFC 4588 section 4): the original
// sequence number leads the payload, the rest is the original's. One without
// payload is a probe.
func (s *stream) repair(now time.Time, payload []byte) {
	if len(payload) <= 2 {
		return
	}
	h := &s.header
	pt := h.PayloadType
	original, ok := s.enc.track.repaired(pt)
	primary := s.enc.ssrc.Load()
	if !ok || primary == 0 {
		return
	}
	h.SequenceNumber = binary.BigEndian.Uint16(payload)
	h.PayloadType, h.SSRC, h.Padding = original, primary, false
	s.enc.receive(now, h, nil, payload[2:])
}

// repaired returns the payload type that an RTX payload type repairs.
func (t *track) repaired(rtx uint8) (uint8, bool) {
	for i := range t.formats {
		if f := &t.formats[i]; f.RTXPT == rtx && f.PT != 0 {
			return f.PT, true
		}
	}
	return 0, false
}

// receive accounts for one packet of the encoding and forwards it. raw is the
// packet as it came, nil for a repaired one, whose bytes have to be put together
// again for the history. What cannot be forwarded still closes its number, or
// everybody would go on asking for it.
func (e *encoding) receive(now time.Time, h *rtp.Header, raw, payload []byte) {
	t := e.track
	format := &t.formats[h.PayloadType&0x7f]
	if format.Codec == codec.RED && raw != nil {
		e.recover(now, h, payload)
	}
	f := &e.out
	f.doubled, f.double = false, nil
	f.padding = !e.parse(f, format, payload) || !e.parseExtensions(f, format, h)
	if !e.account(now, h, f, format, raw == nil, len(payload)) {
		return
	}
	if !f.padding {
		e.noteFormat(now, format)
		if raw != nil {
			e.store.Put(now, f.meta.Seq, raw)
		} else {
			e.storeRepaired(now, h, payload)
		}
	}
	if t.ext.AudioLevel != 0 {
		if v := h.GetExtension(t.ext.AudioLevel); len(v) > 0 {
			t.owner.room.audioLevel(now, t.owner, v[0]&0x7f)
		}
	}
	f.enc, f.codec, f.header, f.payload = e, format.Codec, h, payload
	e.fanOut(now, f)
}

// parse fills in what the payload says; false means that there is nothing to
// forward.
func (e *encoding) parse(f *forwarded, format *transport.Format, payload []byte) bool {
	f.fallback = nil
	drops := &e.track.owner.registry.counters.ingress
	switch {
	case len(payload) == 0:
		return false // padding
	case format.PT == 0:
		drops[dropUnknownFormat].Add(1)
		return false
	case codec.Parse(format.Codec, payload, &f.descr) != nil:
		drops[dropBadPayload].Add(1)
		return false
	case format.Codec != codec.RED:
		return true
	}
	primary, pt, _ := codec.PrimaryRED(payload) // Parse has checked it
	if e.track.formats[pt].Codec != codec.Opus {
		drops[dropBadPayload].Add(1) // subscribers are promised Opus inside
		return false
	}
	f.fallback = primary
	return true
}

// parseExtensions adds what header extensions say of a frame: its place in the
// structure (AV1), its layer where the payload does not tell (RFC 9626), and that
// it is of a screen. False means that no receiver could use the packet.
func (e *encoding) parseExtensions(f *forwarded, format *transport.Format, h *rtp.Header) bool {
	ext := &e.track.ext
	f.dependency = nil
	switch format.Codec {
	case codec.AV1:
		if v := extension(h, ext.DependencyDescriptor); v != nil {
			if !e.describe(v, &f.descriptor) {
				e.track.owner.registry.counters.ingress[dropBadDescriptor].Add(1)
				return false
			}
			f.dependency = &f.descriptor
			f.descr.SpatialID, f.descr.TemporalID = f.descriptor.SpatialID, f.descriptor.TemporalID
			f.descr.HasLayers = true
		}
	case codec.H264:
		var m framemarking.Marking
		if v := extension(h, ext.FrameMarking); v != nil && framemarking.Parse(v, &m) == nil {
			f.descr.Mark(&m)
		}
	}
	if v := extension(h, ext.ContentType); len(v) == 1 {
		e.track.screen.Store(v[0]&1 != 0)
	}
	return true
}

// describe reads a dependency descriptor in the light of the structures that the
// encoding has sent.
func (e *encoding) describe(v []byte, d *dd.Descriptor) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.structures.Parse(v, d) == nil
}

// extension returns the value of a header extension, nil if it is not negotiated
// or not there.
func extension(h *rtp.Header, id uint8) []byte {
	if id == 0 {
		return nil
	}
	return h.GetExtension(id)
}

// account updates the encoding's books and fills in what subscribers read. It
// returns false for a retransmission of what we have: browsers probe for
// bandwidth with those, often with more of them than media.
func (e *encoding) account(now time.Time, h *rtp.Header, f *forwarded, format *transport.Format, repaired bool, size int) bool {
	rate := format.Codec.ClockRate()
	e.mu.Lock()
	seq := e.seq.Unwrap(h.SequenceNumber)
	missing, answer := e.loss.Pending(), e.loss.Asked(seq)
	asks := e.loss.Received(now, seq, e.nacks[:0])
	e.nacks = asks
	if repaired && e.packets > 0 && seq <= e.highest && e.loss.Pending() >= missing {
		e.mu.Unlock()
		e.track.owner.registry.counters.probes.Add(1)
		return false
	}
	if answer {
		e.unanswered = 0
	}
	asks = e.worthAsking(asks)
	e.askedNck += int64(len(asks))
	if !repaired {
		e.receiver.Packet(now, h.SequenceNumber, h.Timestamp, rate)
	}
	if e.packets == 0 {
		e.began = now
	}
	if e.packets == 0 || seq > e.highest {
		e.highest, e.newest = seq, h.Timestamp
	}
	e.packets++
	e.bytes += int64(size)
	if !f.padding {
		// More than one packet of an H264 picture may claim to begin it.
		begins := f.descr.Start && f.descr.SpatialID == 0 && (repaired || h.Timestamp != e.lastTS || e.frames == 0)
		e.meter.Packet(now, f.descr.SpatialID, f.descr.TemporalID, size+headerEstimate, begins)
	}
	if !f.padding && !repaired && (h.Timestamp != e.lastTS || e.frames == 0) {
		e.lastTS = h.Timestamp
		e.frames++
		e.live.Frame(now)
	}
	if !f.padding && f.descr.Keyframe && e.track.kind == KindVideo {
		e.keyCount++
		e.keys.Keyframe()
		if f.descr.Width > 0 {
			e.width, e.height = int(f.descr.Width), int(f.descr.Height)
		}
	}
	capture, _ := e.clock.Time(h.Timestamp, rate)
	asks = append([]uint16(nil), asks...) // rare, and the room's tick uses e.nacks too
	e.mu.Unlock()
	f.meta = rewrite.Packet{
		Source: e.source, Seq: seq, Timestamp: h.Timestamp, Marker: h.Marker, Arrival: now,
		Capture: capture, Domain: e.track.owner.pub.domain, Payload: &f.descr, Dependency: f.dependency,
	}
	if f.padding {
		f.meta.Payload = nil
	}
	if repaired || answer {
		e.track.owner.registry.counters.repaired.Add(1)
	}
	e.sendNACK(asks)
	return true
}

// storeRepaired puts a repaired packet into the history as if it had come the
// first time.
func (e *encoding) storeRepaired(now time.Time, h *rtp.Header, payload []byte) {
	var buf [maxPacket]byte
	n, err := h.MarshalTo(buf[:])
	if err != nil || n+len(payload) > len(buf) {
		return
	}
	n += copy(buf[n:], payload)
	e.store.Put(now, e.out.meta.Seq, buf[:n])
}

// maxPacket is the largest datagram we take or send.
const maxPacket = 1500

// formatPause is how long a publisher's new codec stands before the next: every
// change renegotiates with every watcher.
const formatPause = 2 * time.Second

// noteFormat follows a publisher that changes its codec: its lines have to
// change too. Until they have, what does not fit them is dropped.
func (e *encoding) noteFormat(now time.Time, f *transport.Format) {
	t := e.track
	if f.Codec == codec.RED || t.format.Load().PT == f.PT || now.Sub(t.reformed) < formatPause {
		return
	}
	t.reformed = now
	t.format.Store(f)
	for _, l := range t.watchers.Snapshot() {
		l.peer.mail.wakeUp()
	}
}

// fanOut hands the packet to every line that watches the track, and lets the
// socket send what they wrote in one go.
func (e *encoding) fanOut(now time.Time, f *forwarded) {
	lines := e.track.watchers.Snapshot()
	if len(lines) == 0 {
		return
	}
	network := e.track.owner.registry.network
	network.Cork()
	for _, l := range lines {
		l.forward(now, f)
	}
	network.Uncork()
}
