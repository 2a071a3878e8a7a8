package sfukit

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// part is one packet of a picture: what the codec puts before the data, and the
// header extension that belongs to it.
type part struct {
	spatial, temporal uint8
	payload           []byte
	id                uint8
	value             []byte
}

// scalable publishes 30 pictures a second of a scalable codec, of which next makes one.
func scalable(c codec.Codec, next func(n int, key bool) []part) clientOption {
	return func(m *member, j *Join) {
		ssrc := uint32(j.ID)<<16 | 0x8010
		m.offer = append(m.offer, transport.Track{
			MID: "cam", Video: true, SSRCs: []uint32{ssrc}, Ext: hallExt,
			Formats: []transport.Format{{Codec: c, PT: 96, RTXPT: 97}},
		})
		cam := &hallCamera{m: m, ssrc: ssrc, every: time.Second / 30, key: true}
		cam.draw = func(key bool) {
			cam.ts += 3000
			parts := next(cam.frames, key)
			cam.frames++
			for i := range parts {
				p := &parts[i]
				h := rtp.Header{
					Version: 2, PayloadType: 96, SSRC: ssrc, SequenceNumber: cam.seq, Timestamp: cam.ts, Marker: i == len(parts)-1,
				}
				cam.seq++
				if p.id != 0 {
					h.Extension, h.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
					_ = h.SetExtension(p.id, p.value)
				}
				payload := append(p.payload, make([]byte, 950)...)
				payload = append(payload, p.spatial, p.temporal)
				b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
				if err != nil {
					m.hall.t.Fatal(err)
				}
				cam.sink.Packet(m.hall.now, b)
			}
		}
		m.cameras = append(m.cameras, cam)
	}
}

// vp9 makes pictures of two spatial and two temporal layers in non-flexible mode, the
// upper frame of a picture predicted from the lower (RFC 9628 section 4.2).
func vp9() func(n int, key bool) []part {
	var picture uint16
	var tl0 uint8
	step := 0
	return func(_ int, key bool) (out []part) {
		if key {
			step = 0
		}
		tid := byte(step % 2)
		step++
		picture++
		if tid == 0 {
			tl0++
		}
		for sid := range byte(2) {
			first := byte(0x80 | 0x20 | 0x08 | 0x04) // I, L, B, E
			if !key {
				first |= 0x40 // P
			}
			b := []byte{first, 0x80 | byte(picture>>8), byte(picture), tid<<5 | 0x10 | sid<<1 | min(sid, 1), tl0}
			if key && sid == 0 { // V: the structure, two sizes
				b[0] |= 0x02
				b = append(b, 1<<5|0x10)
				b = binary.BigEndian.AppendUint16(b, 320)
				b = binary.BigEndian.AppendUint16(b, 180)
				b = binary.BigEndian.AppendUint16(b, 640)
				b = binary.BigEndian.AppendUint16(b, 360)
			}
			out = append(out, part{spatial: sid, temporal: tid, payload: b})
		}
		return out
	}
}

// h264 makes pictures of two temporal layers, which frame marking tells (RFC 9626), in
// two packets each.
func h264() func(n int, key bool) []part {
	var tl0 uint8
	step := 0
	return func(_ int, key bool) []part {
		if key {
			step = 0
		}
		tid := byte(step % 2)
		step++
		if tid == 0 {
			tl0++
		}
		mark := tid
		if key {
			mark |= 0x20
		}
		if tid == 1 {
			mark |= 0x10 | 0x08
		}
		slice, rest := []byte{0x41, 0x9a}, []byte{0x41, 0x1a}
		if key {
			sps := []byte{0x67, 0x42, 0xe0, 0x1f}
			slice = append([]byte{0x78, 0, byte(len(sps))}, sps...)
			slice = append(slice, 0x03, 0xba, 0x65, 0x88) // and the rest of the packet, 954 bytes
			rest = []byte{0x65, 0x08}
		}
		return []part{
			{temporal: tid, payload: slice, id: hallExt.FrameMarking, value: []byte{0x80 | mark, 0, tl0}},
			{temporal: tid, payload: rest, id: hallExt.FrameMarking, value: []byte{0x40 | mark, 0, tl0}},
		}
	}
}

