package dd_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// diffs makes a list of references or chain differences.
func diffs(ds ...uint16) (list [dd.MaxReferences]uint16) {
	copy(list[:], ds)
	return list
}

func chains(ds ...uint8) (list [dd.MaxChains]uint8) {
	copy(list[:], ds)
	return list
}

// indications reads the symbols of table A.1, target 0 first.
func indications(symbols string) (s dd.Indications) {
	for i, c := range symbols {
		for v := dd.NotPresent; v <= dd.Required; v++ {
			if v.String() == string(c) {
				s = s.With(i, v)
			}
		}
	}
	return s
}

// captureL3T3 is the beginning of an L3T3 stream of Chromium as published with
// LiveKit's tests (dependencydescriptorextension_test.go), of which the top
// layer is not encoded after the key picture.
var captureL3T3 = []string{
	"c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d",
	"86017340fc", "46017340fc", "c3017540fc", "88017640fc", "48017640fc", "c2017840fc",
}

func TestCaptureL3T3(t *testing.T) {
	active := dd.Targets(0b000111111)
	want := []dd.Descriptor{
		{Start: true, End: true, Attached: true, Active: 0b111111111, Template: 1, Number: 0x172, Frame: dd.Frame{
			Indications: indications("SSSSSSSSS"),
		}},
		{Start: true, HasActive: true, Active: active, Template: 6, Number: 0x173, Frame: dd.Frame{
			SpatialID: 1, Indications: indications("---SSSSSS"), Diffs: diffs(1), ChainDiffs: chains(1, 1, 1),
		}},
		{End: true, HasActive: true, Active: active, Template: 6, Number: 0x173, Frame: dd.Frame{
			SpatialID: 1, Indications: indications("---SSSSSS"), Diffs: diffs(1), ChainDiffs: chains(1, 1, 1),
		}},
		{Start: true, End: true, HasActive: true, Active: active, Template: 3, Number: 0x175, Frame: dd.Frame{
			TemporalID: 2, Indications: indications("--D--R--R"), Diffs: diffs(3), ChainDiffs: chains(3, 2, 1),
		}},
		{Start: true, HasActive: true, Active: active, Template: 8, Number: 0x176, Frame: dd.Frame{
			SpatialID: 1, TemporalID: 2, Indications: indications("-----D--R"), Diffs: diffs(3, 1), ChainDiffs: chains(4, 3, 2),
		}},
		{End: true, HasActive: true, Active: active, Template: 8, Number: 0x176, Frame: dd.Frame{
			SpatialID: 1, TemporalID: 2, Indications: indications("-----D--R"), Diffs: diffs(3, 1), ChainDiffs: chains(4, 3, 2),
		}},
		{Start: true, End: true, HasActive: true, Active: active, Template: 2, Number: 0x178, Frame: dd.Frame{
			TemporalID: 1, Indications: indications("-DS-RR-RR"), Diffs: diffs(6), ChainDiffs: chains(6, 5, 4),
		}},
	}
	var p dd.Parser
	for i, h := range captureL3T3 {
		b := unhex(t, h)
		var got dd.Descriptor
		if err := p.Parse(b, &got); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if again := dd.Append(nil, &got, got.Unchanged()); !bytes.Equal(again, b) {
			t.Errorf("packet %d: written %x, want %x", i, again, b)
		}
		got.Number &= 0xffff
		want[i].Structure = p.Structure()
		if got != want[i] {
			t.Errorf("packet %d: %+v\nwant %+v", i, got, want[i])
		}
	}
	s := p.Structure()
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	if s.Targets != 9 || s.Chains != 3 || len(s.Templates) != 15 {
		t.Errorf("%d targets, %d chains, %d templates, want 9, 3, 15", s.Targets, s.Chains, len(s.Templates))
	}
	if got, want := s.ProtectedBy, [dd.MaxTargets]uint8{0, 0, 0, 1, 1, 1, 2, 2, 2}; got != want {
		t.Errorf("ProtectedBy = %v, want %v", got, want)
	}
	for i, want := range []dd.Resolution{{120, 67}, {240, 135}, {480, 270}} {
		d := dd.Descriptor{Structure: s, Frame: dd.Frame{SpatialID: uint8(i)}}
		if got, ok := d.Resolution(); !ok || got != want {
			t.Errorf("resolution of S%d = %v, %v, want %v", i, got, ok, want)
		}
	}
	if got := dd.Append(nil, &dd.Descriptor{Structure: s, Template: 0, Frame: s.Templates[0]}, dd.Change{Templates: 63}); got[0] != 63 {
		t.Errorf("template 0 shifted by 63 is %d", got[0])
	}
}

