package dd_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/ddtest"
)

// step is a number of pictures with what is wanted, and what must be had after
// the last one.
type step struct {
	spatial, temporal uint8
	key               bool // the first picture is a key picture
	pictures          int
	wantS, wantT      uint8
	needsKey          bool
}

// Layers change where they may, and as early as they may.
func TestSelector(t *testing.T) {
	for _, tc := range []struct {
		name  string
		mode  ddtest.Mode
		steps []step
	}{
		{"temporal layers go at once and come at a base layer or sync picture", ddtest.Mode{Spatial: 1, Temporal: 3}, []step{
			{9, 9, true, 1, 0, 2, false},
			{9, 0, false, 1, 0, 0, false},
			{9, 9, false, 1, 0, 2, false}, // T1, which needs T0 only
			{9, 1, false, 1, 0, 1, false},
			{9, 9, false, 1, 0, 2, false}, // T0
		}},
		{"a top temporal layer does not come by itself", ddtest.Mode{Spatial: 1, Temporal: 3}, []step{
			{9, 0, true, 1, 0, 0, false},
			{9, 9, false, 1, 0, 0, false}, // T2 needs T1 frames to come
			{9, 9, false, 1, 0, 2, false},
		}},
		{"full SVC goes down at once and up with a key picture", ddtest.Mode{Spatial: 3, Temporal: 1}, []step{
			{9, 9, true, 3, 2, 0, false},
			{1, 9, false, 1, 1, 0, false},
			{0, 9, false, 1, 0, 0, false},
			{2, 9, false, 9, 0, 0, true},
			{2, 9, true, 1, 2, 0, false},
		}},
		{"k-SVC goes down and up with a key picture", ddtest.Mode{Spatial: 3, Temporal: 2, Prediction: ddtest.Key}, []step{
			{9, 9, true, 3, 2, 1, false},
			{0, 9, false, 5, 2, 1, true},
			{0, 0, false, 2, 2, 0, true}, // fewer pictures meanwhile
			{0, 9, true, 1, 0, 1, false},
			{1, 9, false, 5, 0, 1, true},
			{1, 9, true, 1, 1, 1, false},
		}},
		{"simulcast in one stream changes with a key picture", ddtest.Mode{Spatial: 2, Temporal: 1, Prediction: ddtest.Simulcast}, []step{
			{0, 9, true, 3, 0, 0, false},
			{1, 9, false, 3, 0, 0, true},
			{1, 9, true, 1, 1, 0, false},
		}},
		{"temporal layers of all spatial layers come with the temporal base layer", ddtest.Mode{Spatial: 3, Temporal: 3}, []step{
			{9, 0, true, 1, 2, 0, false},
			{9, 9, false, 3, 2, 0, false},
			{9, 9, false, 1, 2, 2, false},
			{9, 1, false, 1, 2, 1, false},
			{1, 1, false, 2, 1, 1, false},
			{1, 9, false, 1, 1, 2, false},
		}},
		{"spatial and temporal layers come one after the other", ddtest.Mode{Spatial: 2, Temporal: 3}, []step{
			{0, 0, true, 4, 0, 0, false},
			{1, 2, false, 4, 0, 2, true},
			{1, 2, true, 1, 1, 2, false},
			{0, 1, false, 2, 0, 1, false},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := ddtest.New(tc.mode, 1280, 720, 100, 0)
			var src source
			l := line{receiver: newReceiver(t)}
			timestamp, fed := uint32(0), 0
			for i, st := range tc.steps {
				l.selector.Want(st.spatial, st.temporal)
				for n := range st.pictures {
					timestamp += 3000
					fed++
					frames := e.Picture(n == 0 && st.key)
					for j := range frames {
						d := src.parse(t, &frames[j])
						l.forward(t, &d, timestamp, j == len(frames)-1)
					}
				}
				gotS, gotT, ok := l.selector.Current()
				if !ok || gotS != st.wantS || gotT != st.wantT {
					t.Fatalf("step %d: layers S%dT%d, %v, want S%dT%d", i, gotS, gotT, ok, st.wantS, st.wantT)
				}
				if got := l.selector.NeedsKeyframe(); got != st.needsKey {
					t.Errorf("step %d: NeedsKeyframe = %v, want %v", i, got, st.needsKey)
				}
				if l.receiver.pictures > fed {
					t.Errorf("step %d: %d marker bits for %d pictures", i, l.receiver.pictures, fed)
				}
				if l.receiver.spatial != st.wantS && l.receiver.last.TemporalID <= st.wantT {
					t.Errorf("step %d: the receiver got layer %d, want %d", i, l.receiver.spatial, st.wantS)
				}
			}
		})
	}
}

