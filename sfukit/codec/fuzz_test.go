package codec_test

import (
	"bytes"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// seeds are payloads of every format, for the fuzz targets and the allocation
// test.
var seeds = []struct {
	codec   codec.Codec
	payload []byte
}{
	{codec.Opus, []byte{0x78, 1, 2}},
	{codec.RED, []byte{0xef, 0, 0, 1, 111, 7, 1}},
	{codec.VP8, join([]byte{0x90, 0xf0, 0xff, 0xfe, 0xfd, 0x63}, vp8Key)},
	{codec.VP8, []byte{0x90, 0x80, 0x7f, 0x01}},
	{codec.VP9, []byte{0xaa, 5, 0, 9, 0x38, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 2, 4, 1, 0x28, 1, 2, 0xaa}},
	{codec.VP9, []byte{0xf8, 5, 0x20, 3, 4, 0xaa}},
	{codec.H264, stapA(baselineSPS(), []byte{0x68, 0xce}, []byte{0x65, 0x88})},
	{codec.H264, highSPS()},
	{codec.H264, []byte{0x7c, 0x85, 0x88}},
	{codec.AV1, join([]byte{0x28}, element(append([]byte{0x08}, sequenceHeader(true)...)), []byte{0x30, 1})},
	{codec.AV1, []byte{0x10, 0x34, 0x48, 0x10}},
}

// fuzzParse checks, for one format, what holds for any bytes: no panic, nothing
// said on error, no key frame without a start, and numbers that can be
// overwritten and read back with all else unchanged.
func fuzzParse(f *testing.F, c codec.Codec) {
	for _, s := range seeds {
		if s.codec == c {
			f.Add(s.payload)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		var p codec.Payload
		err := codec.Parse(c, payload, &p)
		if !bytes.Equal(payload, before) {
			t.Fatal("Parse wrote to the payload")
		}
		if err != nil {
			if p != (codec.Payload{}) {
				t.Errorf("error %v with %+v", err, p)
			}
			return
		}
		if p.Keyframe && !p.Start {
			t.Errorf("a key frame that does not start: %+v", p)
		}
		if p.SpatialID > 7 || p.TemporalID > 7 {
			t.Errorf("layers out of range: %+v", p)
		}
		if n := p.Structure.Spatial; n > codec.MaxSpatial || p.Structure.Temporal > 8 ||
			n < codec.MaxSpatial && p.Structure.Sizes[n] != (codec.Size{}) {
			t.Errorf("structure out of range: %+v", p.Structure)
		}
		checkPut(t, c, payload, p)
	})
}

func checkPut(t *testing.T, c codec.Codec, payload []byte, p codec.Payload) {
	t.Helper()
	copied := bytes.Clone(payload)
	p.Descriptor.Put(copied, 0x2a55, 0xa5, 0x15)
	want := p
	d := &want.Descriptor
	if d.PictureIDBits != 0 {
		d.PictureID = 0x2a55 & (1<<d.PictureIDBits - 1)
	}
	if d.HasTL0PICIDX {
		d.TL0PICIDX = 0xa5
	}
	if d.HasKeyIdx {
		d.KeyIdx = 0x15
	}
	var got codec.Payload
	if err := codec.Parse(c, copied, &got); err != nil || got != want {
		t.Errorf("after Put: %+v, %v\nwant %+v", got, err, want)
	}
	p.Descriptor.Put(copied, p.Descriptor.PictureID, p.Descriptor.TL0PICIDX, p.Descriptor.KeyIdx)
	if !bytes.Equal(copied, payload) {
		t.Errorf("putting the old numbers back: % x, want % x", copied, payload)
	}
}

func FuzzParseOpus(f *testing.F) { fuzzParse(f, codec.Opus) }
func FuzzParseRED(f *testing.F)  { fuzzParse(f, codec.RED) }
func FuzzParseVP8(f *testing.F)  { fuzzParse(f, codec.VP8) }
func FuzzParseVP9(f *testing.F)  { fuzzParse(f, codec.VP9) }
func FuzzParseH264(f *testing.F) { fuzzParse(f, codec.H264) }
func FuzzParseAV1(f *testing.F)  { fuzzParse(f, codec.AV1) }
