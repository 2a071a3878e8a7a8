package sim

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"github.com/pion/rtp"
)

// encoder is one encoding's state.
type encoder struct {
	camera *camera
	c      Encoding
	place  uint8
	random *rand.Rand
	ssrc   uint32
	rtx    uint32

	seq, rtxSeq uint16
	ts          uint32 // of the epoch
	picture     uint16
	tl0         uint8
	frame       uint32
	step        int // in the temporal pattern
	wantKey     bool
	began       time.Duration
	on          bool
	unwanted    bool    // nobody watches it, says the room
	debt        float64 // bytes

	packets, octets uint32
	wire            int64 // packets since measuring began
	sent            map[uint16]sentPacket
	oldest          uint16
	media           int64         // bytes of payload since then
	active          time.Duration // as long at a full share
}

type sentPacket struct {
	at time.Time
	b  []byte
}

// running reports whether the encoding is sent at a time.
func (e *encoder) running(now time.Duration) bool {
	if now < e.camera.start+e.c.Start {
		return false
	}
	for _, s := range e.c.Off {
		if s.Contains(now) {
			return false
		}
	}
	return true
}

// encode makes one frame and sends it.
func (e *encoder) encode(now time.Duration, share float64) {
	if !e.running(now) || e.unwanted {
		e.on = false
		return
	}
	if !e.on {
		e.on, e.wantKey = true, true
		if e.frame == 0 {
			e.began = now
		}
	}
	if now >= e.camera.settle {
		e.active += time.Duration(share * float64(frameInterval))
	}
	ramp := min(1, rampFrom+(1-rampFrom)*float64(now-e.began)/float64(rampTime))
	mean := ramp * share * float64(e.c.Rate) / 8 * frameInterval.Seconds()
	if e.camera.c.Screen && share < 0.2 {
		mean *= screenFPS
	}
	key := e.wantKey
	e.wantKey = false
	size := mean * math.Exp(frameSpread*e.random.NormFloat64()-frameSpread*frameSpread/2)
	if key {
		e.debt += (keyframeCost - 1) * mean
		size *= keyframeCost
		e.step = 0
		e.camera.keyframes++
	} else {
		save := min(e.debt, saving*size)
		e.debt -= save
		size -= save
	}
	tid, sync := e.layer()
	size *= layerWeight[e.camera.temporal()-1][tid]
	e.packetise(now, int(max(size, minFrame)), key, tid, sync)
}

func (c *camera) temporal() int { return max(1, c.c.Temporal) }

// layerWeight is how large a frame of a temporal layer is beside the mean, by the
// number of layers: the shares of the rate are 60 and 40 %, and 40, 20 and 40 %, as
// libwebrtc gives its temporal layers.
var layerWeight = [3][3]float64{{1}, {1.2, 0.8}, {1.6, 0.8, 0.8}}

// layer returns the next frame's temporal layer and whether it depends on the base
// layer alone.
func (e *encoder) layer() (tid uint8, sync bool) {
	step := e.step
	e.step++
	switch e.camera.temporal() {
	case 2:
		return [2]uint8{0, 1}[step%2], step%2 == 1
	case 3:
		step %= 4
		return [4]uint8{0, 2, 1, 2}[step], step == 1 || step == 2
	default:
		return 0, false
	}
}

// packetise sends a frame of about size bytes as packets of RFC 7741.
func (e *encoder) packetise(now time.Duration, size int, key bool, tid uint8, sync bool) {
	e.frame++
	e.picture = (e.picture + 1) & 0x7fff
	if tid == 0 {
		e.tl0++
	}
	n := max(1, (size+maxMTU-1)/maxMTU)
	ts := e.ts + uint32(int64(now)*90/int64(time.Millisecond))
	for i := range n {
		body := size / n
		b := e.descriptor(i == 0, tid, sync)
		if i == 0 {
			b = e.frameHeader(b, key)
		}
		pad := max(0, body-len(b)-stampSize)
		b = append(b, make([]byte, pad+stampSize)...)
		s := stamp{encoding: e.place, key: key, last: i == n-1, frame: e.frame, index: uint8(min(i, 255)), captured: now}
		s.put(b[len(b)-stampSize:])
		e.send(&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: ptVP8, SSRC: e.ssrc, SequenceNumber: e.seq, Timestamp: ts, Marker: i == n-1},
			Payload: b,
		})
		if now >= e.camera.settle {
			e.media += int64(len(b))
			e.wire++
		}
	}
}

// descriptor writes the payload descriptor (RFC 7741 section 4.2).
func (e *encoder) descriptor(start bool, tid uint8, sync bool) []byte {
	first, ext := byte(0x80), byte(0xc0) // X; I and L
	if start {
		first |= 0x10
	}
	if tid > 0 && int(tid) == e.camera.temporal()-1 {
		first |= 0x20 // nothing refers to it
	}
	if e.camera.temporal() > 1 {
		ext |= 0x20
	}
	b := make([]byte, 0, maxMTU+32)
	b = append(b, first, ext, 0x80|byte(e.picture>>8), byte(e.picture), e.tl0)
	if e.camera.temporal() > 1 {
		y := byte(0)
		if sync {
			y = 0x20
		}
		b = append(b, tid<<6|y)
	}
	return b
}

// frameHeader writes what a decoder reads first (RFC 6386 section 9.1).
func (e *encoder) frameHeader(b []byte, key bool) []byte {
	if !key {
		return append(b, 0x11, 0x02, 0x00)
	}
	w, h := e.c.Width, e.c.Height
	return append(b, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, byte(w), byte(w>>8), byte(h), byte(h>>8))
}

// send numbers a packet and puts it on the wire.
func (e *encoder) send(p *rtp.Packet) {
	_ = p.SetExtension(extMID, []byte(e.camera.mid)) // one-byte extensions of valid ids and sizes
	if e.c.RID != "" {
		_ = p.SetExtension(extRID, []byte(e.c.RID))
	}
	if e.camera.c.Screen {
		_ = p.SetExtension(extContentType, []byte{1})
	}
	b, err := p.Marshal()
	if err != nil {
		return // a packet of ours always can be written
	}
	now := e.camera.engine.Now()
	e.sent[e.seq] = sentPacket{now, b}
	e.seq++
	for s, ok := e.sent[e.oldest]; ok && now.Sub(s.at) > keepSent; s, ok = e.sent[e.oldest] {
		delete(e.sent, e.oldest)
		e.oldest++
	}
	e.packets++
	e.octets += uint32(len(p.Payload))
	e.camera.pace(e.ssrc, append([]byte(nil), b...))
}

// resend repairs a packet over RTX (RFC 4588).
func (e *encoder) resend(seq uint16) bool {
	s, ok := e.sent[seq]
	if !ok {
		return true
	}
	var p rtp.Packet
	if err := p.Unmarshal(s.b); err != nil {
		return true // it is what we marshalled
	}
	h := rtp.Header{
		Version: 2, PayloadType: ptRTX, SSRC: e.rtx, SequenceNumber: e.rtxSeq, Timestamp: p.Timestamp, Marker: p.Marker,
	}
	e.rtxSeq++
	_ = h.SetExtension(extMID, []byte(e.camera.mid))
	if e.c.RID != "" {
		_ = h.SetExtension(extRepairedRID, []byte(e.c.RID))
	}
	body := append(binary.BigEndian.AppendUint16(nil, seq), p.Payload...)
	if b, err := (&rtp.Packet{Header: h, Payload: body}).Marshal(); err == nil {
		e.camera.send(e.rtx, b)
	}
	return true
}
