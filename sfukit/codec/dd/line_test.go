package dd_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

// Numbers go on over a change of source, templates of different structures do
// not collide, and all is constant in between.
func TestLine(t *testing.T) {
	a := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 3}, 320, 180, 65530, 60) // 5 templates: 60 to 0
	b := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 3}, 640, 360, 300, 60)
	var srcA, srcB source
	var l dd.Line
	picture := func(s *source, e *ddtest.Encoder, key bool) dd.Descriptor {
		return s.parse(t, &e.Picture(key)[0])
	}
	wire := func(d *dd.Descriptor) (template uint8, number uint16, c dd.Change) {
		t.Helper()
		c, ok := l.Map(d, d.Active)
		if !ok {
			t.Fatalf("Map(%d): too late", d.Number)
		}
		w := dd.Append(nil, d, c)
		return w[0] & 63, uint16(w[1])<<8 | uint16(w[2]), c
	}
	for i, tc := range []struct {
		source   byte
		key      bool
		begin    bool
		number   uint16
		template uint8
	}{
		{'a', true, true, 65530, 60},
		{'a', false, false, 65531, 63},
		{'a', false, false, 65532, 62},
		{'b', true, true, 65533, 1}, // after 60 to 0
		{'b', false, false, 65534, 4},
		{'b', true, false, 65535, 1}, // a key frame with the structure it has
		{'a', true, true, 0, 6},
		{'a', false, false, 1, 9},
		{'b', true, true, 2, 11},
		{'b', true, true, 3, 11}, // again, with the same structure
	} {
		var d dd.Descriptor
		if tc.source == 'a' {
			d = picture(&srcA, a, tc.key)
		} else {
			d = picture(&srcB, b, tc.key)
		}
		if tc.begin {
			l.Begin()
		}
		template, number, c := wire(&d)
		if number != tc.number || template != tc.template || c.Attach != tc.key || c.HasActive {
			t.Errorf("frame %d: number %d, template %d, %+v, want %d, %d, structure %v", i, number, template, c, tc.number, tc.template, tc.key)
		}
	}
}

// A key frame without a structure of its own gets it at the beginning of a run,
// and other frames never do.
func TestLineAttaches(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 1}, 320, 180, 0, 0)
	var src source
	first := src.parse(t, &e.Picture(true)[0])
	e.Picture(false)
	key := e.Picture(true)[0]
	key.Attached = false
	packets := ddtest.Split(src.parse(t, &key), 2)
	next := src.parse(t, &e.Picture(false)[0])
	if !packets[0].Intra() || first.Structure != packets[0].Structure {
		t.Fatal("not the packets this test wants")
	}
	for _, tc := range []struct {
		name string
		d    *dd.Descriptor
		want bool
	}{
		{"first packet", &packets[0], true},
		{"its second packet", &packets[1], false},
		{"not a key frame", &next, false},
	} {
		var l dd.Line
		if c, ok := l.Map(tc.d, tc.d.Active); !ok || c.Attach != tc.want {
			t.Errorf("%s: Attach = %v, %v, want %v", tc.name, c.Attach, ok, tc.want)
		}
	}
}

// The active decode targets are said as long as a receiver that lost packets
// may believe otherwise.
func TestLineActive(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 1}, 640, 360, 0, 0)
	var src source
	var l dd.Line
	for i, tc := range []struct {
		key    bool
		active dd.Targets
		want   bool
	}{
		{true, 3, false},
		{false, 3, false},
		{false, 1, true},
		{false, 1, true},
		{false, 3, true}, // was not always so
		{true, 1, true},
		{false, 1, true},
		{true, 3, false},
		{false, 7, false}, // more than there are
		{false, 0, true},
	} {
		d := src.parse(t, &e.Picture(tc.key)[0])
		c, ok := l.Map(&d, tc.active)
		if !ok || c.HasActive != tc.want || c.Active != tc.active&3 {
			t.Errorf("frame %d: %+v, %v, want HasActive %v with %b", i, c, ok, tc.want, tc.active&3)
		}
	}
}

