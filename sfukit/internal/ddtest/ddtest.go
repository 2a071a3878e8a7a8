// Package ddtest makes the dependency descriptors of encoders that never saw a
// picture, for the tests of those who forward them; see package codec/dd.
package ddtest

import (
	"fmt"
	"slices"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
)

// Mode is a scalability mode of the W3C's "Scalable Video Coding (SVC)
// Extension for WebRTC", with 1 to 4 spatial and 1 to 3 temporal layers.
type Mode struct {
	Spatial, Temporal int
	Prediction        Prediction
}

// Prediction is how spatial layers depend on each other.
type Prediction uint8

const (
	// Full SVC: each layer needs the one below it in every picture (LxTy).
	Full Prediction = iota
	// Key SVC: only in key pictures (LxTy_KEY).
	Key
	// Simulcast: never (SxTy).
	Simulcast
)

// String returns the mode's name, such as "L3T3_KEY".
func (m Mode) String() string {
	switch m.Prediction {
	case Key:
		return fmt.Sprintf("L%dT%d_KEY", m.Spatial, m.Temporal)
	case Simulcast:
		return fmt.Sprintf("S%dT%d", m.Spatial, m.Temporal)
	default:
		return fmt.Sprintf("L%dT%d", m.Spatial, m.Temporal)
	}
}

// Modes are all modes up to three layers either way.
func Modes() []Mode {
	var modes []Mode
	for s := 1; s <= 3; s++ {
		for t := 1; t <= 3; t++ {
			modes = append(modes, Mode{s, t, Full})
			if s > 1 {
				modes = append(modes, Mode{s, t, Key}, Mode{s, t, Simulcast})
			}
		}
	}
	return modes
}

// patterns are the temporal layers of successive pictures, by how many there
// are.
var patterns = [...][]uint8{1: {0}, 2: {0, 1}, 3: {0, 2, 1, 2}}

// none is the number of a frame that does not exist.
const none = -1

// Encoder makes descriptors. It is made by New.
type Encoder struct {
	mode      Mode
	layers    int // spatial layers that are encoded
	limited   bool
	structure *dd.Structure
	number    int64
	step      int                           // pictures since the key picture
	last      [dd.MaxSpatialID + 1][3]int64 // frame number by layers
	chain     [dd.MaxSpatialID + 1]int64    // last frame in each chain
}

// New returns an encoder of pictures of the given size in the highest layer,
// of which each lower one has half the sides. Its first frame has the given
// number. Template numbers begin at offset.
func New(m Mode, width, height uint32, number int64, offset uint8) *Encoder {
	e := &Encoder{mode: m, layers: m.Spatial}
	e.structure = e.describe(width, height, offset)
	e.number, e.step = number, 0
	return e
}

// Structure returns what the key pictures carry.
func (e *Encoder) Structure() *dd.Structure { return e.structure }

// SetLayers makes the encoder leave out spatial layers from n on. With Full they
// may come back in any picture of the temporal base layer, else in a key picture.
func (e *Encoder) SetLayers(n int) {
	e.layers, e.limited = n, true
	for i := n; i < len(e.last); i++ {
		e.last[i] = [3]int64{none, none, none}
	}
}

// Picture returns the frames of the next picture, from the lowest layer up,
// each as if it were one packet.
func (e *Encoder) Picture(key bool) []dd.Descriptor {
	if key {
		e.step = 0
	}
	var frames []dd.Descriptor
	for _, f := range e.frames() {
		d := dd.Descriptor{
			Start: true, End: true,
			Attached:  e.step == 0 && f.SpatialID == 0,
			HasActive: e.limited,
			Active:    e.active(),
			Template:  e.template(&f),
			Number:    e.number,
			Structure: e.structure,
			Frame:     f,
		}
		frames = append(frames, d)
		e.number++
	}
	e.step++
	return frames
}

// Split returns the descriptors of the packets of a frame that takes n of them.
func Split(frame dd.Descriptor, n int) []dd.Descriptor {
	packets := slices.Repeat([]dd.Descriptor{frame}, n)
	for i := range packets {
		packets[i].Start = i == 0
		packets[i].End = i == n-1
		packets[i].Attached = frame.Attached && i == 0
	}
	return packets
}