// av1 makes pictures of two spatial and two temporal layers, which the dependency
// descriptor tells.
func av1() func(n int, key bool) []part {
	e := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 2}, 640, 360, 100, 7)
	return func(_ int, key bool) (out []part) {
		for _, d := range e.Picture(key) {
			payload := []byte{0x10, 0x32} // one OBU, a frame
			if d.Attached {
				payload = []byte{0x28, 11, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x32} // N; a sequence header and a frame
			}
			out = append(out, part{
				spatial: d.SpatialID, temporal: d.TemporalID, payload: payload,
				id: hallExt.DependencyDescriptor, value: dd.Append(nil, &d, d.Unchanged()),
			})
		}
		return out
	}
}

// TestScalableCodecsAreThinned has a budget for some layers of a scalable stream, and
// later for all.
func TestScalableCodecsAreThinned(t *testing.T) {
	for _, v := range []struct {
		name              string
		codec             codec.Codec
		next              func(n int, key bool) []part
		target            units.Bitrate
		spatial, temporal uint8 // highest that fit
		perFrame          int   // packets of them
		all               [2]uint8
	}{
		{"VP9 spatial", codec.VP9, vp9(), 200 * units.Kbps, 0, 0, 1, [2]uint8{1, 1}},
		{"VP9 temporal", codec.VP9, vp9(), 360 * units.Kbps, 1, 0, 2, [2]uint8{1, 1}},
		{"H264 temporal", codec.H264, h264(), 360 * units.Kbps, 0, 0, 2, [2]uint8{0, 1}},
		{"AV1 spatial", codec.AV1, av1(), 200 * units.Kbps, 0, 0, 1, [2]uint8{1, 1}},
		{"AV1 temporal", codec.AV1, av1(), 360 * units.Kbps, 1, 0, 2, [2]uint8{1, 1}},
	} {
		t.Run(v.name, func(t *testing.T) {
			h, viewer, senders := watching(t, v.target, scalable(v.codec, v.next))
			h.run(10 * time.Second)
			l := viewer.line(senders[0], KindVideo)
			if l == nil || len(l.sent) == 0 {
				t.Fatalf("nothing is sent: %+v", viewer.peer.Explain())
			}
			from := len(l.sent)
			rate := viewer.rate(func() { h.run(3 * time.Second) })
			if rate > v.target {
				t.Errorf("%s are sent, want at most %s", rate, v.target)
			}
			thin := l.sent[from:]
			checkFrames(t, thin, v.perFrame)
			for i := range thin {
				if s, tid := thin[i].layers(); s > v.spatial || tid > v.temporal {
					t.Fatalf("a packet of layers %d and %d is sent", s, tid)
				}
			}
			if c := viewer.layers[l.mid]; c.Spatial != v.spatial || c.Temporal != v.temporal {
				t.Errorf("the client was told %+v, want layers %d and %d", c, v.spatial, v.temporal)
			}
			checkRepair(t, h, viewer, l)
			viewer.target = 3 * units.Mbps
			h.until("all layers", 20*time.Second, func() bool {
				c := viewer.layers[l.mid]
				return [2]uint8{c.Spatial, c.Temporal} == v.all
			})
			h.run(time.Second)
			from = len(l.sent)
			h.run(time.Second)
			top := [2]uint8{}
			for i := range l.sent[from:] {
				s, tid := l.sent[from+i].layers()
				top = [2]uint8{max(top[0], s), max(top[1], tid)}
			}
			checkFrames(t, l.sent[from:], 2)
			if top != v.all {
				t.Errorf("layers up to %v are sent with room for all, want %v", top, v.all)
			}
			if v.codec == codec.AV1 {
				checkDescriptors(t, l.primary())
			}
		})
	}
}

// layers reads back which layers a packet of scalable is of.
func (p *sentPacket) layers() (spatial, temporal uint8) {
	n := len(p.payload)
	return p.payload[n-2], p.payload[n-1]
}

// checkFrames checks numbers, timestamps and markers of whole frames of n packets.
func checkFrames(t *testing.T, sent []sentPacket, n int) {
	t.Helper()
	count := 1
	for i := 1; i < len(sent); i++ {
		a, b := &sent[i-1].header, &sent[i].header
		if b.SSRC != a.SSRC {
			continue
		}
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Errorf("number %d follows %d", b.SequenceNumber, a.SequenceNumber)
		}
		fresh := b.Timestamp != a.Timestamp
		if fresh != a.Marker {
			t.Errorf("packet %d: marker %t before timestamp %d and then %d", a.SequenceNumber, a.Marker, a.Timestamp, b.Timestamp)
		}
		if fresh && count != n {
			t.Errorf("a frame of %d packets, want %d", count, n)
		}
		if fresh {
			count = 0
		}
		count++
	}
}

