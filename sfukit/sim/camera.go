package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	// A keyframe costs as much as so many ordinary frames, which the encoder saves
	// on the frames behind it.
	keyframeCost = 6
	saving       = 0.3
	// Frame sizes vary by this much, as the standard deviation of their logarithm.
	frameSpread = 0.25
	// Encoders come up to their rate within so long after they first begin, as a
	// browser's own estimate does; switched off and on again they have it at once.
	rampTime  = 3 * time.Second
	rampFrom  = 0.5
	maxMTU    = 1180 // payload bytes per packet
	minFrame  = 120  // bytes
	keepSent  = time.Second
	screenFPS = 6 // every sixth frame interval, while little moves
)

// camera is a running Camera: one encoder per encoding, RTP out, RTCP in.
type camera struct {
	engine    *Engine
	c         Camera
	mid       string
	start     time.Duration
	stop      time.Duration
	send      func(ssrc uint32, b []byte)
	report    func(rtcp.Packet)
	encoders  []*encoder
	bySSRC    map[uint32]*encoder
	keyframes int
	ticks     int
	settle    time.Duration // when measuring begins
	rate      units.Bitrate // of all encodings
	free      time.Duration // when the next packet may leave
}

func newCamera(e *Engine, name, mid string, c Camera, ssrc uint32, span Span) *camera {
	cam := &camera{engine: e, c: c, mid: mid, start: span.From, stop: span.To, bySSRC: map[uint32]*encoder{}}
	for i, enc := range c.encodings() {
		random := e.Rand(fmt.Sprintf("camera %s %s %s", name, mid, enc.RID))
		en := &encoder{
			camera: cam, c: enc, place: uint8(i), random: random, ssrc: ssrc + uint32(2*i), rtx: ssrc + uint32(2*i) + 1,
			seq: uint16(random.Uint32()), rtxSeq: uint16(random.Uint32()), ts: random.Uint32(),
			picture: uint16(random.Uint32() & 0x7fff), tl0: uint8(random.Uint32()),
			sent: map[uint16]sentPacket{}, wantKey: true,
		}
		en.oldest = en.seq
		cam.encoders = append(cam.encoders, en)
		cam.bySSRC[en.ssrc] = en
		cam.rate += enc.Rate
	}
	phase := time.Duration(e.Rand("camera " + name + mid).Int64N(int64(frameInterval)))
	e.After(cam.start+phase, func() {
		cam.tick()
		e.Every(frameInterval, cam.tick)
		e.Every(time.Second, cam.senderReports)
	})
	return cam
}

func (c *camera) done() bool { return c.stop > 0 && c.engine.Elapsed() >= c.stop }

// tick captures a picture and encodes it on all rungs.
func (c *camera) tick() bool {
	if c.done() {
		return false
	}
	c.ticks++
	now := c.engine.Elapsed()
	share := c.c.share(now)
	if share <= 0 || c.c.Screen && share < 0.2 && c.ticks%screenFPS != 0 {
		return true
	}
	for _, e := range c.encoders {
		e.encode(now, share)
	}
	return true
}

// steady reports whether an encoding was sent all the time from one time to another.
func (c *camera) steady(place uint8, from, to time.Duration) bool {
	if int(place) >= len(c.encoders) || c.stop > 0 && to >= c.stop || c.c.share(from) <= 0 || c.c.share(to) <= 0 {
		return false
	}
	for at := max(from, 0); at <= to; at += frameInterval {
		if !c.encoders[place].running(at) {
			return false
		}
	}
	return true
}

// dark reports whether there was nothing to see at some time between two: a pause of
// the publisher's.
func (c *camera) dark(from, to time.Duration) bool {
	for at := max(from, 0); at <= to; at += frameInterval {
		lit := c.c.share(at) > 0 && !(c.stop > 0 && at >= c.stop)
		if !lit || !slices.ContainsFunc(c.encoders, func(e *encoder) bool { return e.running(at) }) {
			return true
		}
	}
	return false
}

// pace sends a packet when those before it have had time to leave: browsers spread
// what they encode at once.
func (c *camera) pace(ssrc uint32, b []byte) {
	c.free = max(c.free, c.engine.Elapsed())
	c.engine.After(c.free-c.engine.Elapsed(), func() { c.send(ssrc, b) })
	c.free += time.Duration(8 * float64(len(b)) / (paceFactor * float64(c.rate)) * float64(time.Second))
}

// senderReports tells where timestamps and clock are (RFC 3550 section 6.4.1).
func (c *camera) senderReports() bool {
	now := c.engine.Now()
	for _, e := range c.encoders {
		if e.packets == 0 {
			continue
		}
		c.report(&rtcp.SenderReport{
			SSRC: e.ssrc, NTPTime: report.ToNTP(now), RTPTime: e.ts + uint32(int64(c.engine.Elapsed())*90/int64(time.Millisecond)),
			PacketCount: e.packets, OctetCount: e.octets,
		})
	}
	return !c.done()
}

// feedback takes what the room asks of the camera; false if it is not for it.
func (c *camera) feedback(p rtcp.Packet) {
	switch r := p.(type) {
	case *rtcp.PictureLossIndication:
		if e := c.bySSRC[r.MediaSSRC]; e != nil {
			e.wantKey = true
		}
	case *rtcp.FullIntraRequest:
		for _, f := range r.FIR {
			if e := c.bySSRC[f.SSRC]; e != nil {
				e.wantKey = true
			}
		}
	case *rtcp.TransportLayerNack:
		if e := c.bySSRC[r.MediaSSRC]; e != nil {
			for _, pair := range r.Nacks {
				pair.Range(e.resend)
			}
		}
	}
}
