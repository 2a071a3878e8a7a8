package layer_test

import (
	"slices"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const kbps = units.Kbps

// live returns a live rung.
func live(rid layer.RID, w, h int, rate units.Bitrate) layer.Rung {
	return layer.Rung{RID: rid, Width: w, Height: h, Bitrate: rate, Live: true}
}

func order(l layer.Ladder) rids {
	out := rids{}
	for i := range l.Len() {
		out = append(out, l.At(i).RID)
	}
	return out
}

func TestNewLadderOrder(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rungs []layer.Rung
		want  rids
	}{
		{"empty", nil, rids{}},
		{"no simulcast", []layer.Rung{live("", 0, 0, 0)}, rids{""}},
		{"area beats names and rates", []layer.Rung{
			live("q", 1280, 720, 100*kbps), live("h", 640, 360, 200*kbps), live("f", 320, 180, 300*kbps),
		}, rids{"f", "h", "q"}},
		{"area beats width", []layer.Rung{live("a", 640, 100, 0), live("b", 360, 640, 0)}, rids{"a", "b"}},
		{"one unknown area: rates for all", []layer.Rung{
			live("a", 320, 180, 900*kbps), live("b", 0, 0, 100*kbps), live("c", 1280, 720, 500*kbps),
		}, rids{"b", "c", "a"}},
		{"half a size is no size", []layer.Rung{live("a", 640, 0, 2*kbps), live("b", 320, 180, 1*kbps)}, rids{"b", "a"}},
		{"one unknown rate: names", []layer.Rung{
			live("f", 0, 0, 100*kbps), live("q", 0, 0, 900*kbps), live("h", 0, 0, 0),
		}, rids{"q", "h", "f"}},
		{"one unconventional name: declared order", []layer.Rung{
			live("f", 0, 0, 0), live("q", 0, 0, 0), live("x", 0, 0, 0),
		}, rids{"f", "q", "x"}},
		{"equal areas: rates", []layer.Rung{
			live("a", 640, 360, 300*kbps), live("b", 640, 360, 100*kbps), live("c", 320, 180, 900*kbps),
		}, rids{"c", "b", "a"}},
		{"equal areas, unknown rates: names", []layer.Rung{live("f", 640, 360, 0), live("q", 640, 360, 0)}, rids{"q", "f"}},
		{"dead rungs stay", []layer.Rung{{RID: "f"}, live("q", 0, 0, 0)}, rids{"q", "f"}},
	} {
		l := layer.NewLadder(tc.rungs)
		if got := order(l); !slices.Equal(got, tc.want) {
			t.Errorf("%s: order = %q, want %q", tc.name, got, tc.want)
		}
		for i, rid := range tc.want {
			if got, ok := l.Rank(rid); got != i || !ok {
				t.Errorf("%s: Rank(%q) = %d, %v, want %d, true", tc.name, rid, got, ok, i)
			}
		}
	}
}

func TestLadderDoesNotShareItsInput(t *testing.T) {
	in := []layer.Rung{live("f", 0, 0, 0), live("q", 0, 0, 0)}
	l := layer.NewLadder(in)
	in[0].RID, in[1].Live = "x", false
	if got := l.At(0); got.RID != "q" || !got.Live {
		t.Errorf("At(0) = %+v after the caller changed its slice, want a live q", got)
	}
	if in[1].RID != "q" {
		t.Errorf("NewLadder reordered its argument: %+v", in)
	}
}

func TestLadderAbsent(t *testing.T) {
	var zero layer.Ladder
	l := layer.NewLadder([]layer.Rung{live("q", 0, 0, 0)})
	for _, i := range []int{-1, 1} {
		if got := l.At(i); got != (layer.Rung{}) {
			t.Errorf("At(%d) = %+v, want the zero Rung", i, got)
		}
	}
	if i, ok := l.Rank("f"); ok {
		t.Errorf("Rank(f) = %d, true on a ladder without it", i)
	}
	for _, limit := range []layer.RID{"", "q", "h", "f", "x"} {
		if got, ok := zero.BestFit(limit); ok || got != "" {
			t.Errorf("zero ladder: BestFit(%q) = %q, %v, want none", limit, got, ok)
		}
	}
	if got, ok := zero.FitWidth(640); ok || got != "" {
		t.Errorf("zero ladder: FitWidth(640) = %q, %v, want none", got, ok)
	}
}