// checkRepair asks for a packet again: it must be the same but for RTX.
func checkRepair(t *testing.T, h *hall, viewer *member, l *hallLine) {
	t.Helper()
	sent := l.primary()
	want := sent[len(sent)-5]
	viewer.handler.RTCP(h.now, &rtcp.TransportLayerNack{
		MediaSSRC: l.params.SSRC, Nacks: []rtcp.NackPair{{PacketID: want.header.SequenceNumber}},
	})
	h.run(50 * time.Millisecond)
	repairs := l.repairs()
	if len(repairs) == 0 {
		t.Fatalf("no repair: %v", h.reg.Stats().Counters.NACKDrops)
	}
	got := repairs[len(repairs)-1]
	if seq := binary.BigEndian.Uint16(got.payload); seq != want.header.SequenceNumber || string(got.payload[2:]) != string(want.payload) {
		t.Errorf("packet %d is repaired as %d with %d bytes, want the %d it had", want.header.SequenceNumber, seq, len(got.payload)-2, len(want.payload))
	}
	if got.header.Timestamp != want.header.Timestamp || got.header.Marker != want.header.Marker {
		t.Errorf("the repair has timestamp %d and marker %t, want %d and %t", got.header.Timestamp, got.header.Marker, want.header.Timestamp, want.header.Marker)
	}
	for _, id := range []uint8{hallExt.DependencyDescriptor, hallExt.FrameMarking} {
		if a, b := want.header.GetExtension(id), got.header.GetExtension(id); string(a) != string(b) {
			t.Errorf("extension %d of the repair is %x, was %x", id, b, a)
		}
	}
}

// checkDescriptors reads the dependency descriptors of all that was sent, as a decoder
// would: each is understood, frames count on, and what one refers to was sent.
func checkDescriptors(t *testing.T, sent []sentPacket) {
	t.Helper()
	var p dd.Parser
	var d dd.Descriptor
	have := map[int64]bool{}
	for i := range sent {
		v := sent[i].header.GetExtension(hallExt.DependencyDescriptor)
		if err := p.Parse(v, &d); err != nil {
			t.Fatalf("packet %d of %d: descriptor %x: %v", i, len(sent), v, err)
		}
		if s, tid := sent[i].layers(); s != d.SpatialID || tid != d.TemporalID {
			t.Errorf("packet %d of layers %d and %d is described as %d and %d", i, s, tid, d.SpatialID, d.TemporalID)
		}
		have[d.Number] = true
		for _, diff := range d.Diffs {
			if diff == 0 {
				break
			}
			if !have[d.Number-int64(diff)] {
				t.Errorf("packet %d: frame %d needs %d, which was not sent", i, d.Number, d.Number-int64(diff))
			}
		}
	}
}

// late holds back one packet that a test chooses.
type late struct {
	transport.Sink
	pick func(b []byte) bool
	held []byte
}

func (s *late) Packet(now time.Time, b []byte) {
	if s.held == nil && s.pick(b) {
		s.held = append([]byte(nil), b...)
		return
	}
	s.Sink.Packet(now, b)
}

// TestLatePacketOfADroppedLayer comes when its number has been left free: that is
// filled, now and when it is asked for again, but not with what the line does not have.
func TestLatePacketOfADroppedLayer(t *testing.T) {
	h, viewer, senders := watching(t, 600*units.Kbps, single(800*units.Kbps, inThree))
	h.run(10 * time.Second)
	l, cam := viewer.line(senders[0], KindVideo), senders[0].cameras[0]
	filter := &late{Sink: cam.sink, pick: func(b []byte) bool { return b[len(b)-hallMark+1] == 2 }}
	cam.sink = filter
	h.until("a packet of layer 2", time.Second, func() bool { return filter.held != nil })
	h.run(200 * time.Millisecond)
	l.sent = nil
	filter.Sink.Packet(h.now, filter.held)
	if len(l.sent) != 1 || len(l.sent[0].payload) != 0 {
		t.Fatalf("%d packets are sent for the late one, want an empty one", len(l.sent))
	}
	seq := l.sent[0].header.SequenceNumber
	viewer.handler.RTCP(h.now, &rtcp.TransportLayerNack{MediaSSRC: l.params.SSRC, Nacks: []rtcp.NackPair{{PacketID: seq}}})
	h.run(50 * time.Millisecond)
	if r := l.repairs(); len(r) != 1 || len(r[0].payload) != 2 || binary.BigEndian.Uint16(r[0].payload) != seq {
		t.Errorf("repairs are %+v, want one of %d without payload", r, seq)
	}
}