// Whatever is wanted whenever, in every mode, with key pictures now and then
// and a sender that leaves out its top layers now and then, the receiver can
// decode all it gets, and gets every base layer picture.
func TestSelectorRandom(t *testing.T) {
	for _, m := range ddtest.Modes() {
		t.Run(m.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, uint64(m.Spatial*100+m.Temporal*10+int(m.Prediction))))
			e := ddtest.New(m, 1280, 720, 65000, 50)
			var src source
			l := line{receiver: newReceiver(t)}
			timestamp := uint32(0)
			pictures, keys := 0, 0
			for i := range 5000 {
				if rnd.IntN(5) == 0 {
					l.selector.Want(uint8(rnd.IntN(m.Spatial)), uint8(rnd.IntN(m.Temporal)))
				}
				key := i == 0 || rnd.IntN(20) == 0
				if key {
					keys++
				}
				if key && rnd.IntN(4) == 0 {
					e.SetLayers(1 + rnd.IntN(m.Spatial))
				}
				timestamp += 3000
				frames := e.Picture(key)
				if frames[0].TemporalID == 0 {
					pictures++
				}
				for j := range frames {
					d := src.parse(t, &frames[j])
					l.forward(t, &d, timestamp, j == len(frames)-1)
				}
			}
			if l.receiver.keys != keys {
				t.Errorf("%d key frames, want %d", l.receiver.keys, keys)
			}
			if l.receiver.pictures < pictures {
				t.Errorf("%d complete pictures, want at least the %d of the base layer", l.receiver.pictures, pictures)
			}
			t.Logf("%d pictures, %d of the base layer, %d arrived", 5000, pictures, l.receiver.pictures)
		})
	}
}

// Packets that are lost and sent again come after later ones. Once all are
// there the receiver has what it needs, in every mode.
func TestSelectorRetransmissions(t *testing.T) {
	type packet struct {
		d         dd.Descriptor
		timestamp uint32
		marker    bool
		due       int // when it comes, in packets
	}
	type output struct {
		number    int64
		order     int
		bytes     []byte
		timestamp uint32
		marker    bool
	}
	for _, m := range ddtest.Modes() {
		t.Run(m.String(), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(5, uint64(m.Spatial*100+m.Temporal*10+int(m.Prediction))))
			e := ddtest.New(m, 1280, 720, 64000, 50)
			var packets []packet
			for i := range 2000 {
				frames := e.Picture(i == 0 || rnd.IntN(20) == 0)
				for j := range frames {
					for _, d := range ddtest.Split(frames[j], 1+rnd.IntN(2)) {
						p := packet{d, uint32(3000 * i), d.End && j == len(frames)-1, len(packets)}
						if i > 0 && rnd.IntN(20) == 0 {
							p.due += 1 + rnd.IntN(25)
						}
						packets = append(packets, p)
					}
				}
			}
			order := make([]int, len(packets))
			for i := range order {
				order[i] = i
			}
			slices.SortStableFunc(order, func(a, b int) int { return packets[a].due - packets[b].due })

			var src source
			var s dd.Selector
			var l dd.Line
			var out []output
			var again []int // what no structure was known for, until one comes
			take := func(i int) bool {
				p := &packets[i]
				src.buf = dd.Append(src.buf[:0], &p.d, p.d.Unchanged())
				var d dd.Descriptor
				if err := src.parser.Parse(src.buf, &d); err != nil {
					return false
				}
				if !s.Take(&d, p.timestamp) {
					return true
				}
				c, ok := l.Map(&d, s.Active(&d))
				if !ok {
					t.Fatalf("packet %d is too late", i)
				}
				out = append(out, output{d.Number, i, dd.Append(nil, &d, c), p.timestamp, p.marker || s.Ends(&d)})
				return true
			}
			for n, i := range order {
				if n > 30 && rnd.IntN(15) == 0 {
					s.Want(uint8(rnd.IntN(m.Spatial)), uint8(rnd.IntN(m.Temporal)))
				}
				if !take(i) {
					again = append(again, i)
					continue
				}
				again = slices.DeleteFunc(again, take)
			}
			slices.SortFunc(out, func(a, b output) int { return a.order - b.order })
			r := newReceiver(t)
			for _, o := range out {
				r.receive(o.bytes, o.timestamp, o.marker)
			}
			t.Logf("%d packets, %d forwarded, %d pictures", len(packets), len(out), r.pictures)
		})
	}
}

// All packets of a frame, and a packet that comes again, have the same fate.
func TestSelectorLatePackets(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 3}, 1280, 720, 10, 0)
	var src source
	var s dd.Selector
	var all []dd.Descriptor
	var taken []bool
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range 300 {
		s.Want(uint8(rnd.IntN(3)), uint8(rnd.IntN(3)))
		frames := e.Picture(i%20 == 0)
		for j := range frames {
			d := src.parse(t, &frames[j])
			all = append(all, d)
			taken = append(taken, s.Take(&d, uint32(i)))
			for range 3 {
				k := max(0, len(all)-1-rnd.IntN(1000))
				if got := s.Take(&all[k], uint32(k/3)); got != taken[k] {
					t.Fatalf("at frame %d, frame %d: Take = %v, was %v", len(all), k, got, taken[k])
				}
			}
		}
	}
}

