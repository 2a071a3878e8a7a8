package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Encoding is one rung of a camera's simulcast ladder.
type Encoding struct {
	// RID names it.
	RID string
	// Width and Height are its picture, in pixels.
	Width, Height int
	// Rate is what its encoder aims at, once it is up to speed.
	Rate units.Bitrate
	// Start is how long after the publisher's it begins: browsers start from the
	// bottom and add a rung when their own estimate has room for it.
	Start time.Duration
	// Off are times in which it is not sent, such as when the publisher's uplink
	// does not carry it or its tab is busy.
	Off []Span
}

// Camera describes a published video track, VP8 at 30 frames per second: the
// three encodings of a simulcast, or a screen. The zero value is the usual
// simulcast, see [Simulcast].
type Camera struct {
	// Encodings are its ladder, lowest first. Nil means Simulcast().
	Encodings []Encoding
	// Temporal is how many temporal layers each encoding has, 1 to 3. 0 means 1.
	Temporal int
	// Activity scales the rates of all encodings over time: a screen on which
	// nothing moves has little to send. Nil means their full rates throughout.
	Activity []Activity
	// Screen says that it is a screen: nothing is sent while nothing moves beyond
	// five frames per second.
	Screen bool
}

// Activity is how much of its rate a camera uses from a time on.
type Activity struct {
	At time.Duration
	// Share is 0 to 1; below 0.2 a screen sends five frames per second.
	Share float64
}

// Simulcast returns the ladder of a 720p camera as browsers set it up: 180p at
// 150 kbit/s, 360p at 500 kbit/s after one second and 720p at 1.7 Mbit/s after three.
func Simulcast() []Encoding {
	return []Encoding{
		{RID: "q", Width: 320, Height: 180, Rate: 150 * units.Kbps},
		{RID: "h", Width: 640, Height: 360, Rate: 500 * units.Kbps, Start: time.Second},
		{RID: "f", Width: 1280, Height: 720, Rate: 1700 * units.Kbps, Start: 3 * time.Second},
	}
}

func (c *Camera) encodings() []Encoding {
	if c.Encodings == nil {
		return Simulcast()
	}
	return c.Encodings
}

func (c *Camera) validate() error {
	if c.Temporal < 0 || c.Temporal > 3 {
		return fmt.Errorf("%w: Temporal %d, want 0 to 3", ErrConfig, c.Temporal)
	}
	for _, e := range c.encodings() {
		if e.Rate <= 0 || e.Width <= 0 || e.Height <= 0 || e.Width >= 1<<14 || e.Height >= 1<<14 {
			return fmt.Errorf("%w: Encoding %+v, want a rate and a size below 16384", ErrConfig, e)
		}
	}
	return nil
}

// share returns how much of their rate the encodings use at a time.
func (c *Camera) share(at time.Duration) float64 {
	share := 1.0
	for _, a := range c.Activity {
		if a.At <= at {
			share = a.Share
		}
	}
	return share
}

// What is negotiated on every line of a simulated room.
const (
	ptVP8, ptRTX, ptOpus = 96, 97, 111

	extMID, extRID, extRepairedRID = 1, 2, 3
	extAudioLevel                  = 4
	extTransportCC                 = 5
	extAbsSendTime                 = 6
	extContentType                 = 7
)

var extensions = transport.Extensions{
	MID: extMID, RID: extRID, RepairedRID: extRepairedRID, AudioLevel: extAudioLevel, AbsSendTime: extAbsSendTime,
	ContentType: extContentType,
}

// Bodies of media packets say in clear where they come from, behind what codecs
// look at, so that a receiver can tell what the network and the room did to them.
const (
	stampSize  = 14
	stampMagic = 0x5a
)

// stamp is what a media packet says about itself.
type stamp struct {
	encoding uint8 // place in the ladder
	key      bool
	last     bool          // of its frame
	frame    uint32        // of this encoding, from 1
	index    uint8         // in its frame
	captured time.Duration // since the start of the simulation
}

func (s *stamp) put(b []byte) {
	b[0], b[1], b[2] = stampMagic, s.encoding, 0
	if s.key {
		b[2] |= 1
	}
	if s.last {
		b[2] |= 2
	}
	binary.LittleEndian.PutUint32(b[3:], s.frame)
	b[7] = s.index
	us := uint64(s.captured.Microseconds())
	binary.LittleEndian.PutUint32(b[8:], uint32(us))
	b[12], b[13] = byte(us>>32), byte(us>>40)
}

// readStamp reads the last bytes of a payload; false if they are no stamp.
func readStamp(payload []byte) (stamp, bool) {
	if len(payload) < stampSize {
		return stamp{}, false
	}
	b := payload[len(payload)-stampSize:]
	if b[0] != stampMagic {
		return stamp{}, false
	}
	us := uint64(binary.LittleEndian.Uint32(b[8:])) | uint64(b[12])<<32 | uint64(b[13])<<40
	return stamp{
		encoding: b[1], key: b[2]&1 != 0, last: b[2]&2 != 0, frame: binary.LittleEndian.Uint32(b[3:]), index: b[7],
		captured: time.Duration(us) * time.Microsecond,
	}, true
}
