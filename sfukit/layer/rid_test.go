package layer_test

import (
	"errors"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
)

func TestParseRID(t *testing.T) {
	for _, tc := range []struct {
		in string
		ok bool
	}{
		{"q", true},
		{"h", true},
		{"f", true},
		{"0", true},
		{"A", true},
		{"Z", true},
		{"a", true},
		{"z", true},
		{"9", true},
		{"layer1", true},
		{"12345678", true},
		{"", false},
		{"123456789", false},
		{"a-b", false},
		{"a_b", false},
		{"a b", false},
		{" q", false},
		{"q\n", false},
		{"q\x00", false},
		{"/", false},
		{":", false},
		{"@", false},
		{"[", false},
		{"`", false},
		{"{", false}, // neighbours of the ranges
		{"é", false},
		{"q\xff", false},
	} {
		got, err := layer.ParseRID(tc.in)
		if tc.ok && (err != nil || string(got) != tc.in) {
			t.Errorf("ParseRID(%q) = %q, %v, want the input and no error", tc.in, got, err)
		}
		if !tc.ok && (!errors.Is(err, layer.ErrInvalidRID) || got != "") {
			t.Errorf("ParseRID(%q) = %q, %v, want empty and ErrInvalidRID", tc.in, got, err)
		}
	}
	if got, want := layer.ErrInvalidRID.Error(), "invalid RID: must be short ASCII"; got != want {
		t.Errorf("ErrInvalidRID text = %q, want %q", got, want)
	}
}

func FuzzParseRID(f *testing.F) {
	for _, s := range []string{"q", "", "layer_1", "ABCDEFGH", "ABCDEFGHI", "\xff", "ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rid, err := layer.ParseRID(s)
		if err != nil {
			return
		}
		if string(rid) != s || len(s) < 1 || len(s) > 8 {
			t.Fatalf("ParseRID(%q) = %q, want 1 to 8 bytes unchanged", s, rid)
		}
		if again, err := layer.ParseRID(string(rid)); err != nil || again != rid {
			t.Errorf("ParseRID(%q) again = %q, %v", rid, again, err)
		}
	})
}

func TestRank(t *testing.T) {
	for _, tc := range []struct {
		in   layer.RID
		want int
	}{{layer.Low, 0}, {layer.Medium, 1}, {layer.High, 2}, {"", 2}, {"x", 2}, {"Q", 2}} {
		if got := tc.in.Rank(); got != tc.want {
			t.Errorf("RID(%q).Rank() = %d, want %d", tc.in, got, tc.want)
		}
	}
}

type rids = []layer.RID

func TestBestFit(t *testing.T) {
	const l, m, h = layer.Low, layer.Medium, layer.High
	for _, tc := range []struct {
		desired layer.RID
		active  rids
		want    layer.RID
	}{
		// The vectors of the Rust kit.
		{m, nil, m},
		{m, rids{l, m, h}, m},
		{h, rids{l, m}, m},
		{l, rids{m, h}, m},
		{l, rids{h}, h},
		{h, rids{l}, l},
		{l, rids{l, m, h}, l},
		// Order of the active list does not matter.
		{m, rids{h, m, l}, m},
		{l, rids{h, m}, m},
		{m, rids{h, l}, l},
		// Names outside the three rank with High; desired itself comes first.
		{"x", rids{h, "x"}, "x"},
		{h, rids{"x", l}, "x"},
		{h, rids{"x", "y"}, "x"},
		{m, rids{"x", "y"}, "x"},
	} {
		if got := layer.BestFit(tc.desired, tc.active); got != tc.want {
			t.Errorf("BestFit(%q, %q) = %q, want %q", tc.desired, tc.active, got, tc.want)
		}
	}
}