// frames returns what the next picture consists of, and remembers it. The
// frame number is moved along by the caller.
func (e *Encoder) frames() []dd.Frame {
	pattern := patterns[e.mode.Temporal]
	t := pattern[e.step%len(pattern)]
	if e.step == 0 {
		for i := range e.last {
			e.last[i], e.chain[i] = [3]int64{none, none, none}, none
		}
	}
	var frames []dd.Frame
	for s := range e.layers {
		n := e.number + int64(s)
		f := dd.Frame{SpatialID: uint8(s), TemporalID: t, Indications: e.indications(s, t)}
		e.refer(&f, n)
		for c := range e.mode.Spatial {
			if e.chain[c] != none {
				f.ChainDiffs[c] = uint8(n - e.chain[c])
			}
		}
		e.last[s][t] = n
		for c := range e.mode.Spatial {
			if t == 0 && e.within(s, c) {
				e.chain[c] = n
			}
		}
		frames = append(frames, f)
	}
	return frames
}

// refer fills in the references of a frame with number n.
func (e *Encoder) refer(f *dd.Frame, n int64) {
	refs := 0
	add := func(to int64) {
		if to != none {
			f.Diffs[refs] = uint16(n - to)
			refs++
		}
	}
	s, t := f.SpatialID, f.TemporalID
	if e.step > 0 {
		from := e.last[s][0]
		if t == 2 {
			from = max(from, e.last[s][1])
		}
		add(from)
	}
	if s > 0 && (e.mode.Prediction == Full || e.mode.Prediction == Key && e.step == 0) {
		add(n - 1)
	}
}

// within reports whether in this picture the frame of layer s is needed for
// layer top.
func (e *Encoder) within(s, top int) bool {
	switch {
	case s == top:
		return true
	case s > top || e.mode.Prediction == Simulcast:
		return false
	default:
		return e.mode.Prediction == Full || e.step == 0
	}
}

// indications are for the targets S0T0, S0T1, ... in this order.
func (e *Encoder) indications(s int, t uint8) dd.Indications {
	var all dd.Indications
	for ts := range e.mode.Spatial {
		for tt := range e.mode.Temporal {
			var i dd.Indication
			switch {
			case int(t) > tt || !e.within(s, ts):
				i = dd.NotPresent
			case e.step == 0, s > 0 && t == 0 && e.last[s][0] == none:
				i = dd.Switch
			case s < ts:
				i = dd.Required
			case t > 0 && int(t) == tt:
				i = dd.Discardable
			default:
				i = dd.Switch
			}
			all = all.With(ts*e.mode.Temporal+tt, i)
		}
	}
	return all
}

func (e *Encoder) active() dd.Targets {
	var t dd.Targets
	for i := range e.layers * e.mode.Temporal {
		t |= 1 << i
	}
	return t
}

// template returns the template that equals f, or else has its layers.
func (e *Encoder) template(f *dd.Frame) uint8 {
	ts := e.structure.Templates
	i := slices.Index(ts, *f)
	if i < 0 {
		i = slices.IndexFunc(ts, func(t dd.Frame) bool { return t.SpatialID == f.SpatialID && t.TemporalID == f.TemporalID })
	}
	return uint8(i)
}

// describe makes the structure of all kinds of frames there are.
func (e *Encoder) describe(width, height uint32, offset uint8) *dd.Structure {
	s := &dd.Structure{
		TemplateIDOffset: offset,
		Targets:          e.mode.Spatial * e.mode.Temporal,
		Chains:           e.mode.Spatial,
	}
	for i := range s.Targets {
		s.ProtectedBy[i] = uint8(i / e.mode.Temporal)
	}
	for range 2*len(patterns[e.mode.Temporal]) + 1 {
		for _, f := range e.frames() {
			if !slices.Contains(s.Templates, f) {
				s.Templates = append(s.Templates, f)
			}
			e.number++
		}
		e.step++
	}
	slices.SortStableFunc(s.Templates, func(a, b dd.Frame) int {
		return int(a.SpatialID)*8 + int(a.TemporalID) - int(b.SpatialID)*8 - int(b.TemporalID)
	})
	for i := range e.mode.Spatial {
		down := e.mode.Spatial - 1 - i
		s.Resolutions = append(s.Resolutions, dd.Resolution{Width: width >> down, Height: height >> down})
	}
	return s
}
