package codec_test

import (
	"bytes"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// vp8Key is the head of a VP8 key frame of 640x480.
var vp8Key = []byte{0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestParseVP8(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload []byte
		want    codec.Payload // without Descriptor offsets, see check
	}{
		{
			"key frame, plain descriptor", join([]byte{0x10}, vp8Key),
			codec.Payload{Start: true, Keyframe: true, Width: 640, Height: 480},
		},
		{
			"size without its scale bits", join([]byte{0x10}, []byte{0, 0, 0, 0x9d, 1, 0x2a, 0x80, 0xc2, 0xe0, 0x41}),
			codec.Payload{Start: true, Keyframe: true, Width: 640, Height: 480},
		},
		{
			"inter frame", join([]byte{0x10}, []byte{0x51}, vp8Key[1:]),
			codec.Payload{Start: true},
		},
		{
			"no start code", join([]byte{0x10}, []byte{0x50, 1, 0, 0x9d, 1, 0x2b, 0, 0, 0, 0}),
			codec.Payload{Start: true},
		},
		{
			"key frame cut short", join([]byte{0x10}, vp8Key[:9]),
			codec.Payload{Start: true},
		},
		{
			"continuation that looks like one", join([]byte{0x00}, vp8Key),
			codec.Payload{},
		},
		{
			"start of partition 1", join([]byte{0x11}, vp8Key),
			codec.Payload{},
		},
		{
			"non-reference",
			[]byte{0x30, 0x01},
			codec.Payload{Start: true, Discardable: true},
		},
		{
			"temporal layer 2 with sync, no numbers",
			[]byte{0x90, 0x20, 0xa0, 0x01},
			codec.Payload{Start: true, HasLayers: true, TemporalID: 2, LayerSync: true},
		},
		{
			"KEYIDX alone",
			[]byte{0x90, 0x10, 0xff, 0x01},
			codec.Payload{Start: true, Descriptor: codec.Descriptor{HasKeyIdx: true, KeyIdx: 31}},
		},
		{
			"7-bit picture id",
			[]byte{0x90, 0x80, 0x7f, 0x01},
			codec.Payload{Start: true, Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 127}},
		},
		{
			"everything",
			[]byte{0x90, 0xf0, 0xff, 0xfe, 0xfd, 0x63, 0x01},
			codec.Payload{Start: true, HasLayers: true, TemporalID: 1, LayerSync: true, Descriptor: codec.Descriptor{
				PictureIDBits: 15, PictureID: 0x7ffe, HasTL0PICIDX: true, TL0PICIDX: 0xfd, HasKeyIdx: true, KeyIdx: 3,
			}},
		},
	} {
		checkParse(t, codec.VP8, tc.name, tc.payload, tc.want)
	}
}

func TestParseVP9(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload []byte
		want    codec.Payload
	}{
		{
			"key frame without layers",
			[]byte{0x88, 0x81, 0x00, 0xaa},
			codec.Payload{Start: true, Keyframe: true, Descriptor: codec.Descriptor{PictureIDBits: 15, PictureID: 0x100}},
		},
		{
			"key frame, its second packet",
			[]byte{0x80, 0x05, 0xaa},
			codec.Payload{Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5}},
		},
		{
			"inter frame",
			[]byte{0xc8, 0x05, 0xaa},
			codec.Payload{Start: true, InterPicture: true, Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5}},
		},
		{
			"inter frame, its last packet, not for upper layers",
			[]byte{0xc5, 0x05, 0xaa},
			codec.Payload{
				End: true, InterPicture: true, NotForUpper: true,
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5},
			},
		},
		{
			"non-flexible, layers 1.2 switching up",
			[]byte{0xe8, 0x05, 0x34, 0x09, 0xaa},
			codec.Payload{
				Start: true, HasLayers: true, TemporalID: 1, SpatialID: 2, LayerSync: true, InterPicture: true,
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5, HasTL0PICIDX: true, TL0PICIDX: 9},
			},
		},
		{
			"non-flexible key picture, spatial layer 1",
			[]byte{0xa8, 0x05, 0x03, 0x09, 0xaa},
			codec.Payload{
				Start: true, HasLayers: true, SpatialID: 1, InterLayer: true,
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5, HasTL0PICIDX: true, TL0PICIDX: 9},
			},
		},
		{
			"flexible with two references",
			[]byte{0xf8, 0x05, 0x20, 0x03, 0x04, 0xaa},
			codec.Payload{
				Start: true, HasLayers: true, TemporalID: 1, InterPicture: true, Flexible: true,
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5},
			},
		},
		{
			"flexible key frame",
			[]byte{0xb8, 0x05, 0x00, 0xaa},
			codec.Payload{
				Start: true, Keyframe: true, HasLayers: true, Flexible: true,
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5},
			},
		},
		{
			"structure of two layers and two pictures",
			[]byte{
				0xaa, 0x05, 0x00, 0x09,
				0x38, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x02, 0x04, 0x01, 0x28, 0x01, 0x02, 0xaa,
			},
			codec.Payload{
				Start: true, Keyframe: true, HasLayers: true, Width: 640, Height: 360,
				Structure:  codec.Structure{Spatial: 2, Temporal: 2, Sizes: [codec.MaxSpatial]codec.Size{{320, 180}, {640, 360}}},
				Descriptor: codec.Descriptor{PictureIDBits: 7, PictureID: 5, HasTL0PICIDX: true, TL0PICIDX: 9},
			},
		},
	} {
		checkParse(t, codec.VP9, tc.name, tc.payload, tc.want)
	}
}