func TestLadderBestFit(t *testing.T) {
	named := func(names string, dead string) layer.Ladder { // low to high
		var rungs []layer.Rung
		for i, c := range names {
			rungs = append(rungs, layer.Rung{
				RID: layer.RID(c), Width: 100 * (i + 1), Height: 100,
				Live: !slices.Contains([]rune(dead), c),
			})
		}
		return layer.NewLadder(rungs)
	}
	for _, tc := range []struct {
		names, dead string
		limit, want layer.RID // want "" is none
	}{
		{"abc", "", "", "c"},
		{"abc", "", "b", "b"},
		{"abc", "c", "", "b"},
		{"abc", "b", "b", "a"},   // only 2 and 0 sent: not stuck on the missing middle
		{"abc", "b", "", "c"},    // and it still climbs to the top
		{"abc", "ab", "a", "c"},  // nothing at or below: the lowest that lives
		{"abc", "abc", "", ""},   // nothing lives
		{"abc", "", "q", "a"},    // conventional limits are places on a foreign ladder
		{"abc", "", "h", "b"},    //
		{"abc", "", "f", "c"},    //
		{"ab", "", "h", "a"},     // lower middle
		{"abcd", "", "h", "b"},   //
		{"abc", "", "x", "c"},    // an unknown limit limits nothing
		{"fhq", "", "f", "f"},    // declared upside down: f is the smallest picture here
		{"fhq", "", "q", "q"},    //
		{"fhq", "f", "f", "h"},   //
		{"a", "", "q", "a"},      //
		{"abc", "a", "q", "b"},   //
		{"abc", "bc", "f", "a"},  //
		{"abc", "abc", "f", ""},  //
		{"abc", "abc", "zz", ""}, //
	} {
		got, ok := named(tc.names, tc.dead).BestFit(tc.limit)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("ladder %s without %q: BestFit(%q) = %q, %v, want %q", tc.names, tc.dead, tc.limit, got, ok, tc.want)
		}
	}
}

// Over conventional names, whatever subset is published and whatever part of
// it lives, a Ladder decides as the function on names does.
func TestLadderAgreesWithBestFit(t *testing.T) {
	all := rids{layer.Low, layer.Medium, layer.High}
	for published := 1; published < 8; published++ {
		for alive := 1; alive < 8; alive++ {
			if alive&^published != 0 {
				continue
			}
			var rungs []layer.Rung
			var active rids
			for i := 2; i >= 0; i-- {
				if published>>i&1 == 1 {
					rungs = append(rungs, layer.Rung{RID: all[i], Live: alive>>i&1 == 1})
				}
				if alive>>i&1 == 1 {
					active = append(active, all[i])
				}
			}
			for _, desired := range all {
				want := layer.BestFit(desired, active)
				got, ok := layer.NewLadder(rungs).BestFit(desired)
				if got != want || !ok {
					t.Errorf("%+v: BestFit(%q) = %q, %v, want %q", rungs, desired, got, ok, want)
				}
			}
		}
	}
}

func TestLadderFitWidth(t *testing.T) {
	three := []layer.Rung{live("f", 1280, 720, 0), live("h", 640, 360, 0), live("q", 320, 180, 0)}
	for _, tc := range []struct {
		name  string
		rungs []layer.Rung
		width int
		want  layer.RID
	}{
		{"exact", three, 640, "h"},
		{"just below", three, 639, "q"},
		{"between", three, 1000, "h"},
		{"above all", three, 4000, "f"},
		{"below all: lowest", three, 100, "q"},
		{"no limit", three, 0, "f"},
		{"negative is no limit", three, -1, "f"},
		{"dead rung skipped", []layer.Rung{live("q", 320, 180, 0), {RID: "h", Width: 640, Height: 360}}, 640, "q"},
		{"below all, lowest dead", []layer.Rung{{RID: "q", Width: 320, Height: 180}, live("h", 640, 360, 0)}, 100, "h"},
		{"unknown width does not fit", []layer.Rung{live("q", 0, 0, 0), live("f", 0, 0, 0)}, 640, "q"},
		{"known below unknown", []layer.Rung{live("q", 320, 180, 0), live("f", 0, 0, 0)}, 640, "q"},
		{"none live", []layer.Rung{{RID: "q", Width: 320}}, 640, ""},
		{"no limit, none live", []layer.Rung{{RID: "q", Width: 320}}, 0, ""},
	} {
		got, ok := layer.NewLadder(tc.rungs).FitWidth(tc.width)
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: FitWidth(%d) = %q, %v, want %q", tc.name, tc.width, got, ok, tc.want)
		}
	}
}

