package dd_test

import (
	"bytes"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

// FuzzParse reads a packet of any bytes after a key frame of any bytes: nothing
// is said on error, and what is read is the same after being written.
func FuzzParse(f *testing.F) {
	key := unhex(f, captureL3T3[0])
	for _, h := range captureL3T3 {
		f.Add(key, unhex(f, h))
	}
	for _, m := range ddtest.Modes() {
		e := ddtest.New(m, 1280, 720, 0, 60)
		first := e.Picture(true)[0]
		for _, d := range e.Picture(false) {
			f.Add(dd.Append(nil, &first, first.Unchanged()), dd.Append(nil, &d, d.Unchanged()))
		}
	}
	f.Add(key, []byte{0xc0, 1, 0x73, 0x38, 0xff, 0xff, 0xff, 0x55, 0x55, 0x55, 0x55, 0x55})
	f.Fuzz(func(t *testing.T, key, next []byte) {
		var p, again dd.Parser
		for _, b := range [][]byte{key, next} {
			before := bytes.Clone(b)
			var d dd.Descriptor
			err := p.Parse(b, &d)
			if !bytes.Equal(b, before) {
				t.Fatal("Parse wrote to its input")
			}
			if err != nil {
				if d != (dd.Descriptor{}) {
					t.Errorf("%v with %+v", err, d)
				}
				continue
			}
			if err := d.Structure.Validate(); err != nil {
				t.Fatal(err)
			}
			if d.Attached && !d.Start || d.Active&^d.Structure.All() != 0 || int(d.Template) >= len(d.Structure.Templates) {
				t.Errorf("impossible: %+v", d)
			}
			written := dd.Append(nil, &d, d.Unchanged())
			if len(written) > len(b) {
				t.Errorf("%d bytes from %d", len(written), len(b))
			}
			var got dd.Descriptor
			if err := again.Parse(written, &got); err != nil {
				t.Fatalf("%v: %x from %x", err, written, b)
			}
			if !got.Structure.Equal(d.Structure) || got.Structure.TemplateIDOffset != d.Structure.TemplateIDOffset {
				t.Errorf("structure %+v after %+v", got.Structure, d.Structure)
			}
			got.Structure = d.Structure
			if got != d {
				t.Errorf("%+v\nwas %+v", got, d)
			}
		}
	})
}

// FuzzForward feeds any frames in any order to a Selector and a Line: they do
// not panic, a frame's packets have one fate, and what Append writes of a
// packet can be read.
func FuzzForward(f *testing.F) {
	f.Add(uint8(20), []byte{0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(uint8(5), []byte{0, 0, 9, 0x80, 0x42, 0x90, 0xc3, 17, 0xe5, 4, 3, 2})
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		modes := ddtest.Modes()
		m := modes[int(which)%len(modes)]
		e := ddtest.New(m, 1280, 720, 65500, which)
		var src source
		var s dd.Selector
		var l dd.Line
		type seen struct {
			d         dd.Descriptor
			timestamp uint32
			taken     bool
		}
		var all []seen
		take := func(i int) {
			d := &all[i].d
			got := s.Take(d, all[i].timestamp)
			if len(all)-i < 500 && got != all[i].taken && all[i].taken {
				t.Fatalf("frame %d was taken and is not any more", d.Number)
			}
			all[i].taken = got
			if s.Ends(d); !got {
				return
			}
			s.Intact(d)
			if c, ok := l.Map(d, s.Active(d)); ok {
				var p dd.Parser
				key := *d
				key.Start, key.Attached = true, true
				c.Attach = true
				var back dd.Descriptor
				if err := p.Parse(dd.Append(nil, &key, c), &back); err != nil || back.Frame != d.Frame {
					t.Fatalf("%v: %+v from %+v", err, back, d)
				}
			}
		}
		for i, b := range script[:min(len(script), 200)] {
			switch b >> 6 {
			case 0:
				frames := e.Picture(i == 0 || b&7 == 0)
				for j := range frames {
					all = append(all, seen{d: src.parse(t, &frames[j]), timestamp: uint32(i)})
					if b&8 == 0 || b>>4&3 != uint8(j) {
						take(len(all) - 1)
					}
				}
			case 1:
				if len(all) > 0 {
					take(int(b&63) % len(all))
				}
			case 2:
				s.Want(b&3, b>>2&3)
				if b&32 != 0 {
					e.SetLayers(1 + int(b>>2)%m.Spatial)
				}
			case 3:
				if b&63 == 0 {
					s.Reset()
					l.Begin()
					all = all[:0]
				}
				s.NeedsKeyframe()
			}
		}
	})
}

func BenchmarkForward(b *testing.B) {
	e := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3}, 1280, 720, 0, 0)
	var packets [][]byte
	for i := range 400 {
		for _, f := range e.Picture(i%400 == 0) {
			packets = append(packets, dd.Append(nil, &f, f.Unchanged()))
		}
	}
	b.Run("Parse", func(b *testing.B) {
		var p dd.Parser
		var d dd.Descriptor
		b.ReportAllocs()
		for i := range b.N {
			_ = p.Parse(packets[i%len(packets)], &d)
		}
	})
	b.Run("TakeMapAppend", func(b *testing.B) {
		var p dd.Parser
		ds := make([]dd.Descriptor, len(packets))
		for i := range packets {
			_ = p.Parse(packets[i], &ds[i])
		}
		var s dd.Selector
		var l dd.Line
		s.Want(1, 1)
		buf := make([]byte, 0, 256)
		b.ReportAllocs()
		for i := range b.N {
			d := &ds[i%len(ds)]
			if i%len(ds) == 0 {
				s.Reset()
				l.Begin()
			}
			if s.Take(d, uint32(i/3)) {
				c, _ := l.Map(d, s.Active(d))
				buf = dd.Append(buf[:0], d, c)
			}
		}
	})
}