// Packets that come late have the numbers of their structure, or are refused.
func TestLineLate(t *testing.T) {
	var src source
	var keys, nexts []dd.Descriptor
	number := int64(0)
	for i := range 3 {
		e := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 1}, 320<<i, 180<<i, number, uint8(20*i))
		keys = append(keys, src.parse(t, &e.Picture(true)[0]))
		nexts = append(nexts, src.parse(t, &e.Picture(false)[0]))
		number += 2
	}
	var l dd.Line
	var in [3]dd.Change
	for i := range keys {
		in[i], _ = l.Map(&keys[i], keys[i].Active)
		for back := range i + 1 {
			c, ok := l.Map(&nexts[i-back], keys[i].Active)
			if back > 1 {
				if ok {
					t.Errorf("a frame of a structure two back was accepted")
				}
				continue
			}
			if !ok || c.Templates != in[i-back].Templates || c.Frames != in[i-back].Frames {
				t.Errorf("structure %d, %d back: %+v, %v, want the numbers of %+v", i, back, c, ok, in[i-back])
			}
		}
	}
}

// Two encodings in turns, ten thousand times: the receiver has all
// that each frame needs, and a packet that is sent again is the same.
func TestLineSwitches(t *testing.T) {
	const switches = 10_000
	rnd := rand.New(rand.NewPCG(3, 4))
	var sources [2]struct {
		source
		*ddtest.Encoder
	}
	sources[0].Encoder = ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 3}, 640, 360, 65000, 40)
	sources[1].Encoder = ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 2, Prediction: ddtest.Key}, 1280, 720, 300, 45)
	l := line{receiver: newReceiver(t)}
	timestamp := uint32(0)
	for i := range switches {
		from := &sources[i%2]
		l.selector.Reset()
		l.selector.Want(uint8(rnd.IntN(3)), uint8(rnd.IntN(3)))
		l.line.Begin()
		for j := range 1 + rnd.IntN(12) {
			timestamp += 3000
			frames := from.Picture(j == 0 || rnd.IntN(30) == 0)
			for k := range frames {
				for _, p := range ddtest.Split(frames[k], 1+rnd.IntN(3)) {
					d := from.parse(t, &p)
					l.forward(t, &d, timestamp, k == len(frames)-1 && d.End)
				}
			}
		}
		for _, s := range l.sent[max(0, len(l.sent)-50):] {
			if again := dd.Append(nil, &s.d, s.change); !bytes.Equal(again, s.bytes) {
				t.Fatalf("sent again as %x, was %x", again, s.bytes)
			}
		}
	}
	t.Logf("%d switches, %d frames, %d pictures", switches, l.receiver.frames, l.receiver.pictures)
}

func TestAllocs(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3}, 1280, 720, 0, 0)
	var packets [][]byte
	for i := range 40 {
		for _, f := range e.Picture(i%20 == 0) {
			packets = append(packets, dd.Append(nil, &f, f.Unchanged()))
		}
	}
	var p dd.Parser
	var s dd.Selector
	var l dd.Line
	var d dd.Descriptor
	buf := make([]byte, 0, 256)
	run := func() {
		for i, b := range packets {
			if err := p.Parse(b, &d); err != nil {
				t.Fatal(err)
			}
			s.Want(uint8(i%3), uint8(i%2))
			if !s.Take(&d, uint32(i/3)) {
				continue
			}
			c, _ := l.Map(&d, s.Active(&d))
			buf = dd.Append(buf[:0], &d, c)
			s.Ends(&d)
			s.Intact(&d)
			s.NeedsKeyframe()
		}
	}
	run()
	if n := testing.AllocsPerRun(10, run); n != 0 {
		t.Errorf("%v allocs, want 0", n)
	}
}
