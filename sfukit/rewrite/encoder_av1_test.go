package rewrite_test

import (
	"cmp"
	"slices"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
)

// target numbers the decode targets: those of the base layer first.
func (e *scheme) target(s, t int) int { return s*e.temporal + t }

// indications says what a frame is to every decode target.
func (e *scheme) indications(f *truth) (all dd.Indications) {
	for s := range e.spatial {
		for t := range e.temporal {
			i := dd.Required
			switch {
			case f.t > t, f.s > s, e.keyed && !f.key && f.s < s:
				i = dd.NotPresent
			case f.key, f.s == s && (f.t < t || t == 0):
				i = dd.Switch
			case f.s == s && f.t > 0:
				i = dd.Discardable
			}
			all = all.With(e.target(s, t), i)
		}
	}
	return all
}

// inChain reports whether a frame is one of the chain that protects spatial
// layer c.
func (e *scheme) inChain(f *truth, c int) bool {
	if f.key || !e.keyed {
		return f.t == 0 && f.s <= c
	}
	return f.t == 0 && f.s == c
}

// depend numbers f and finds what its descriptor says.
func (e *encoder) depend(f *truth) {
	f.number = e.number
	e.number++
	f.needs = dd.Frame{SpatialID: uint8(f.s), TemporalID: uint8(f.t), Indications: e.indications(f)}
	for i, r := range f.refs {
		f.needs.Diffs[i] = uint16(f.number - r.number)
	}
	for c := range e.spatial {
		if !f.key || f.s > 0 {
			f.needs.ChainDiffs[c] = uint8(min(f.number-e.chains[c], 255))
		}
		if e.inChain(f, c) || f.key && f.s == 0 {
			e.chains[c] = f.number
		}
	}
}

// structures are those made so far.
var structures = map[scheme]*dd.Structure{}

// structure makes templates from the frames that the scheme has in two periods.
func (e *scheme) structure() *dd.Structure {
	if s := structures[*e]; s != nil {
		c := *s
		return &c
	}
	s := &dd.Structure{Targets: e.spatial * e.temporal, Chains: e.spatial}
	for i := range s.Targets {
		s.ProtectedBy[i] = uint8(i / e.temporal)
	}
	trial := &encoder{scheme: *e, ids: new(uint32), active: e.spatial}
	trial.rnd = trialRand()
	period := len(gops[e.temporal])
	for pos := range 2*period + 1 {
		for _, f := range trial.frames(gops[e.temporal][pos%period], pos%period, pos == 0) {
			if !slices.Contains(s.Templates, f.needs) {
				s.Templates = append(s.Templates, f.needs)
			}
		}
	}
	slices.SortStableFunc(s.Templates, func(a, b dd.Frame) int {
		return cmp.Or(cmp.Compare(a.SpatialID, b.SpatialID), cmp.Compare(a.TemporalID, b.TemporalID))
	})
	for range e.spatial {
		n := uint32(len(s.Resolutions))
		s.Resolutions = append(s.Resolutions, dd.Resolution{Width: 320 << n, Height: 180 << n})
	}
	if err := s.Validate(); err != nil {
		panic(err)
	}
	structures[*e] = s
	c := *s
	return &c
}

// targets returns the decode targets of the layers that are encoded.
func (e *encoder) targets() (all dd.Targets) { return 1<<(e.active*e.temporal) - 1 }

// descriptor writes the dependency descriptor of a packet.
func (e *encoder) descriptor(f *truth, i int) []byte {
	attach := f.key && f.s == 0 && i == 0
	if attach {
		if e.structured == nil { // after a restart
			e.structured = e.structure()
			e.structured.TemplateIDOffset = uint8(e.rnd.IntN(dd.MaxTemplates))
		}
	}
	d := dd.Descriptor{
		Start: i == 0, End: i == f.packets-1, Attached: attach,
		Number: f.number, Structure: e.structured, Frame: f.needs,
	}
	template := slices.Index(d.Structure.Templates, f.needs)
	if template < 0 { // with custom fields
		template = slices.IndexFunc(d.Structure.Templates, func(t dd.Frame) bool {
			return t.SpatialID == f.needs.SpatialID && t.TemporalID == f.needs.TemporalID
		})
	}
	d.Template = uint8(template)
	// A change of layers is said in every packet until the next structure.
	active := attach || e.announced != e.active
	return dd.Append(nil, &d, dd.Change{Attach: attach, HasActive: active, Active: e.targets()})
}