// Streams captured from Chromium 156 on Linux, with libaom, at their beginning:
// the encoder's rate control leaves out layers and Chromium says so in active
// decode targets and custom fields.
var captures = []struct {
	mode    string
	packets []struct{ hex, want string }
}{
	{"L1T3", []struct{ hex, want string }{
		{"800001800214eaa860414d1410208427013f00b3", "1 S0T0 key, active 111, refs [], chains [0], SSS"},
		{"400001", "1 S0T0, active 111, refs [], chains [0], SSS"},
		{"c30002", "2 S0T2, active 111, refs [1], chains [1], --D"},
		{"c20003", "3 S0T1, active 111, refs [2], chains [2], -DS"},
		{"c40004", "4 S0T2, active 111, refs [1], chains [3], --D"},
		{"c10005", "5 S0T0, active 111, refs [4], chains [4], SSS"},
	}},
	{"L2T2", []struct{ hex, want string }{
		{"c00001c003187aaaf130a0a014d1413823046008642222265027f016704ff02cf3", "1 S0T0 key, active 11, refs [], chains [0 0], SSSS"},
		{"c200021a000800", "2 S0T1, active 11, refs [1], chains [1 0], -D-R"},
		{"c100035fa2010100", "3 S0T0, active 1111, refs [2], chains [2 2], SSRR"},
		{"c20005", "5 S0T1, active 1111, refs [2], chains [2 1], -D-R"},
		{"c50006", "6 S1T1, active 1111, refs [2 1], chains [3 2], ---D"},
		{"8100074180", "7 S0T0, active 11, refs [4], chains [4 3], SSRR"},
		{"c200081a000800", "8 S0T1, active 11, refs [1], chains [1 0], -D-R"},
	}},
	{"L3T3_KEY", []struct{ hex, want string }{
		{"c00001c0081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf1f80", "1 S0T0 key, active 111111, refs [], chains [0 0 0], SSSSSSSSS"},
		{"c50002", "2 S1T0, active 111111, refs [1], chains [1 1 1], ---SSSSSS"},
		{"c300031a20100800", "3 S0T2, active 111111, refs [2], chains [2 1 0], --D------"},
		{"c800041a20181000", "4 S1T2, active 111111, refs [2], chains [3 2 0], -----D---"},
		{"c0000780081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf", "7 S0T0 key, active 111111111, refs [], chains [0 0 0], SSSSSSSSS"},
		{"c50008", "8 S1T0, active 111111111, refs [1], chains [1 1 1], ---SSSSSS"},
		{"ca0009", "9 S2T0, active 111111111, refs [1], chains [2 1 1], ------SSS"},
		{"c3000a", "10 S0T2, active 111111111, refs [3], chains [3 2 1], --D------"},
		{"c8000b", "11 S1T2, active 111111111, refs [3], chains [4 3 2], -----D---"},
		{"cd000c", "12 S2T2, active 111111111, refs [3], chains [5 4 3], --------D"},
	}},
}

func TestCaptures(t *testing.T) {
	for _, tc := range captures {
		var p dd.Parser
		for _, packet := range tc.packets {
			b := unhex(t, packet.hex)
			var d dd.Descriptor
			if err := p.Parse(b, &d); err != nil {
				t.Fatalf("%s: %v: %x", tc.mode, err, b)
			}
			if again := dd.Append(nil, &d, d.Unchanged()); !bytes.Equal(again, b) {
				t.Errorf("%s: written %x, want %x", tc.mode, again, b)
			}
			if got := describe(&d); got != packet.want {
				t.Errorf("%s: %s is %q, want %q", tc.mode, packet.hex, got, packet.want)
			}
		}
		if err := p.Structure().Validate(); err != nil {
			t.Errorf("%s: %v", tc.mode, err)
		}
	}
}

// describe puts a descriptor in words.
func describe(d *dd.Descriptor) string {
	key := ""
	if d.Attached {
		key = " key"
	}
	refs := d.Diffs[:slices.Index(d.Diffs[:], 0)]
	var symbols strings.Builder
	for i := range d.Structure.Targets {
		symbols.WriteString(d.Indications.Of(i).String())
	}
	return fmt.Sprintf("%d S%dT%d%s, active %b, refs %d, chains %d, %s",
		uint16(d.Number), d.SpatialID, d.TemporalID, key, d.Active, refs, d.ChainDiffs[:d.Structure.Chains], symbols.String())
}