// FuzzLadder builds ladders from arbitrary bytes: each decision is a live
// rung, the rungs are a permutation of the input, and ordering what is already
// in order changes nothing.
func FuzzLadder(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 1, 0, 0, 9, 0, 1, 1, 1}, "h", 2)
	f.Add([]byte{0x81, 1, 1, 0, 0x82, 1, 1, 0}, "", 0)
	f.Fuzz(func(t *testing.T, raw []byte, limit string, width int) {
		var rungs []layer.Rung
		for i := 0; i+3 < len(raw) && len(rungs) < 8; i += 4 {
			rungs = append(rungs, layer.Rung{
				RID:   layer.RID("qhf" + "abcde")[len(rungs) : len(rungs)+1],
				Width: int(raw[i] & 0x7f), Height: int(raw[i+1]), Bitrate: units.Bitrate(raw[i+2]),
				Live: raw[i]&0x80 != 0,
			})
		}
		l := layer.NewLadder(rungs)
		if l.Len() != len(rungs) {
			t.Fatalf("Len = %d, want %d", l.Len(), len(rungs))
		}
		sorted := make([]layer.Rung, l.Len())
		for i := range sorted {
			sorted[i] = l.At(i)
		}
		if got, want := order(layer.NewLadder(sorted)), order(l); !slices.Equal(got, want) {
			t.Fatalf("ordered again: %q, want %q", got, want)
		}
		alive := 0
		for _, r := range rungs {
			if i, ok := l.Rank(r.RID); !ok || l.At(i) != r {
				t.Fatalf("rung %+v lost: %+v", r, l)
			}
			if r.Live {
				alive++
			}
		}
		for _, pick := range []func() (layer.RID, bool){
			func() (layer.RID, bool) { return l.BestFit(layer.RID(limit)) },
			func() (layer.RID, bool) { return l.FitWidth(width) },
		} {
			rid, ok := pick()
			if ok != (alive > 0) {
				t.Fatalf("%+v: picked %q, %v with %d live", l, rid, ok, alive)
			}
			if i, found := l.Rank(rid); ok && (!found || !l.At(i).Live) {
				t.Fatalf("%+v: picked %q, which is not live", l, rid)
			}
		}
	})
}

func TestDecisionsDoNotAllocate(t *testing.T) {
	l := layer.NewLadder([]layer.Rung{live("q", 320, 180, 0), live("h", 640, 360, 0), live("f", 1280, 720, 0)})
	active := rids{"q", "h", "f"}
	if n := testing.AllocsPerRun(100, func() {
		l.BestFit("h")
		l.FitWidth(640)
		layer.BestFit("f", active)
		if _, err := layer.ParseRID("not-a-rid"); err == nil {
			t.Error("ParseRID(not-a-rid): no error")
		}
	}); n != 0 {
		t.Errorf("layer decisions: %v allocs, want 0", n)
	}
}

// Rates follow what is in the picture; names do not.
func TestLadderTrustsNamesBeforeRates(t *testing.T) {
	rungs := func(low, medium, high layer.RID) []layer.Rung {
		return []layer.Rung{
			{RID: low, Bitrate: 120_000, Live: true}, {RID: medium, Bitrate: 90_000, Live: true}, {RID: high, Bitrate: 100_000, Live: true},
		}
	}
	for _, tc := range []struct {
		name  string
		rungs []layer.Rung
		want  []layer.RID
	}{
		{"conventional names", rungs("q", "h", "f"), []layer.RID{"q", "h", "f"}},
		{"other names", rungs("a", "b", "c"), []layer.RID{"b", "c", "a"}},
	} {
		l := layer.NewLadder(tc.rungs)
		for i, want := range tc.want {
			if got := l.At(i).RID; got != want {
				t.Errorf("%s: rung %d is %q, want %q", tc.name, i, got, want)
			}
		}
	}
}
