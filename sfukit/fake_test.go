package sfukit

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// stage is a room without connections: a publisher whose packets are given by
// hand, and subscribers that write into nothing.
type stage struct {
	registry  *Registry
	room      *Room
	publisher *Peer
	lines     []*downLine
}

// sink counts what it is given, and keeps the last packet if told to.
type sink struct {
	packets int
	bytes   int
	keep    bool
	headers []rtp.Header
}

func (s *sink) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	s.packets++
	s.bytes += len(payload)
	if s.keep {
		s.headers = append(s.headers, h.Clone())
	}
	return h.MarshalSize() + len(payload), nil
}

// fakeLine is a transport.Line as if negotiated.
type fakeLine struct{ params transport.LineParams }

func (l *fakeLine) MID() string                   { return "0" }
func (l *fakeLine) Params() *transport.LineParams { return &l.params }
func (l *fakeLine) Format() transport.Format      { return l.params.Format }
func (l *fakeLine) Name(string, string)           {}
func (l *fakeLine) SetActive(bool)                {}

const (
	stageTransportCC = 3
	stageAbsSendTime = 4
	stageRID         = 5
)

// newStage sets up a publisher of one VP8 track with the given encodings, and
// subscribers who watch it.
func newStage(t testing.TB, subscribers int, rids ...string) *stage {
	t.Helper()
	r, err := NewRegistry(Config{SfuConfig: SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{registry: r}
	if s.room, err = r.acquire("room"); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	t.Cleanup(func() {
		once.Do(func() { r.release(s.room) })
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	ext := transport.Extensions{TransportCC: stageTransportCC, AbsSendTime: stageAbsSendTime, RID: stageRID}
	format := transport.Format{Codec: codec.VP8, PT: 96, RTXPT: 97}
	s.publisher = s.peer(t, 1)
	tracks, _ := s.publisher.pub.publish([]transport.Track{{
		MID: "0", Video: true, Formats: []transport.Format{format}, RIDs: rids, Ext: ext,
	}})
	for i := range subscribers {
		p := s.peer(t, PeerID(i+2))
		p.connected.Store(true)
		ssrc := uint32(1000 + 2*i)
		l := &downLine{peer: p, line: &fakeLine{transport.LineParams{
			SSRC: ssrc, RTXSSRC: ssrc + 1, Format: format, Ext: ext, Writer: &sink{},
		}}}
		l.attach(tracks[0], true)
		s.lines = append(s.lines, l)
	}
	return s
}

func (s *stage) peer(t testing.TB, id PeerID) *Peer {
	t.Helper()
	p, err := newPeer(s.room, Join{Room: "room", ID: id, Events: PeerEvents{
		PublishLayers: func(PublishLayers) {},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *stage) sink(i int) *sink {
	return s.lines[i].line.Params().Writer.(*sink) //nolint:forcetypeassert // newStage made it
}

// camera makes the packets of one encoding: one packet a frame, 1100 bytes,
// with the extensions a browser sends.
type camera struct {
	stream *stream
	buf    []byte
	packet []byte
	seq    uint16
	ts     uint32
	twcc   uint16
}

func (s *stage) camera(ssrc uint32, rid string) *camera {
	h := rtp.Header{Version: 2, PayloadType: 96, SSRC: ssrc, Marker: true}
	_ = h.SetExtension(stageTransportCC, []byte{0, 0})
	_ = h.SetExtension(stageAbsSendTime, []byte{0, 0, 0})
	if rid != "" {
		_ = h.SetExtension(stageRID, []byte(rid))
	}
	payload := make([]byte, 1100)
	copy(payload, []byte{0x90, 0xc0, 0x80, 0, 0, 0x11, 0x02, 0}) // picture id, TL0PICIDX, an inter frame
	b, _ := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	return &camera{stream: s.publisher.pub.stream(ssrc), packet: b, buf: make([]byte, len(b))}
}

// send delivers the next frame.
func (c *camera) send(key bool) {
	c.seq++
	c.ts += 3000
	c.twcc++
	c.deliver(c.seq, c.ts, key)
}

func (c *camera) deliver(seq uint16, ts uint32, key bool) {
	b := c.buf
	copy(b, c.packet)
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint16(b[17:], c.twcc) // the first extension's value
	payload := b[len(b)-1100:]
	binary.BigEndian.PutUint16(payload[2:], 0x8000|seq&0x7fff)
	payload[4] = byte(seq)
	if key {
		copy(payload[5:], []byte{0x10, 0x02, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01})
	}
	c.stream.Packet(time.Now(), b)
}

// show makes every line want what it should, and begins with a keyframe.
func (s *stage) show(c *camera) {
	c.send(true)
	for _, l := range s.lines {
		l.peer.sub.reallocate(time.Now())
	}
	c.send(true)
}