// The structures of the specification's example L1T3 (section A.6.2.1): what
// the synthetic encoder makes, with the targets in the other order.
func TestL1T3(t *testing.T) {
	s := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 3}, 1280, 720, 0, 0).Structure()
	want := []dd.Frame{
		{Indications: indications("SSS")},
		{Indications: indications("SSS"), Diffs: diffs(4), ChainDiffs: chains(4)},
		{TemporalID: 1, Indications: indications("-DS"), Diffs: diffs(2), ChainDiffs: chains(2)},
		{TemporalID: 2, Indications: indications("--D"), Diffs: diffs(1), ChainDiffs: chains(1)},
		{TemporalID: 2, Indications: indications("--D"), Diffs: diffs(1), ChainDiffs: chains(3)},
	}
	if len(s.Templates) != len(want) {
		t.Fatalf("%d templates, want %d", len(s.Templates), len(want))
	}
	for i, f := range s.Templates {
		if f != want[i] {
			t.Errorf("template %d: %+v\nwant %+v", i, f, want[i])
		}
	}
}

func TestTargets(t *testing.T) {
	full := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3}, 1280, 720, 0, 0).Structure()
	key := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3, Prediction: ddtest.Key}, 1280, 720, 0, 0).Structure()
	for i := range 9 {
		if s, tt := full.Layers(i); int(s) != i/3 || int(tt) != i%3 {
			t.Errorf("Layers(%d) = %d, %d", i, s, tt)
		}
	}
	for _, tc := range []struct {
		spatial, temporal uint8
		among             dd.Targets
		want              int
		ok                bool
	}{
		{9, 9, full.All(), 8, true},
		{2, 0, full.All(), 6, true},
		{1, 9, full.All(), 5, true},
		{0, 0, full.All(), 0, true},
		{9, 9, 0b000111111, 5, true},
		{9, 1, 0b100010101, 4, true},
		{0, 9, 0b111111000, 0, false},
		{9, 9, 0, 0, false},
	} {
		if got, ok := full.Target(tc.spatial, tc.temporal, tc.among); got != tc.want || ok != tc.ok {
			t.Errorf("Target(%d, %d, %09b) = %d, %v, want %d, %v", tc.spatial, tc.temporal, tc.among, got, ok, tc.want, tc.ok)
		}
	}
	for _, tc := range []struct {
		name   string
		s      *dd.Structure
		target int
		want   dd.Targets
	}{
		{"full top", full, 8, 0b111111111},
		{"full S1T1", full, 4, 0b000011011},
		{"full base", full, 0, 0b000000001},
		{"key top", key, 8, 0b111000000},
		{"key S1T1", key, 4, 0b000011000},
	} {
		if got := tc.s.Within(tc.target); got != tc.want {
			t.Errorf("%s: Within(%d) = %09b, want %09b", tc.name, tc.target, got, tc.want)
		}
	}
}

// Fields that differ from the template, one by one and together.
func TestCustom(t *testing.T) {
	s := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 2}, 1280, 720, 0, 7).Structure()
	base := dd.Descriptor{Start: true, Number: 65536 + 9, Template: 1, Structure: s, Active: s.All(), Frame: s.Templates[1]}
	for _, tc := range []struct {
		name string
		edit func(*dd.Descriptor)
		size int
	}{
		{"nothing", func(*dd.Descriptor) {}, 3},
		{"indications", func(d *dd.Descriptor) { d.Indications = indications("DR-S") }, 5},
		{"no reference", func(d *dd.Descriptor) { d.Diffs = diffs() }, 4},
		{"references of each size", func(d *dd.Descriptor) { d.Diffs = diffs(1, 16, 17, 256, 257, 4096) }, 12},
		{"as many references as fit", func(d *dd.Descriptor) {
			for i := range d.Diffs {
				d.Diffs[i] = uint16(i + 1)
			}
		}, 16},
		{"chains", func(d *dd.Descriptor) { d.ChainDiffs = chains(255, 16) }, 6},
		{"active targets", func(d *dd.Descriptor) { d.HasActive, d.Active = true, 0b0101 }, 5},
		{"all", func(d *dd.Descriptor) {
			d.HasActive, d.Active = true, 0
			d.Indications, d.Diffs, d.ChainDiffs = indications("SSSS"), diffs(300), chains(1, 2)
		}, 10},
	} {
		var p dd.Parser
		first := base
		first.Attached, first.Number = true, 65536+8
		var got dd.Descriptor
		if err := p.Parse(dd.Append(nil, &first, first.Unchanged()), &got); err != nil {
			t.Fatal(err)
		}
		want := base
		tc.edit(&want)
		b := dd.Append(nil, &want, want.Unchanged())
		if err := p.Parse(b, &got); err != nil {
			t.Errorf("%s: %v: %x", tc.name, err, b)
			continue
		}
		want.Structure = got.Structure
		if got != want {
			t.Errorf("%s: %+v\nwant %+v", tc.name, got, want)
		}
		if len(b) != tc.size {
			t.Errorf("%s: %d bytes, want %d", tc.name, len(b), tc.size)
		}
	}
}