// checkParse compares all that is exported, and that the descriptor ends where
// the last byte or, for a VP8 key frame, the frame begins.
func checkParse(t *testing.T, c codec.Codec, name string, payload []byte, want codec.Payload) {
	t.Helper()
	var got codec.Payload
	if err := codec.Parse(c, payload, &got); err != nil {
		t.Errorf("%s: Parse = %v", name, err)
		return
	}
	d := got.Descriptor
	if got.Descriptor.Size < 1 || got.Descriptor.Size >= len(payload) {
		t.Errorf("%s: descriptor of %d bytes in a payload of %d", name, d.Size, len(payload))
	}
	got.Descriptor = codec.Descriptor{
		PictureID: d.PictureID, PictureIDBits: d.PictureIDBits,
		HasTL0PICIDX: d.HasTL0PICIDX, TL0PICIDX: d.TL0PICIDX, HasKeyIdx: d.HasKeyIdx, KeyIdx: d.KeyIdx,
	}
	if got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
}

func TestPut(t *testing.T) {
	for _, tc := range []struct {
		name    string
		codec   codec.Codec
		payload []byte
		want    []byte
	}{
		{
			"vp8 everything", codec.VP8,
			[]byte{0x90, 0xf0, 0x80, 0x00, 0x00, 0x60, 0x01},
			[]byte{0x90, 0xf0, 0xd2, 0x34, 0x56, 0x78, 0x01},
		},
		{
			"vp8 7 bits keep their size", codec.VP8,
			[]byte{0x90, 0x80, 0x01, 0x01},
			[]byte{0x90, 0x80, 0x34, 0x01},
		},
		{
			"vp8 without numbers", codec.VP8,
			[]byte{0x90, 0x20, 0x40, 0x01},
			[]byte{0x90, 0x20, 0x40, 0x01},
		},
		{
			"vp9 non-flexible", codec.VP9,
			[]byte{0xa8, 0x80, 0x00, 0x00, 0x00, 0xaa},
			[]byte{0xa8, 0xd2, 0x34, 0x00, 0x56, 0xaa},
		},
	} {
		var p codec.Payload
		if err := codec.Parse(tc.codec, tc.payload, &p); err != nil {
			t.Fatalf("%s: Parse = %v", tc.name, err)
		}
		got := bytes.Clone(tc.payload)
		p.Descriptor.Put(got[:p.Descriptor.Size-1], 0x5234, 0x56, 0x18)
		if !bytes.Equal(got, tc.payload) {
			t.Errorf("%s: Put wrote into a copy that is too short", tc.name)
		}
		p.Descriptor.Put(got, 0x5234, 0x56, 0x18)
		if !bytes.Equal(got, tc.want) {
			t.Errorf("%s: Put made % x, want % x", tc.name, got, tc.want)
		}
		if changes := !bytes.Equal(tc.payload, tc.want); p.Descriptor.Numbered() != changes {
			t.Errorf("%s: Numbered = %v, want %v", tc.name, p.Descriptor.Numbered(), changes)
		}
	}
}
