package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

const (
	audioInterval = 20 * time.Millisecond
	audioSize     = 80 // bytes, 32 kbit/s of Opus
	loud, quiet   = 25, 90
)

// microphone publishes Opus, 50 packets per second with audio levels (RFC 6464):
// its owner speaks for some seconds, then listens for some.
type microphone struct {
	engine   *Engine
	mid      string
	ssrc     uint32
	send     func(ssrc uint32, b []byte)
	report   func(rtcp.Packet)
	random   *rand.Rand
	stop     time.Duration
	seq      uint16
	ts       uint32
	frame    uint32
	octets   uint32
	speaking bool
	turn     time.Duration // until when
	began    time.Duration
}

func newMicrophone(e *Engine, name, mid string, ssrc uint32, span Span) *microphone {
	random := e.Rand(fmt.Sprintf("microphone %s", name))
	m := &microphone{
		engine: e, mid: mid, ssrc: ssrc, random: random, stop: span.To,
		seq: uint16(random.Uint32()), ts: random.Uint32(),
	}
	e.After(span.From+time.Duration(random.Int64N(int64(audioInterval))), func() {
		m.began = e.Elapsed()
		m.tick()
		e.Every(audioInterval, m.tick)
		e.Every(time.Second, m.senderReport)
	})
	return m
}

func (m *microphone) done() bool { return m.stop > 0 && m.engine.Elapsed() >= m.stop }

func (m *microphone) tick() bool {
	if m.done() {
		return false
	}
	now := m.engine.Elapsed()
	if now >= m.turn {
		m.speaking = !m.speaking
		m.turn = now + time.Duration(1+m.random.IntN(8))*time.Second
	}
	level := byte(quiet)
	if m.speaking {
		level = byte(loud + m.random.IntN(15))
	}
	payload := make([]byte, audioSize)
	payload[0] = 0x78 // Opus TOC: CELT, 20 ms (RFC 6716 section 3.1)
	s := stamp{frame: m.frame + 1, last: true, captured: now}
	s.put(payload[audioSize-stampSize:])
	p := rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: ptOpus, SSRC: m.ssrc, SequenceNumber: m.seq, Timestamp: m.ts + 960*m.frame},
		Payload: payload,
	}
	m.seq++
	m.frame++
	m.octets += audioSize
	_ = p.SetExtension(extMID, []byte(m.mid)) // one-byte extensions of valid ids and sizes
	_ = p.SetExtension(extAudioLevel, []byte{level})
	if b, err := p.Marshal(); err == nil {
		m.send(m.ssrc, b)
	}
	return true
}

func (m *microphone) senderReport() bool {
	m.report(&rtcp.SenderReport{
		SSRC: m.ssrc, NTPTime: report.ToNTP(m.engine.Now()), RTPTime: m.ts + uint32(int64(m.engine.Elapsed()-m.began)*48/int64(time.Millisecond)),
		PacketCount: m.frame, OctetCount: m.octets,
	})
	return !m.done()
}
