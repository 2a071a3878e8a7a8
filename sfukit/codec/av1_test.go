package codec_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// sequenceHeader is an AV1 sequence header OBU body of 1280x720. Full has
// timing, a decoder model, and two operating points.
func sequenceHeader(full bool) []byte {
	w := (&bitWriter{}).bits(3, 0).bits(1, 0).bits(1, 0) // profile, still picture, reduced
	if full {
		w.bits(1, 1).bits(32, 1).bits(32, 30).bits(1, 1).golomb(0) // timing
		w.bits(1, 1).bits(5, 9).bits(32, 1).bits(5, 9).bits(5, 9)  // decoder model
		w.bits(1, 1).bits(5, 1)                                    // display delay, two points
		w.bits(12, 0x103).bits(5, 9).bits(1, 1)                    // level 9 has a tier
		w.bits(1, 1).bits(20, 0).bits(1, 0).bits(1, 1).bits(4, 3)  // model, delay
		w.bits(12, 0x101).bits(5, 5).bits(1, 0).bits(1, 0)
	} else {
		w.bits(1, 0).bits(1, 0).bits(5, 0).bits(12, 0).bits(5, 5)
	}
	w.bits(4, 10).bits(4, 9).bits(11, 1279).bits(10, 719)
	return w.bits(8, 0).b
}

func element(b []byte) []byte { return append([]byte{byte(len(b))}, b...) }

func TestParseAV1(t *testing.T) {
	plain := append([]byte{0x08}, sequenceHeader(false)...)
	full := append([]byte{0x08}, sequenceHeader(true)...)
	reduced := append([]byte{0x08}, (&bitWriter{}).bits(3, 0).bits(1, 1).bits(1, 1).bits(5, 5).
		bits(4, 10).bits(4, 9).bits(11, 1279).bits(10, 719).bits(8, 0).b...)
	sized := join([]byte{0x0a, byte(len(plain) - 1)}, plain[1:])
	frame := []byte{0x30, 0x10, 0x20}
	key := codec.Payload{Start: true, Keyframe: true, Width: 1280, Height: 720}
	for _, tc := range []struct {
		name    string
		payload []byte
		want    codec.Payload
	}{
		{"sequence alone", join([]byte{0x18}, plain), key},
		{"sequence, frame; W = 2", join([]byte{0x28}, element(plain), frame), key},
		{"sequence, frame; W = 0", join([]byte{0x08}, element(plain), element(frame)), key},
		{"sequence with a size field", join([]byte{0x28}, element(sized), frame), key},
		{"delimiter first", join([]byte{0x38}, element([]byte{0x10}), element(full), frame), key},
		{"reduced header", join([]byte{0x18}, reduced), key},
		{"sequence cut short", []byte{0x58, 0x08, 0x00}, codec.Payload{Start: true, Keyframe: true}},
		{
			"sequence header repeated in a running sequence", join([]byte{0x20}, element(plain), frame),
			codec.Payload{Start: true, Width: 1280, Height: 720},
		},
		{"frame", join([]byte{0x10}, frame), codec.Payload{Start: true}},
		{
			"frame with layers 2.1",
			[]byte{0x10, 0x34, 0x48, 0x10},
			codec.Payload{Start: true, HasLayers: true, TemporalID: 2, SpatialID: 1},
		},
		{"tile group", []byte{0x10, 0x20, 0x10}, codec.Payload{}},
		{"continuation", join([]byte{0x90}, plain), codec.Payload{}},
	} {
		var got codec.Payload
		if err := codec.Parse(codec.AV1, tc.payload, &got); err != nil {
			t.Errorf("%s: Parse = %v", tc.name, err)
		} else if got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}
