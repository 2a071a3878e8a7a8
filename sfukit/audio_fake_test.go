package sfukit

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

const (
	stageAudioLevel = 6
	// What the publisher and the subscribers call Opus and RED.
	micOpus, micRED   = 111, 63
	lineOpus, lineRED = 100, 101
)

// tape is a transport.Writer that keeps everything.
type tape struct{ packets []rtp.Packet }

func (w *tape) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.packets = append(w.packets, rtp.Packet{Header: h.Clone(), Payload: bytes.Clone(payload)})
	return h.MarshalSize() + len(payload), nil
}

// last returns the newest packet.
func (w *tape) last() rtp.Packet { return w.packets[len(w.packets)-1] }

// microphone is a publisher of audio whose packets are made by hand, and what
// two subscribers get of it: one who takes plain Opus and one who takes RED.
type microphone struct {
	*stage
	t          testing.TB
	stream     *stream
	enc        *encoding
	plain, red *tape
	twcc       uint16
}

func newMicrophone(t testing.TB) *microphone {
	t.Helper()
	m := &microphone{stage: newStage(t, 0), t: t, plain: &tape{}, red: &tape{}}
	ext := transport.Extensions{TransportCC: stageTransportCC, AbsSendTime: stageAbsSendTime, AudioLevel: stageAudioLevel}
	talker := m.peer(t, 10)
	tracks, _ := talker.pub.publish([]transport.Track{{
		MID: "0", SSRCs: []uint32{7}, Ext: ext,
		Formats: []transport.Format{{Codec: codec.Opus, PT: micOpus}, {Codec: codec.RED, PT: micRED}},
	}})
	m.stream, m.enc = talker.pub.stream(7), tracks[0].encodings[0]
	for i, w := range []*tape{m.plain, m.red} {
		p := m.peer(t, PeerID(20+i))
		p.connected.Store(true)
		params := transport.LineParams{SSRC: uint32(1000 + i), Format: transport.Format{Codec: codec.Opus, PT: lineOpus}, Ext: ext, Writer: w}
		if w == m.red {
			params.REDPT = lineRED
		}
		l := &downLine{peer: p, line: &fakeLine{params}}
		l.attach(tracks[0], true)
		m.lines = append(m.lines, l)
	}
	return m
}

// voice is the Opus frame number n.
func voice(n int) []byte {
	return fmt.Appendf([]byte{0xfc}, "frame %05d of the voice, which lasts 20 ms", n)
}

// say delivers frame n as a packet of its own.
func (m *microphone) say(n int) { m.deliver(n, micOpus, voice(n)) }

// sayRED delivers frame n with those before it, the oldest first.
func (m *microphone) sayRED(n int, earlier ...int) {
	var payload []byte
	for _, e := range earlier {
		offset, size := uint32(960*(n-e)), len(voice(e))
		payload = append(payload, 0x80|micOpus, byte(offset>>6), byte(offset<<2)|byte(size>>8), byte(size))
	}
	payload = append(payload, micOpus)
	for _, e := range append(earlier, n) {
		payload = append(payload, voice(e)...)
	}
	m.deliver(n, micRED, payload)
}

func (m *microphone) deliver(n int, pt uint8, payload []byte) {
	m.t.Helper()
	h := rtp.Header{Version: 2, PayloadType: pt, SSRC: 7, SequenceNumber: uint16(n), Timestamp: uint32(960 * n)}
	m.twcc++
	_ = h.SetExtension(stageTransportCC, []byte{byte(m.twcc >> 8), byte(m.twcc)})
	_ = h.SetExtension(stageAudioLevel, []byte{0x80 | byte(n%60)})
	b, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		m.t.Fatal(err)
	}
	m.stream.Packet(time.Now(), b)
}

// heard lists the frames a subscriber of plain audio got, in the order of arrival.
func (m *microphone) heard(w *tape) string {
	m.t.Helper()
	var frames []int
	for i := range w.packets {
		p := &w.packets[i]
		if p.PayloadType != lineOpus {
			m.t.Errorf("payload type %d at a subscriber of plain audio, want %d", p.PayloadType, lineOpus)
		}
		frames = append(frames, m.frame(p.Payload))
		if step, want := p.Timestamp-w.packets[0].Timestamp, uint32(960*(frames[i]-frames[0])); step != want {
			m.t.Errorf("frame %d is %d ticks after the first, want %d", frames[i], step, want)
		}
		if step, want := p.SequenceNumber-w.packets[0].SequenceNumber, uint16(frames[i]-frames[0]); step != want {
			m.t.Errorf("frame %d is %d numbers after the first, want %d", frames[i], step, want)
		}
	}
	return fmt.Sprint(frames)
}

// frame reads back which frame an Opus payload is.
func (m *microphone) frame(payload []byte) int {
	m.t.Helper()
	n := 0
	if _, err := fmt.Sscanf(string(payload[1:]), "frame %d", &n); err != nil || !bytes.Equal(payload, voice(n)) {
		m.t.Errorf("%q is no frame", payload)
	}
	return n
}

// packetAt is a plain packet with any timestamp.
func packetAt(t testing.TB, seq uint16, timestamp uint32, payload []byte) []byte {
	t.Helper()
	b, err := (&rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: micOpus, SSRC: 7, SequenceNumber: seq, Timestamp: timestamp},
		Payload: payload,
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
