package sfukit_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// The traffic of package sim's cameras: sizes of frames vary by a quarter, a
// keyframe is six of them and saved on what follows, an encoder comes up to its rate
// in three seconds, and what is captured at once leaves at 2.5 times the rate.
const (
	camInterval = time.Second / 30
	camSpread   = 0.25
	camKey      = 6
	camSaving   = 0.3
	camRamp     = 3 * time.Second
	camPace     = 2.5
	camPayload  = 1180
	camLeast    = 120
)

// webcam is a source with the frames of a simulcast of package sim.
type webcam struct {
	*source
	began    time.Time
	encoders []*camEncoder
	mid, rid uint8 // header extensions
	rate     units.Bitrate
	free     time.Time // when the next packet may leave
	queue    []camPacket

	wanted struct {
		sync.Mutex
		none map[string]bool // encodings that the room does not want
	}
}

type camEncoder struct {
	sim.Encoding
	*encoder
	random *rand.Rand
	on     bool
	since  time.Time
	debt   float64 // bytes
}

type camPacket struct {
	at       time.Time
	encoding int
	packet   *rtp.Packet
}

func addCamera(t testing.TB, pc *webrtc.PeerConnection, id string) *webcam {
	t.Helper()
	c := &webcam{}
	var rids []string
	for _, e := range sim.Simulcast() {
		rids = append(rids, e.RID)
		c.encoders = append(c.encoders, &camEncoder{Encoding: e})
		c.rate += e.Rate
	}
	c.source = addTrack(t, pc, webrtc.MimeTypeVP8, id, rids...)
	return c
}

// publish follows what the room asks of the publisher.
func (c *webcam) publish(l sfukit.PublishLayers) {
	if l.MID != c.source.mid() {
		return
	}
	c.wanted.Lock()
	defer c.wanted.Unlock()
	c.wanted.none = map[string]bool{}
	for _, e := range c.encoders {
		c.wanted.none[e.RID] = true
	}
	for _, rid := range l.RIDs {
		delete(c.wanted.none, string(rid))
	}
}

func (c *webcam) unwanted(rid string) bool {
	c.wanted.Lock()
	defer c.wanted.Unlock()
	return c.wanted.none[rid]
}

// film captures pictures until the source is closed. The seed decides their sizes.
func (c *webcam) film(seed uint64) {
	c.feedback()
	c.began = time.Now()
	for _, e := range c.sender.GetParameters().HeaderExtensions {
		switch e.URI {
		case sdp.SDESMidURI:
			c.mid = uint8(e.ID)
		case sdp.SDESRTPStreamIDURI:
			c.rid = uint8(e.ID)
		}
	}
	for i, e := range c.encoders {
		e.encoder = c.start(e.RID)
		e.random = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	mid := c.source.mid()
	c.done.Go(func() {
		ticker, timer := time.NewTicker(camInterval), time.NewTimer(camInterval)
		defer ticker.Stop()
		defer timer.Stop()
		for {
			select {
			case <-c.stop:
				return
			case now := <-ticker.C:
				c.capture(now, mid)
			case <-timer.C:
			}
			if after := c.send(time.Now()); after > 0 {
				timer.Reset(after)
			}
		}
	})
}

// capture encodes one picture on all rungs.
func (c *webcam) capture(now time.Time, mid string) {
	for i, e := range c.encoders {
		e.ts += 3000
		if now.Sub(c.began) < e.Start || c.unwanted(e.RID) {
			e.on = false
			continue
		}
		if !e.on {
			e.on = true
			e.key.Store(true)
			if e.since.IsZero() {
				e.since = now
			}
		}
		key := e.key.Swap(false)
		c.packetise(now, i, key, e.size(now, key), mid)
	}
}

// size returns how large the next frame is, in bytes.
func (e *camEncoder) size(now time.Time, key bool) int {
	mean := min(1, 0.5+0.5*float64(now.Sub(e.since))/float64(camRamp)) * float64(e.Rate.Bytes(camInterval))
	size := mean * math.Exp(camSpread*e.random.NormFloat64()-camSpread*camSpread/2)
	if key {
		e.debt += (camKey - 1) * mean
		return int(camKey * size)
	}
	saved := min(e.debt, camSaving*size)
	e.debt -= saved
	return max(int(size-saved), camLeast)
}

// packetise puts a frame into the queue.
func (c *webcam) packetise(now time.Time, i int, key bool, size int, mid string) {
	e := c.encoders[i]
	e.pictureID = (e.pictureID + 1) & 0x7fff
	e.tl0++
	e.frames++
	n := max(1, (size+camPayload-1)/camPayload)
	for k := range n {
		body := vp8Payload(e.encoder, key, k == 0, e.Width, e.Height)
		body = append(body, make([]byte, max(0, size/n-len(body)-camMarkSize))...)
		body = camMark{encoding: i, key: key, first: k == 0, frame: uint32(e.frames)}.append(body)
		p := &rtp.Packet{Header: rtp.Header{
			Version: 2, SequenceNumber: e.seq, Timestamp: e.ts, Marker: k == n-1,
		}, Payload: body}
		e.seq++
		_ = p.SetExtension(c.mid, []byte(mid)) // one-byte extensions of valid ids and sizes
		_ = p.SetExtension(c.rid, []byte(e.RID))
		if c.free.Before(now) {
			c.free = now
		}
		c.queue = append(c.queue, camPacket{c.free, i, p})
		c.free = c.free.Add(time.Duration(8 * float64(len(body)) / (camPace * float64(c.rate)) * float64(time.Second)))
	}
}

// send sends what is due, and returns when the next is.
func (c *webcam) send(now time.Time) time.Duration {
	for len(c.queue) > 0 && !c.queue[0].at.After(now) {
		if c.local[c.queue[0].encoding].WriteRTP(c.queue[0].packet) != nil {
			c.queue = nil
			return 0
		}
		c.queue = c.queue[1:]
	}
	if len(c.queue) == 0 {
		return 0
	}
	return c.queue[0].at.Sub(now)
}

// camMark is what a packet's last bytes say about it.
type camMark struct {
	encoding   int
	key, first bool
	frame      uint32
}

const camMarkSize = 7

func (m camMark) append(b []byte) []byte {
	b = append(b, byte(m.encoding), 0, 0)
	if m.key {
		b[len(b)-2] = 1
	}
	if m.first {
		b[len(b)-1] = 1
	}
	return binary.BigEndian.AppendUint32(b, m.frame)
}

// readCamMark reads it back; false if the payload is none of a camera's.
func readCamMark(payload []byte) (camMark, bool) {
	if len(payload) < camMarkSize {
		return camMark{}, false
	}
	b := payload[len(payload)-camMarkSize:]
	return camMark{int(b[0]), b[1] == 1, b[2] == 1, binary.BigEndian.Uint32(b[3:])}, true
}
