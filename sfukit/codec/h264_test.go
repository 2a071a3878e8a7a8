package codec_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/framemarking"
)

// baselineSPS is 640x360 (cropped from 640x368), 4:2:0, baseline.
func baselineSPS() []byte {
	w := &bitWriter{b: []byte{0x67}, n: 8}
	w.bits(8, 66).bits(8, 0xc0).bits(8, 31).golomb(0, 0, 0, 0) // profile; ids, order count type 0
	w.golomb(1).bits(1, 0).golomb(39, 22)                      // references, gaps, 40 x 23 macroblocks
	w.bits(1, 1).bits(1, 1).bits(1, 1).golomb(0, 0, 0, 4)      // progressive, direct 8x8, cropped by 8 lines
	return w.bits(1, 0).bits(1, 1).b
}

// highSPS is 1920x1080 interlaced, 4:2:2, high, with a scaling matrix and
// picture order count type 1.
func highSPS() []byte {
	w := &bitWriter{b: []byte{0x67}, n: 8}
	w.bits(8, 122).bits(8, 0).bits(8, 40).golomb(0, 2, 0, 0).bits(1, 0)
	w.bits(1, 1) // scaling matrix: list 0 ends at once, list 6 runs through
	w.bits(1, 1).golomb(16)
	w.bits(5, 0).bits(1, 1)
	for range 64 {
		w.golomb(0)
	}
	w.bits(1, 0)
	w.golomb(0, 1).bits(1, 0).golomb(0, 0, 2, 5, 6) // order count type 1, cycle of two
	w.golomb(1).bits(1, 0).golomb(119, 33)
	w.bits(1, 0).bits(1, 1).bits(1, 1).bits(1, 1).golomb(0, 0, 0, 4) // 4 x 2 lines
	return w.bits(1, 0).bits(1, 1).b
}

func stapA(nals ...[]byte) []byte {
	b := []byte{0x78}
	for _, n := range nals {
		b = append(b, byte(len(n)>>8), byte(len(n)))
		b = append(b, n...)
	}
	return b
}

func TestParseH264(t *testing.T) {
	sps, high := baselineSPS(), highSPS()
	pps := []byte{0x68, 0xce, 0x3c, 0x80}
	aud := []byte{0x09, 0xf0}
	idr := []byte{0x65, 0x88, 0x84}
	key := codec.Payload{Start: true, Keyframe: true, Width: 640, Height: 360}
	for _, tc := range []struct {
		name    string
		payload []byte
		want    codec.Payload
	}{
		{"SPS", sps, key},
		{"SPS, interlaced high 4:2:2", high, codec.Payload{Start: true, Keyframe: true, Width: 1920, Height: 1080}},
		{"SPS cut short", sps[:6], codec.Payload{Start: true, Keyframe: true}},
		{"PPS", pps, codec.Payload{}},
		{"SPS and PPS", stapA(sps, pps), key},
		{"delimiter, SPS, PPS, IDR", stapA(aud, sps, pps, idr), key},
		{"delimiter", aud, codec.Payload{Start: true, Discardable: true}},
		{"IDR, first slice", idr, codec.Payload{Start: true}},
		{"IDR, second slice", []byte{0x65, 0x40, 0x84}, codec.Payload{}},
		{"P slice", []byte{0x41, 0x9a}, codec.Payload{Start: true}},
		{"P slice, disposable", []byte{0x01, 0x9a}, codec.Payload{Start: true, Discardable: true}},
		{"FU-A, first of IDR", []byte{0x7c, 0x85, 0x88}, codec.Payload{Start: true}},
		{"FU-A, second of IDR", []byte{0x7c, 0x05, 0x88}, codec.Payload{}},
		{"FU-A, first of SPS", append([]byte{0x7c, 0x87}, sps[1:]...), key},
		{"FU-A, last of SPS", append([]byte{0x7c, 0x47}, sps[1:]...), codec.Payload{}},
		{"SEI", []byte{0x66, 0x01}, codec.Payload{}},
	} {
		var got codec.Payload
		if err := codec.Parse(codec.H264, tc.payload, &got); err != nil {
			t.Errorf("%s: Parse = %v", tc.name, err)
		} else if got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}

// An SPS in which the size follows an emulation prevention byte.
func TestParseH264Escaped(t *testing.T) {
	w := &bitWriter{b: []byte{0x67}, n: 8}
	w.bits(8, 66).bits(8, 0).bits(8, 0).golomb(0, 0, 0, 0, 1).bits(1, 0).golomb(39, 29)
	w.bits(1, 1).bits(1, 1).bits(1, 0).bits(1, 0).bits(1, 1)
	plain := w.b
	escaped := append([]byte{0x67, 66, 0, 0, 3}, plain[4:]...)
	for name, b := range map[string][]byte{"plain": plain, "escaped": escaped} {
		var got codec.Payload
		if err := codec.Parse(codec.H264, b, &got); err != nil || got.Width != 640 || got.Height != 480 {
			t.Errorf("%s: Parse = %dx%d, %v; want 640x480", name, got.Width, got.Height, err)
		}
	}
}

// Frame marking tells what an H264 payload cannot, and corrects where it guesses.
func TestMark(t *testing.T) {
	slice := []byte{0x61, 0x80} // looks like the first of a picture
	for _, tc := range []struct {
		name    string
		payload []byte
		marking framemarking.Marking
		want    codec.Payload
	}{
		{
			"first slice", slice,
			framemarking.Marking{Start: true},
			codec.Payload{Start: true, HasLayers: true},
		},
		{
			"second slice of a picture, its last", slice,
			framemarking.Marking{End: true, TemporalID: 1},
			codec.Payload{End: true, HasLayers: true, TemporalID: 1},
		},
		{
			"sync frame of a layer nobody needs", slice,
			framemarking.Marking{Start: true, Discardable: true, BaseSync: true, TemporalID: 2},
			codec.Payload{Start: true, Discardable: true, HasLayers: true, TemporalID: 2, LayerSync: true},
		},
		{
			"parameter sets after a delimiter",
			[]byte{0x67, 0x42},
			framemarking.Marking{},
			codec.Payload{Start: true, Keyframe: true, HasLayers: true},
		},
	} {
		var got codec.Payload
		if err := codec.Parse(codec.H264, tc.payload, &got); err != nil {
			t.Errorf("%s: Parse = %v", tc.name, err)
		}
		got.Mark(&tc.marking)
		if got != tc.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
}
