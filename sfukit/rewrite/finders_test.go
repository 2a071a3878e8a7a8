package rewrite_test

import "slices"

// wrap15 unwraps 15-bit picture numbers.
type wrap15 struct {
	highest int64
	started bool
}

func (w *wrap15) unwrap(id uint16, bits uint8) int64 {
	if !w.started {
		w.started, w.highest = true, int64(id)+1<<16
		return w.highest
	}
	size := int64(1) << bits
	step := (int64(id) - w.highest) & (size - 1)
	if step > size/2 {
		step -= size
	}
	n := w.highest + step
	w.highest = max(w.highest, n)
	return n
}

// seqFinder finds references by sequence number, as for H264: every frame needs
// the one directly before, but for packets without payload.
type seqFinder struct {
	last   int64 // of the newest frame handed off
	upTo   int64 // and of the empty packets that follow it
	begun  bool
	filler map[int64]bool
}

func newSeqFinder() *seqFinder { return &seqFinder{filler: map[int64]bool{}} }

func (s *seqFinder) padding(seq int64) {
	s.filler[seq] = true
	s.advance()
}

func (s *seqFinder) advance() {
	for s.begun && s.filler[s.upTo+1] {
		s.upTo++
		delete(s.filler, s.upTo)
	}
}

func (s *seqFinder) find(f *frame) verdict {
	f.key = f.read.Keyframe
	switch {
	case f.key && s.begun && f.end < s.upTo:
		return discard
	case f.key:
	case !s.begun || f.seq-1 > s.upTo:
		return wait
	case f.seq-1 < s.upTo:
		return discard
	default:
		f.refs = []int64{s.last}
	}
	f.id = f.end
	s.begun, s.last, s.upTo = true, f.end, f.end
	s.advance()
	return handOff
}

// ddFinder believes the dependency descriptor.
type ddFinder struct{}

func (*ddFinder) padding(int64) {}

func (*ddFinder) find(f *frame) verdict {
	d := &f.dependency
	f.id, f.key = d.Number, d.Attached
	f.refs = nil
	for _, diff := range d.Diffs {
		if diff != 0 {
			f.refs = append(f.refs, d.Number-int64(diff))
		}
	}
	return handOff
}

// vp8Finder finds references by picture id, TL0PICIDX and layer.
type vp8Finder struct {
	ids     wrap15
	tl0s    wrap15
	newest  int64
	started bool
	missing map[int64]bool
	layers  map[int64]*[4]int64 // newest frame of each layer, by TL0PICIDX
}

func newVP8Finder() *vp8Finder {
	return &vp8Finder{missing: map[int64]bool{}, layers: map[int64]*[4]int64{}}
}

func (*vp8Finder) padding(int64) {}

// maxMissing is how many pictures back a gap matters: kMaxNotYetReceivedFrames.
const maxMissing = 100

func (v *vp8Finder) find(f *frame) verdict {
	p := &f.read
	d := &p.Descriptor
	f.key = p.Keyframe
	f.id = v.ids.unwrap(d.PictureID, d.PictureIDBits)
	if !v.started {
		v.started, v.newest = true, f.id
	}
	for id := range v.missing {
		if id < f.id-maxMissing {
			delete(v.missing, id)
		}
	}
	for v.newest = max(v.newest, f.id-maxMissing); v.newest < f.id; {
		v.newest++
		v.missing[v.newest] = true
	}
	tl0 := v.tl0s.unwrap(uint16(d.TL0PICIDX), 8)
	for k := range v.layers {
		if k < tl0-50 { // kMaxLayerInfo
			delete(v.layers, k)
		}
	}
	f.refs = nil
	t := p.TemporalID
	if f.key {
		v.layers[tl0] = &[4]int64{-1, -1, -1, -1}
		v.update(f.id, tl0, t)
		return handOff
	}
	base := tl0
	if t == 0 {
		base--
	}
	known := v.layers[base]
	if known == nil {
		return wait
	}
	switch {
	case t == 0:
		if known[0] >= f.id {
			return discard
		}
		f.refs = []int64{known[0]}
		next := *known
		if v.layers[tl0] == nil {
			v.layers[tl0] = &next
		}
	case p.LayerSync:
		if known[t] >= f.id {
			return discard
		}
		f.refs = []int64{known[0]}
	default:
		for layer := range t + 1 {
			last := known[layer]
			if last == -1 {
				return wait
			}
			if last >= f.id {
				return discard
			}
			for id := last + 1; id < f.id; id++ {
				if v.missing[id] {
					return wait
				}
			}
			f.refs = append(f.refs, last)
		}
	}
	v.update(f.id, tl0, t)
	return handOff
}