func TestParseErrors(t *testing.T) {
	key := unhex(t, captureL3T3[0])
	inside := bytes.Clone(key)
	inside[0] &^= 0x80
	deep := append([]byte{0xc0, 0, 0}, 0x80, 0x00, 0x0a, 0xaa) // S0, S1, S2, S3, S4
	for _, tc := range []struct {
		name string
		b    []byte
		seen bool // the structure
		want error
	}{
		{"nothing", nil, true, dd.ErrShort},
		{"two bytes", []byte{0xc0, 0}, true, dd.ErrShort},
		{"before any structure", []byte{0xc0, 0, 1}, false, dd.ErrStructure},
		{"template behind the last", []byte{0xcf, 1, 0x73}, true, dd.ErrStructure},
		{"template before the first", []byte{0xff, 1, 0x73}, true, dd.ErrStructure},
		{"structure cut short", key[:40], true, dd.ErrShort},
		{"structure without its resolutions", key[:len(key)-8], true, dd.ErrShort},
		{"structure inside a frame", inside, false, dd.ErrMalformed},
		{"five spatial layers", deep, false, dd.ErrMalformed},
		{"active targets cut short", []byte{0xc0, 1, 0x73, 0x40}, true, dd.ErrShort},
		{"custom indications cut short", []byte{0xc0, 1, 0x73, 0x20, 0}, true, dd.ErrShort},
		{"custom references cut short", []byte{0xc0, 1, 0x73, 0x17}, true, dd.ErrShort},
		{"too many custom references", append([]byte{0xc0, 1, 0x73, 0x12}, bytes.Repeat([]byte{0x49, 0x24, 0x92}, 6)...), true, dd.ErrMalformed},
		{"custom chains cut short", []byte{0xc0, 1, 0x73, 0x08, 1}, true, dd.ErrShort},
	} {
		var p dd.Parser
		var d dd.Descriptor
		if tc.seen {
			if err := p.Parse(key, &d); err != nil {
				t.Fatal(err)
			}
		}
		before := p.Structure()
		d = dd.Descriptor{End: true}
		if err := p.Parse(tc.b, &d); !errors.Is(err, tc.want) || d != (dd.Descriptor{}) {
			t.Errorf("%s: Parse = %v with %+v, want %v with nothing", tc.name, err, d, tc.want)
		}
		if p.Structure() != before {
			t.Errorf("%s: the structure changed", tc.name)
		}
	}
}

// A new structure replaces the old one, for packets from then on.
func TestParserStructures(t *testing.T) {
	small := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 2}, 640, 360, 65530, 62)
	large := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 2}, 1280, 720, 65540, 1)
	var p dd.Parser
	parse := func(d dd.Descriptor) (dd.Descriptor, error) {
		var got dd.Descriptor
		err := p.Parse(dd.Append(nil, &d, d.Unchanged()), &got)
		return got, err
	}
	must := func(d dd.Descriptor) dd.Descriptor {
		t.Helper()
		got, err := parse(d)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := must(small.Picture(true)[0])
	second := small.Picture(false)[0]
	third := must(small.Picture(false)[0])
	if third.Structure != first.Structure || third.Number != first.Number+2 {
		t.Errorf("frame %d with another structure, want %d with the same", third.Number, first.Number+2)
	}
	if again := must(small.Picture(true)[0]); again.Structure != first.Structure {
		t.Error("the same structure again is another")
	}

	key := large.Picture(true)
	next := large.Picture(false)
	if _, err := parse(key[1]); !errors.Is(err, dd.ErrStructure) {
		t.Errorf("frame before its structure: %v, want ErrStructure", err)
	}
	k := must(key[0])
	if k.Structure == first.Structure || k.Structure != p.Structure() {
		t.Error("the new structure is not used")
	}
	if d := must(next[0]); d.Structure != k.Structure || d.Number != k.Number+2 {
		t.Errorf("frame %d after %d", d.Number, k.Number)
	}
	if d := must(second); d.Structure != first.Structure || d.Number != first.Number+1 || d.Active != first.Structure.All() {
		t.Errorf("late frame %d, targets %b, want %d of the old structure, all targets", d.Number, d.Active, first.Number+1)
	}
	late := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 2}, 640, 360, 65530, 62).Picture(true)[0]
	if d := must(late); d.Structure != first.Structure || p.Structure() != k.Structure {
		t.Error("a late key frame is read with another structure, or changes the latest")
	}
	if d := must(key[1]); d.Structure != k.Structure {
		t.Error("late frame of the new structure is read with another")
	}
}