// A frame that comes after later ones is judged by what was wanted then.
func TestSelectorReordered(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 1, Temporal: 2}, 640, 360, 0, 0)
	var src source
	var frames []dd.Descriptor
	for i := range 12 {
		frames = append(frames, src.parse(t, &e.Picture(i == 0)[0]))
	}
	var s dd.Selector
	for _, i := range []int{0, 1, 2, 4, 6} {
		s.Take(&frames[i], uint32(i))
	}
	s.Want(9, 0)
	if s.Take(&frames[7], 7) {
		t.Error("a T1 frame after T1 was given up was taken")
	}
	for _, i := range []int{3, 5} {
		if !s.Take(&frames[i], uint32(i)) {
			t.Errorf("late frame %d from before T1 was given up was not taken", i)
		}
	}
	if s.Take(&frames[9], 9) {
		t.Error("a T1 frame after T1 was given up was taken")
	}
}

// The chain shows a lost frame, and only one that is needed.
func TestSelectorIntact(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 2, Temporal: 2}, 640, 360, 0, 0)
	var src source
	var f []dd.Descriptor // S0T0 S1T0 S0T1 S1T1 ...
	for i := range 8 {
		for _, d := range e.Picture(i == 0) {
			f = append(f, src.parse(t, &d))
		}
	}
	for _, tc := range []struct {
		name    string
		spatial uint8
		lost    int
		at      int
		want    bool
	}{
		{"nothing lost", 1, -1, 9, true},
		{"a T1 frame lost", 1, 2, 9, true},
		{"the base layer lost", 1, 4, 5, false},
		{"the base layer lost, seen by a frame off the chain", 0, 4, 6, false},
		{"the upper layer lost", 1, 5, 6, false},
		{"the upper layer lost, which is not wanted", 0, 5, 6, true},
		{"long ago", 1, 4, 9, true},
	} {
		var s dd.Selector
		s.Want(tc.spatial, 9)
		got := false
		for i := range tc.at + 1 {
			if i == tc.lost {
				continue
			}
			s.Take(&f[i], uint32(i/2))
			got = s.Intact(&f[i])
		}
		if got != tc.want {
			t.Errorf("%s: Intact = %v, want %v", tc.name, got, tc.want)
		}
		if tc.lost >= 0 && !tc.want {
			if s.Take(&f[tc.lost], uint32(tc.lost/2)); !s.Intact(&f[tc.at]) {
				t.Errorf("%s: not intact after the frame came late", tc.name)
			}
		}
	}
}

// A layer that begins in mid-stream, without a key picture, is taken up there.
func TestSelectorLayerBegins(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 2}, 1280, 720, 5000, 0)
	e.SetLayers(1)
	var src source
	l := line{receiver: newReceiver(t)}
	for i, want := range []uint8{0, 0, 1, 1, 2, 2} {
		if i > 0 && i%2 == 0 {
			e.SetLayers(1 + i/2)
		}
		frames := e.Picture(i == 0)
		for j := range frames {
			d := src.parse(t, &frames[j])
			l.forward(t, &d, uint32(3000*i), j == len(frames)-1)
		}
		if s, tt, ok := l.selector.Current(); !ok || s != want || tt != 1 || l.receiver.spatial != want {
			t.Errorf("picture %d: S%dT%d, %v, the receiver got S%d, want S%dT1", i, s, tt, ok, l.receiver.spatial, want)
		}
	}
}

// A sender that stops its top layer in mid-stream takes the subscriber down, and
// one that begins anew with lower numbers takes it along.
func TestSelectorSender(t *testing.T) {
	e := ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 1}, 1280, 720, 5000, 0)
	var src source
	l := line{receiver: newReceiver(t)}
	timestamp := uint32(0)
	picture := func(key bool) {
		timestamp += 3000
		frames := e.Picture(key)
		for j := range frames {
			d := src.parse(t, &frames[j])
			l.forward(t, &d, timestamp, j == len(frames)-1)
		}
	}
	picture(true)
	picture(false)
	e.SetLayers(2)
	picture(false)
	if s, _, _ := l.selector.Current(); s != 1 || l.receiver.spatial != 1 {
		t.Errorf("after S2 was left out: S%d chosen, S%d got, want S1", s, l.receiver.spatial)
	}
	if l.selector.NeedsKeyframe() {
		t.Error("a key frame is wanted for a layer that is not sent")
	}
	e.SetLayers(3)
	picture(true)
	if s, _, _ := l.selector.Current(); s != 2 {
		t.Errorf("after S2 came back: S%d chosen, want S2", s)
	}
	e = ddtest.New(ddtest.Mode{Spatial: 3, Temporal: 1}, 1280, 720, 65536-20000, 30)
	picture(true)
	picture(false)
	if s, _, ok := l.selector.Current(); !ok || s != 2 || l.receiver.pictures != 6 {
		t.Errorf("after the sender began anew: S%d, %v, %d pictures, want S2 and 6", s, ok, l.receiver.pictures)
	}
}
