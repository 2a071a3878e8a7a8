package dd

// Change is how the descriptor of a packet that is forwarded differs from the
// one it came with. It is all that a retransmission needs, besides the packet,
// to be written with the same bytes. The zero value leaves the numbers alone
// and writes neither structure nor active decode targets.
type Change struct {
	// Frames is added to the frame number, modulo 2^16.
	Frames uint16
	// Templates is added to the template numbers, modulo 64: the frame's and,
	// where it is attached, the structure's first.
	Templates uint8
	// Attach writes the structure.
	Attach bool
	// HasActive writes Active.
	HasActive bool
	// Active are the decode targets the receiver will get; those the structure
	// does not have are not written.
	Active Targets
}

// Unchanged returns the Change that writes a descriptor as it came.
func (d *Descriptor) Unchanged() Change {
	return Change{Attach: d.Attached, HasActive: d.HasActive, Active: d.Active}
}

// Append writes the descriptor d with the changes c to the end of dst and
// returns the extended slice, as append does. D must come from a Parser, or
// have a Structure that passes Validate, a Template of it with d's layers, and
// values within the limits their fields state.
//
// What differs from the template is written in custom fields. At most 16 bytes,
// which is what a one-byte header extension holds (RFC 8285 section 4.2), suffice
// for most frames, but not for a structure.
func Append(dst []byte, d *Descriptor, c Change) []byte {
	s := d.Structure
	t := &s.Templates[d.Template]
	w := writer{b: dst}
	w.flag(d.Start)
	w.flag(d.End)
	w.bits(6, uint32(s.TemplateIDOffset+c.Templates+d.Template))
	w.bits(16, uint32(uint16(d.Number)+c.Frames))

	var (
		dtis   = d.Indications != t.Indications
		diffs  = d.Diffs != t.Diffs
		chains = d.ChainDiffs != t.ChainDiffs
	)
	if !(c.Attach || c.HasActive || dtis || diffs || chains) {
		return w.b
	}
	w.flag(c.Attach)
	w.flag(c.HasActive)
	w.flag(dtis)
	w.flag(diffs)
	w.flag(chains)
	if c.Attach {
		s.write(&w, s.TemplateIDOffset+c.Templates)
	}
	if c.HasActive {
		w.bits(s.Targets, uint32(c.Active))
	}
	if dtis {
		writeIndications(&w, d.Indications, s.Targets)
	}
	if diffs {
		writeDiffs(&w, &d.Diffs)
	}
	if chains {
		for _, c := range d.ChainDiffs[:s.Chains] {
			w.bits(8, uint32(c))
		}
	}
	return w.b
}

// write writes the structure with another number for its first template.
func (s *Structure) write(w *writer, offset uint8) {
	w.bits(6, uint32(offset))
	w.bits(5, uint32(s.Targets-1))
	for i := range s.Templates {
		w.bits(2, s.nextLayer(i))
	}
	for i := range s.Templates {
		writeIndications(w, s.Templates[i].Indications, s.Targets)
	}
	for i := range s.Templates {
		for _, d := range s.Templates[i].Diffs {
			if d == 0 {
				break
			}
			w.flag(true)
			w.bits(4, uint32(d-1))
		}
		w.flag(false)
	}
	w.nonSymmetric(uint32(s.Targets)+1, uint32(s.Chains))
	if s.Chains > 0 {
		for _, c := range s.ProtectedBy[:s.Targets] {
			w.nonSymmetric(uint32(s.Chains), uint32(c))
		}
		for i := range s.Templates {
			for _, c := range s.Templates[i].ChainDiffs[:s.Chains] {
				w.bits(4, uint32(c))
			}
		}
	}
	w.flag(len(s.Resolutions) > 0)
	for _, r := range s.Resolutions {
		w.bits(16, r.Width-1)
		w.bits(16, r.Height-1)
	}
}

// nextLayer returns the next_layer_idc of table A.2 that follows template i.
func (s *Structure) nextLayer(i int) uint32 {
	if i+1 == len(s.Templates) {
		return 3
	}
	a, b := &s.Templates[i], &s.Templates[i+1]
	switch {
	case a.SpatialID != b.SpatialID:
		return 2
	case a.TemporalID != b.TemporalID:
		return 1
	default:
		return 0
	}
}

func writeIndications(w *writer, s Indications, n int) {
	for i := range n {
		w.bits(2, uint32(s.Of(i)))
	}
}

func writeDiffs(w *writer, diffs *[MaxReferences]uint16) {
	for _, d := range diffs {
		if d == 0 {
			break
		}
		size := 1
		for (d-1)>>(4*size) != 0 {
			size++
		}
		w.bits(2, uint32(size))
		w.bits(4*size, uint32(d-1))
	}
	w.bits(2, 0)
}