func (v *vp8Finder) update(id, tl0 int64, t uint8) {
	for k := tl0; v.layers[k] != nil && v.layers[k][t] < id; k++ {
		v.layers[k][t] = id
	}
	delete(v.missing, id)
}

// vp9Finder finds references by the picture group or, in flexible mode, by
// distance. Frame numbers are five to a picture.
type vp9Finder struct {
	ids    wrap15
	tl0s   wrap15
	groups map[int64]*vp9Group
	miss   [4]map[int64]bool // pictures missing, by temporal layer
	ups    map[int64]uint8
}

// vp9Group is what is known at one TL0PICIDX.
type vp9Group struct {
	layers []int // of the pictures
	start  int64
	newest int64
}

func newVP9Finder() *vp9Finder {
	v := &vp9Finder{groups: map[int64]*vp9Group{}, ups: map[int64]uint8{}}
	for i := range v.miss {
		v.miss[i] = map[int64]bool{}
	}
	return v
}

func (*vp9Finder) padding(int64) {}

// vp9Patterns are the picture groups by number of temporal layers, and the
// distance of the one reference of each picture.
var vp9Patterns = [4]struct{ layers, diffs []int }{
	1: {[]int{0}, []int{1}},
	2: {[]int{0, 1}, []int{2, 1}},
	3: {[]int{0, 2, 1, 2}, []int{4, 1, 2, 1}},
}

func (v *vp9Finder) find(f *frame) verdict {
	p := &f.read
	d := &p.Descriptor
	id := v.ids.unwrap(d.PictureID, d.PictureIDBits)
	f.key = !p.InterPicture
	f.refs = nil
	if p.Flexible {
		for _, diff := range f.diffs {
			f.refs = append(f.refs, id-int64(diff))
		}
		v.flatten(f, id)
		return handOff
	}
	tl0 := v.tl0s.unwrap(uint16(d.TL0PICIDX), 8)
	var group *vp9Group
	switch {
	case p.Structure.Temporal != 0:
		group = &vp9Group{layers: vp9Patterns[p.Structure.Temporal].layers, start: id, newest: id}
		v.groups[tl0] = group
	case f.key && p.SpatialID == 0:
		return discard
	case f.key || p.TemporalID != 0:
		group = v.groups[tl0]
	default:
		if v.groups[tl0] == nil {
			before := v.groups[tl0-1]
			if before == nil {
				return wait
			}
			v.groups[tl0] = &vp9Group{layers: before.layers, start: before.start, newest: id}
		}
		group = v.groups[tl0]
	}
	if group == nil {
		return wait
	}
	for k := range v.groups {
		if k < tl0-50 {
			delete(v.groups, k)
		}
	}
	v.note(id, group)
	if f.key {
		v.flatten(f, id)
		return handOff
	}
	at := int((id - group.start) % int64(len(group.layers)))
	if group.layers[at] != int(p.TemporalID) {
		return discard // the group does not fit the pictures
	}
	ref := id - int64(vp9Patterns[slices.Max(group.layers)+1].diffs[at])
	for t := range p.TemporalID {
		for n := ref; n < id; n++ {
			if v.miss[t][n] {
				return wait
			}
		}
	}
	if p.LayerSync {
		v.ups[id] = p.TemporalID
	}
	delete(v.ups, id-50)
	f.refs = []int64{ref}
	for n := ref + 1; n < id; n++ {
		if up, ok := v.ups[n]; ok && up < p.TemporalID {
			f.refs = nil
		}
	}
	v.flatten(f, id)
	return handOff
}

// note keeps account of the pictures missing.
func (v *vp9Finder) note(id int64, g *vp9Group) {
	if id <= g.newest {
		for t := range v.miss {
			delete(v.miss[t], id)
		}
		return
	}
	for g.newest++; g.newest < id; g.newest++ {
		v.miss[g.layers[(g.newest-g.start)%int64(len(g.layers))]][g.newest] = true
	}
}

// flatten numbers frames and references over all spatial layers.
func (v *vp9Finder) flatten(f *frame, id int64) {
	s := int64(f.read.SpatialID)
	f.id = id*5 + s
	for i := range f.refs {
		f.refs[i] = f.refs[i]*5 + s
	}
	if f.read.InterLayer {
		f.refs = append(f.refs, f.id-1)
	}
}
