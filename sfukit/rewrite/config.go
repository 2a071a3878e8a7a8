package rewrite

import (
	"errors"
	"fmt"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// ErrConfig is returned by New for an impossible Config.
var ErrConfig = errors.New("rewrite: invalid configuration")

// maxClockRate in Hz is far above any RTP payload format and keeps products of
// rate and time within 64 bits.
const maxClockRate = 1_000_000

// Config says what a line carries and where its counters begin. Codec is
// required; zero is a valid value of every other field.
type Config struct {
	// Codec is the payload format of all sources of the line.
	Codec codec.Codec
	// ClockRate of the RTP timestamps in Hz, at most 1000000. 0 means the
	// codec's own.
	ClockRate uint32
	// FirstSeq is the first sequence number sent. The caller draws it at
	// random below 1<<15, so that losing the first packets cannot mislead the
	// receiver's SRTP roll-over counter (RFC 3711 section 3.3.1).
	FirstSeq uint16
	// FirstTimestamp is the first timestamp sent, drawn at random.
	FirstTimestamp uint32
	// PictureID of the first picture sent, below 1<<15. VP8 and VP9 only.
	PictureID uint16
	// TL0PICIDX of the first picture sent. VP8 and VP9 only.
	TL0PICIDX uint8
}

func (c Config) validate() error {
	switch {
	case !c.Codec.Audio() && !c.Codec.Video():
		return fmt.Errorf("%w: Codec %d is unknown", ErrConfig, c.Codec)
	case c.ClockRate > maxClockRate:
		return fmt.Errorf("%w: ClockRate %d is above %d", ErrConfig, c.ClockRate, maxClockRate)
	case c.FirstSeq >= 1<<15:
		return fmt.Errorf("%w: FirstSeq %d is not below %d", ErrConfig, c.FirstSeq, 1<<15)
	case c.PictureID >= 1<<15:
		return fmt.Errorf("%w: PictureID %d is not below %d", ErrConfig, c.PictureID, 1<<15)
	}
	return nil
}