// Active decode targets hold until they are said again, a structure sets all,
// and late packets change nothing.
func TestParserActive(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 1}, 1280, 720, 0, 0)
	var p dd.Parser
	for i, tc := range []struct {
		key, has bool
		active   dd.Targets
		back     int64 // how many frames late
		want     dd.Targets
	}{
		{true, false, 0, 0, 3},
		{false, false, 0, 0, 3},
		{false, true, 1, 0, 1},
		{false, false, 0, 0, 1},
		{false, true, 2, 6, 2},
		{false, false, 0, 0, 1},
		{false, true, 0, 0, 0},
		{true, false, 0, 0, 3},
		{true, true, 1, 0, 1},
		{false, false, 0, 0, 1},
		{true, false, 0, 8, 3}, // an old key frame, read again to be sent again
		{false, false, 0, 0, 1},
	} {
		d := e.Picture(tc.key)[0]
		d.HasActive, d.Active = tc.has, tc.active
		d.Number -= tc.back
		var got dd.Descriptor
		if err := p.Parse(dd.Append(nil, &d, d.Unchanged()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Active != tc.want || got.HasActive != tc.has {
			t.Errorf("packet %d: active targets %b, %v, want %b, %v", i, got.Active, got.HasActive, tc.want, tc.has)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*dd.Structure)
	}{
		{"offset", func(s *dd.Structure) { s.TemplateIDOffset = 64 }},
		{"no targets", func(s *dd.Structure) { s.Targets = 0 }},
		{"too many targets", func(s *dd.Structure) { s.Targets = 33 }},
		{"more chains than targets", func(s *dd.Structure) { s.Chains = 5 }},
		{"no templates", func(s *dd.Structure) { s.Templates = nil }},
		{"protected by no chain", func(s *dd.Structure) { s.ProtectedBy[1] = 2 }},
		{"protected target that does not exist", func(s *dd.Structure) { s.ProtectedBy[4] = 1 }},
		{"begins with T1", func(s *dd.Structure) { s.Templates = s.Templates[2:] }},
		{"layers in disorder", func(s *dd.Structure) { s.Templates[0], s.Templates[4] = s.Templates[4], s.Templates[0] }},
		{"distant reference", func(s *dd.Structure) { s.Templates[0].Diffs[0] = 17 }},
		{"references with a hole", func(s *dd.Structure) { s.Templates[0].Diffs = diffs(0, 1) }},
		{"distant chain", func(s *dd.Structure) { s.Templates[0].ChainDiffs[0] = 16 }},
		{"chain that does not exist", func(s *dd.Structure) { s.Templates[0].ChainDiffs[2] = 1 }},
		{"indication of no target", func(s *dd.Structure) { s.Templates[0].Indications |= 1 << 8 }},
		{"resolutions missing", func(s *dd.Structure) { s.Resolutions = s.Resolutions[:1] }},
		{"no width", func(s *dd.Structure) { s.Resolutions[0].Width = 0 }},
		{"too high", func(s *dd.Structure) { s.Resolutions[0].Height = 65537 }},
	} {
		s := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 2}, 1280, 720, 0, 0).Structure()
		if err := s.Validate(); err != nil {
			t.Fatalf("before: %v", err)
		}
		tc.edit(s)
		if err := s.Validate(); !errors.Is(err, dd.ErrMalformed) {
			t.Errorf("%s: Validate = %v, want ErrMalformed", tc.name, err)
		}
	}
}
