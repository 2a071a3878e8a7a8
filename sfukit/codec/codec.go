package codec

import "strings"

// Codec names an RTP payload format. The zero value is Unknown. Values are not
// stable across releases: store the MIME type instead.
type Codec uint8

// The payload formats this package reads.
const (
	// Unknown is any format that is not listed here.
	Unknown Codec = iota
	// Opus is audio, RFC 7587.
	Opus
	// RED is redundant audio, RFC 2198, carrying Opus.
	RED
	// VP8 is video, RFC 7741.
	VP8
	// VP9 is video, RFC 9628.
	VP9
	// H264 is video, RFC 6184.
	H264
	// AV1 is video, "RTP Payload Format For AV1" version 1.0 (AOMedia).
	AV1
)

// RTP clock rates in Hz, from the payload formats named above.
const (
	audioClockRate = 48_000
	videoClockRate = 90_000
)

var names = [...]struct{ name, mime string }{
	Unknown: {"unknown", ""},
	Opus:    {"opus", "audio/opus"},
	RED:     {"red", "audio/red"},
	VP8:     {"VP8", "video/VP8"},
	VP9:     {"VP9", "video/VP9"},
	H264:    {"H264", "video/H264"},
	AV1:     {"AV1", "video/AV1"},
}

// FromMIME returns the codec of a media type such as "video/VP8", in any
// letter case, and Unknown for all others.
func FromMIME(mime string) Codec {
	for c := Opus; int(c) < len(names); c++ {
		if strings.EqualFold(names[c].mime, mime) {
			return c
		}
	}
	return Unknown
}

// MIME returns the media type as registered with IANA, such as "video/VP8",
// and "" for Unknown.
func (c Codec) MIME() string { return c.entry().mime }

// String returns the encoding name as SDP writes it, such as "VP8", and
// "unknown" for Unknown.
func (c Codec) String() string { return c.entry().name }

// Video reports whether c is a video format.
func (c Codec) Video() bool { return c >= VP8 && c <= AV1 }

// Audio reports whether c is an audio format.
func (c Codec) Audio() bool { return c == Opus || c == RED }

// ClockRate returns the RTP clock rate in Hz: 48000 for audio, 90000 for
// video, 0 for Unknown.
func (c Codec) ClockRate() uint32 {
	switch {
	case c.Audio():
		return audioClockRate
	case c.Video():
		return videoClockRate
	default:
		return 0
	}
}

func (c Codec) entry() struct{ name, mime string } {
	if int(c) >= len(names) {
		c = Unknown
	}
	return names[c]
}
