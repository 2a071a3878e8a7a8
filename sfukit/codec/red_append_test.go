package codec_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

func TestAppendRED(t *testing.T) {
	long := make([]byte, 1023)
	for _, tc := range []struct {
		name             string
		offset           uint32
		earlier, primary []byte
		ok               bool
	}{
		{"20 ms apart", 960, []byte{1, 2}, []byte{3}, true},
		{"farthest", 16383, []byte{1}, []byte{3}, true},
		{"too far", 16384, []byte{1}, []byte{3}, false},
		{"no distance", 0, []byte{1}, []byte{3}, false},
		{"backwards", 1<<32 - 960, []byte{1}, []byte{3}, false},
		{"longest block", 960, long, []byte{3}, true},
		{"block too long", 960, make([]byte, 1024), []byte{3}, false},
		{"nothing earlier", 960, nil, []byte{3}, false},
		{"empty primary", 960, []byte{1}, nil, true},
		{"largest packet", 960, long, make([]byte, 172), true},
		{"too large", 960, long, make([]byte, 173), false},
	} {
		const pt = 111
		before := []byte{0xaa}
		got, ok := codec.AppendRED(before, pt, tc.offset, tc.earlier, tc.primary)
		if ok != tc.ok || !bytes.HasPrefix(got, before) {
			t.Errorf("%s: AppendRED = %d bytes, %t; want ok %t", tc.name, len(got), ok, tc.ok)
			continue
		}
		if !ok {
			if len(got) != 1 {
				t.Errorf("%s: %d bytes appended, want none", tc.name, len(got)-1)
			}
			continue
		}
		primary, ppt, ok := codec.PrimaryRED(got[1:])
		if !ok || ppt != pt || !bytes.Equal(primary, tc.primary) {
			t.Errorf("%s: primary % x of type %d, want % x of %d", tc.name, primary, ppt, tc.primary, pt)
		}
		blocks, ok := codec.REDBlocks(got[1:], nil)
		if !ok || len(blocks) != 1 || blocks[0].PT != pt || uint32(blocks[0].Offset) != tc.offset || !bytes.Equal(blocks[0].Data, tc.earlier) {
			t.Errorf("%s: REDBlocks = %+v, %t", tc.name, blocks, ok)
		}
	}
}

func TestREDBlocks(t *testing.T) {
	payload := []byte{0xef, 0x1e, 0x00, 2, 0xbf, 0x0f, 0x00, 0, 0xef, 0xff, 0xfc, 1, 111, 7, 8, 9, 1, 2}
	got, ok := codec.REDBlocks(payload, nil)
	want := []codec.REDBlock{{PT: 111, Offset: 1920, Data: []byte{7, 8}}, {PT: 63, Offset: 960, Data: []byte{}}, {PT: 111, Offset: 16383, Data: []byte{9}}}
	if !ok || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("REDBlocks = %v, %t; want %v", got, ok, want)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "no primary": {0xef, 0, 0, 0}, "cut short": {0xef, 0, 0}, "too long": {0xef, 0, 0, 9, 111, 7},
	} {
		if got, ok := codec.REDBlocks(bad, want[:1]); ok || len(got) != 1 {
			t.Errorf("%s: REDBlocks = %d blocks, %t; want what was there, false", name, len(got), ok)
		}
	}
	room := make([]codec.REDBlock, 0, 4)
	if n := testing.AllocsPerRun(100, func() { codec.REDBlocks(payload, room) }); n != 0 {
		t.Errorf("REDBlocks: %v allocs, want 0", n)
	}
	buf := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { codec.AppendRED(buf, 111, 960, payload, payload) }); n != 0 {
		t.Errorf("AppendRED: %v allocs, want 0", n)
	}
}

// FuzzREDBlocks checks that the blocks and the primary are all there is behind the
// headers, in order.
func FuzzREDBlocks(f *testing.F) {
	f.Add([]byte{0xef, 0x1e, 0x00, 2, 0xef, 0x0f, 0x00, 1, 111, 7, 8, 9, 1, 2})
	f.Add([]byte{111, 1})
	f.Fuzz(func(t *testing.T, payload []byte) {
		blocks, ok := codec.REDBlocks(payload, nil)
		primary, _, primaryOK := codec.PrimaryRED(payload)
		if ok != primaryOK {
			t.Fatalf("REDBlocks says %t, PrimaryRED %t", ok, primaryOK)
		}
		if !ok {
			return
		}
		var all []byte
		for _, b := range blocks {
			if b.PT > 127 || b.Offset > 16383 || len(b.Data) > 1023 {
				t.Errorf("impossible block %+v", b)
			}
			all = append(all, b.Data...)
		}
		all = append(all, primary...)
		if want := payload[4*len(blocks)+1:]; !bytes.Equal(all, want) {
			t.Errorf("blocks are % x, want % x", all, want)
		}
	})
}

func ExampleAppendRED() {
	payload, ok := codec.AppendRED(nil, 111, 960, []byte("before"), []byte("now"))
	fmt.Printf("%x %s %t\n", payload[:5], payload[5:], ok)
	// Output: ef0f00066f beforenow true
}
