package codec_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

func TestCodec(t *testing.T) {
	for _, tc := range []struct {
		mime  string
		want  codec.Codec
		name  string
		video bool
		rate  uint32
	}{
		{"audio/opus", codec.Opus, "opus", false, 48000},
		{"audio/red", codec.RED, "red", false, 48000},
		{"video/VP8", codec.VP8, "VP8", true, 90000},
		{"video/VP9", codec.VP9, "VP9", true, 90000},
		{"video/H264", codec.H264, "H264", true, 90000},
		{"video/AV1", codec.AV1, "AV1", true, 90000},
	} {
		c := codec.FromMIME(tc.mime)
		if c != tc.want || c.MIME() != tc.mime || c.String() != tc.name {
			t.Errorf("FromMIME(%q) = %v (%q), want %v", tc.mime, c, c.MIME(), tc.want)
		}
		if c.Video() != tc.video || c.Audio() == tc.video || c.ClockRate() != tc.rate {
			t.Errorf("%v: Video %v, Audio %v, ClockRate %d; want video %v at %d",
				c, c.Video(), c.Audio(), c.ClockRate(), tc.video, tc.rate)
		}
	}
	if got := codec.FromMIME("VIDEO/vp8"); got != codec.VP8 {
		t.Errorf("FromMIME ignores case: got %v, want VP8", got)
	}
	for _, mime := range []string{"", "video/rtx", "video/H265", "VP8"} {
		if got := codec.FromMIME(mime); got != codec.Unknown {
			t.Errorf("FromMIME(%q) = %v, want unknown", mime, got)
		}
	}
	if c := codec.Codec(200); c.String() != "unknown" || c.MIME() != "" || c.ClockRate() != 0 || c.Video() || c.Audio() {
		t.Errorf("Codec(200) = %v %q %d, want unknown, no MIME type, no rate", c, c.MIME(), c.ClockRate())
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		name    string
		codec   codec.Codec
		payload []byte
		want    error
	}{
		{"unknown codec", codec.Unknown, []byte{1}, codec.ErrUnsupported},
		{"empty opus", codec.Opus, nil, codec.ErrShort},
		{"empty vp8", codec.VP8, []byte{}, codec.ErrShort},
		{"vp8 descriptor only", codec.VP8, []byte{0x10}, codec.ErrShort},
		{"vp8 no extension byte", codec.VP8, []byte{0x90}, codec.ErrShort},
		{"vp8 no picture id", codec.VP8, []byte{0x90, 0x80}, codec.ErrShort},
		{"vp8 half a picture id", codec.VP8, []byte{0x90, 0x80, 0x80}, codec.ErrShort},
		{"vp8 no tl0picidx", codec.VP8, []byte{0x90, 0x40}, codec.ErrShort},
		{"vp8 no tid", codec.VP8, []byte{0x90, 0x20}, codec.ErrShort},
		{"vp9 no layers", codec.VP9, []byte{0x20}, codec.ErrShort},
		{"vp9 no tl0picidx", codec.VP9, []byte{0x20, 0x00}, codec.ErrShort},
		{"vp9 no reference", codec.VP9, []byte{0x50}, codec.ErrShort},
		{"vp9 four references", codec.VP9, []byte{0x50, 3, 3, 3, 3, 0}, codec.ErrMalformed},
		{"vp9 structure without sizes", codec.VP9, []byte{0x0a, 0x30, 0, 1, 0, 1}, codec.ErrShort},
		{"vp9 structure without pictures", codec.VP9, []byte{0x0a, 0x08, 200, 0, 0, 0}, codec.ErrShort},
		{"vp9 descriptor only", codec.VP9, []byte{0x08}, codec.ErrShort},
		{"h264 type 0", codec.H264, []byte{0x60, 1}, codec.ErrUnsupported},
		{"h264 MTAP16", codec.H264, []byte{0x7a, 1, 2}, codec.ErrUnsupported},
		{"h264 empty STAP-A", codec.H264, []byte{0x78}, codec.ErrShort},
		{"h264 STAP-A too long", codec.H264, []byte{0x78, 0, 9, 0x67}, codec.ErrShort},
		{"h264 FU-A without header", codec.H264, []byte{0x7c}, codec.ErrShort},
		{"av1 header only", codec.AV1, []byte{0x08}, codec.ErrShort},
		{"av1 new sequence in the middle", codec.AV1, []byte{0x88, 0x0a}, codec.ErrMalformed},
		{"av1 element too long", codec.AV1, []byte{0x00, 0x7f, 0x0a}, codec.ErrShort},
		{"red without a primary header", codec.RED, []byte{0xef, 0, 0, 1}, codec.ErrMalformed},
	} {
		p := codec.Payload{Start: true, Keyframe: true, Width: 7}
		if err := codec.Parse(tc.codec, tc.payload, &p); !errors.Is(err, tc.want) {
			t.Errorf("%s: Parse = %v, want %v", tc.name, err, tc.want)
		}
		if p != (codec.Payload{}) {
			t.Errorf("%s: a failed Parse left %+v, want zero", tc.name, p)
		}
	}
}

func TestParseAudio(t *testing.T) {
	for c, payload := range map[codec.Codec][]byte{codec.Opus: {0x78}, codec.RED: {111, 0x78}} {
		var p codec.Payload
		if err := codec.Parse(c, payload, &p); err != nil || !p.Start || !p.Keyframe {
			t.Errorf("Parse(%v) = %+v, %v; want a start to begin with", c, p, err)
		}
	}
}

func TestParseAllocates(t *testing.T) {
	for _, s := range seeds {
		var p codec.Payload
		if n := testing.AllocsPerRun(100, func() { _ = codec.Parse(s.codec, s.payload, &p) }); n != 0 {
			t.Errorf("Parse(%v): %v allocations, want 0", s.codec, n)
		}
	}
}

func ExampleParse() {
	payload := []byte{
		0x90, 0xe0, 0x92, 0x34, 0x07, 0x20, // descriptor: S, PictureID 0x1234, TL0PICIDX 7, TID 0, Y
		0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01, // key frame, 640x480
	}
	var p codec.Payload
	if err := codec.Parse(codec.VP8, payload, &p); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("can begin here:", p.Start && p.Keyframe)
	fmt.Printf("%dx%d, picture %#x of %d bits, TL0PICIDX %d\n",
		p.Width, p.Height, p.Descriptor.PictureID, p.Descriptor.PictureIDBits, p.Descriptor.TL0PICIDX)
	// Output:
	// can begin here: true
	// 640x480, picture 0x1234 of 15 bits, TL0PICIDX 7
}
