package sfukit

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// hallCamera is one encoding of a VP8 camera, at 30 frames a second by itself.
type hallCamera struct {
	m        *member
	mid, rid string
	ssrc     uint32
	width    uint16
	rate     units.Bitrate
	every    time.Duration // between frames
	temporal []uint8       // layers of successive frames
	screen   bool
	keySize  int // packets of a keyframe; 0 is as many as of any frame
	off      bool
	key      bool
	draw     func(key bool) // delivers the next frame; nil is VP8's

	sink         transport.Sink
	seq, picture uint16
	tl0          uint8
	frames       int
	ts, twcc     uint32
}

// simulcast publishes a camera of three encodings, of 100, 300 and 900 kbit/s.
func simulcast(change ...func(*hallCamera)) clientOption {
	return func(m *member, j *Join) {
		t := transport.Track{MID: "cam", Video: true, Formats: []transport.Format{{Codec: codec.VP8, PT: 96, RTXPT: 97}}, Ext: hallExt}
		rate, width := 100*units.Kbps, uint16(320)
		for i, rid := range []string{"q", "h", "f"} {
			t.RIDs = append(t.RIDs, rid)
			m.camera(t.MID, rid, uint32(j.ID)<<16|0x8000|uint32(i), rate, width, change...)
			rate, width = 3*rate, 2*width
		}
		m.offer = append(m.offer, t)
	}
}

// camera publishes a camera of one encoding.
func single(rate units.Bitrate, change ...func(*hallCamera)) clientOption {
	return func(m *member, j *Join) {
		ssrc := uint32(j.ID)<<16 | 0x8010
		m.offer = append(m.offer, transport.Track{
			MID: "cam", Video: true, SSRCs: []uint32{ssrc}, Ext: hallExt,
			Formats: []transport.Format{{Codec: codec.VP8, PT: 96, RTXPT: 97}},
		})
		m.camera("cam", "", ssrc, rate, 640, change...)
	}
}

func (m *member) camera(mid, rid string, ssrc uint32, rate units.Bitrate, width uint16, change ...func(*hallCamera)) {
	c := &hallCamera{m: m, mid: mid, rid: rid, ssrc: ssrc, width: width, rate: rate, every: time.Second / 30, temporal: []uint8{0}, key: true}
	for _, f := range change {
		f(c)
	}
	m.cameras = append(m.cameras, c)
}

func asScreen(c *hallCamera) { c.screen = true }
func inThree(c *hallCamera)  { c.temporal = []uint8{0, 2, 1, 2} }

func (c *hallCamera) begin() {
	c.sink = c.m.handler.Stream(c.ssrc)
	c.m.hall.every(c.every, func() bool {
		if c.m.peer.Reason() != LeaveNone {
			return false
		}
		if !c.off {
			c.frame()
		}
		return true
	})
}

// frame delivers the next frame.
func (c *hallCamera) frame() {
	key := c.key
	c.key = false
	if c.draw != nil {
		c.draw(key)
		return
	}
	if key {
		c.frames = 0
	}
	tid := c.temporal[c.frames%len(c.temporal)]
	c.frames++
	c.picture++
	c.ts += 3000
	if tid == 0 {
		c.tl0++
	}
	size := max(int(float64(c.rate)/8*c.every.Seconds()), 100)
	packets := (size + 1099) / 1100
	size = max(size/packets-headerEstimate, 60)
	if key && c.keySize > 0 {
		packets, size = c.keySize, 1100
	}
	for k := range packets {
		c.packet(key, tid, k, k == packets-1, size)
	}
}

func (c *hallCamera) packet(key bool, tid uint8, k int, last bool, size int) {
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: c.ssrc, SequenceNumber: c.seq, Timestamp: c.ts, Marker: last}
	c.seq++
	c.twcc++
	_ = h.SetExtension(stageTransportCC, binary.BigEndian.AppendUint16(nil, uint16(c.twcc)))
	if c.rid != "" {
		_ = h.SetExtension(stageRID, []byte(c.rid))
	}
	if c.screen && last {
		_ = h.SetExtension(hallContentType, []byte{1})
	}
	// X and S; I, L, T; picture id; TL0PICIDX; TID and Y (RFC 7741 section 4.2).
	payload := []byte{0x80, 0xe0, 0x80 | byte(c.picture>>8), byte(c.picture), c.tl0, tid<<6 | 0x20}
	switch {
	case k > 0:
	case key:
		payload[0] |= 0x10
		payload = append(payload, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, byte(c.width), byte(c.width>>8), byte(c.width*9/16), byte(c.width*9/16>>8))
	default:
		payload[0] |= 0x10
		payload = append(payload, 0x11, 0x02, 0x00)
	}
	payload = append(payload, make([]byte, max(size-len(payload)-hallMark, 0))...)
	payload = append(payload, c.rid+"-"[len(c.rid):]...)
	payload = append(payload, tid, byte(k))
	payload = append(payload, 0)
	payload = binary.BigEndian.AppendUint32(payload, uint32(c.picture))
	b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		c.m.hall.t.Fatal(err)
	}
	c.sink.Packet(c.m.hall.now, b)
}

// mark reads back which encoding and temporal layer a packet is of.
func (p *sentPacket) mark() (rid string, tid uint8) {
	m := p.payload[len(p.payload)-hallMark:]
	return string(m[:1]), m[1]
}

// mic publishes audio whose loudness is what level says, RFC 6464's 0 to 127;
// negative for silence, in which nothing is sent. A nil level sends packets without
// any.
func mic(level func(m *member) int) clientOption {
	return func(m *member, j *Join) {
		ssrc := uint32(j.ID)<<16 | 0x8020
		ext := hallExt
		m.offer = append(m.offer, transport.Track{
			MID: "mic", SSRCs: []uint32{ssrc}, Ext: ext, Formats: []transport.Format{{Codec: codec.Opus, PT: 111}},
		})
		var seq uint16
		m.hall.every(20*time.Millisecond, func() bool {
			if m.peer == nil {
				return true
			}
			seq++
			v := 0
			if level != nil {
				if v = level(m); v < 0 {
					return true
				}
			}
			h := rtp.Header{Version: 2, PayloadType: 111, SSRC: ssrc, SequenceNumber: seq, Timestamp: 960 * uint32(seq)}
			if level != nil {
				_ = h.SetExtension(stageAudioLevel, []byte{0x80 | byte(v)})
			}
			b, err := (&rtp.Packet{Header: h, Payload: append([]byte{0xfc}, make([]byte, 80)...)}).Marshal()
			if err != nil {
				m.hall.t.Fatal(err)
			}
			m.handler.Stream(ssrc).Packet(m.hall.now, b)
			return m.peer.Reason() == LeaveNone
		})
	}
}
