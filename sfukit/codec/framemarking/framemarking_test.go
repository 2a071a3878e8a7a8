package framemarking_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/framemarking"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name string
		b    []byte
		want framemarking.Marking
	}{
		{"inside a frame", []byte{0x00}, framemarking.Marking{}},
		{"start", []byte{0x80}, framemarking.Marking{Start: true}},
		{"end", []byte{0x40}, framemarking.Marking{End: true}},
		{"independent", []byte{0x20}, framemarking.Marking{Independent: true}},
		{"discardable", []byte{0x10}, framemarking.Marking{Discardable: true}},
		{"sync of layer 2", []byte{0x0a}, framemarking.Marking{BaseSync: true, TemporalID: 2}},
		{"layer 7", []byte{0x07}, framemarking.Marking{TemporalID: 7}},
		{
			"with layer",
			[]byte{0xc1, 5},
			framemarking.Marking{Start: true, End: true, TemporalID: 1, LayerID: 5},
		},
		{
			"long",
			[]byte{0xa0, 0, 255},
			framemarking.Marking{Start: true, Independent: true, HasTL0PICIDX: true, TL0PICIDX: 255},
		},
		{
			"longer than known",
			[]byte{0x92, 1, 2, 3},
			framemarking.Marking{Start: true, Discardable: true, TemporalID: 2, LayerID: 1, HasTL0PICIDX: true, TL0PICIDX: 2},
		},
	} {
		got := framemarking.Marking{End: true, LayerID: 9}
		if err := framemarking.Parse(tc.b, &got); err != nil || got != tc.want {
			t.Errorf("%s: Parse(% x) = %+v, %v, want %+v", tc.name, tc.b, got, err, tc.want)
		}
	}
}

func TestParseShort(t *testing.T) {
	got := framemarking.Marking{End: true}
	if err := framemarking.Parse(nil, &got); !errors.Is(err, framemarking.ErrShort) || got != (framemarking.Marking{}) {
		t.Errorf("Parse(nil) = %+v, %v, want zero and ErrShort", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xca})
	f.Add([]byte{0xca, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m framemarking.Marking
		if err := framemarking.Parse(b, &m); (err != nil) != (len(b) == 0) {
			t.Errorf("Parse(% x): %v", b, err)
		}
		if m.TemporalID > 7 || m.HasTL0PICIDX != (len(b) > 2) {
			t.Errorf("Parse(% x) = %+v", b, m)
		}
	})
}

func TestAllocs(t *testing.T) {
	b := []byte{0xca, 1, 2}
	var m framemarking.Marking
	if n := testing.AllocsPerRun(100, func() { _ = framemarking.Parse(b, &m) }); n != 0 {
		t.Errorf("Parse: %v allocs, want 0", n)
	}
}

func ExampleParse() {
	var m framemarking.Marking
	if err := framemarking.Parse([]byte{0x8a, 0x00, 0x11}, &m); err != nil {
		fmt.Println(err)
		return
	}
	const wanted = 1
	fmt.Println(m.TemporalID, m.BaseSync, m.TemporalID <= wanted)
	// Output: 2 true false
}
