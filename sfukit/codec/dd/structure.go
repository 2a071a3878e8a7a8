package dd

import (
	"fmt"
	"slices"
)

// maxTemplateDiff and maxTemplateChain are what fits a template, section A.4.1;
// a descriptor can say more in its custom fields.
const (
	maxTemplateDiff  = 16
	maxTemplateChain = 15
)

// Resolution is a picture size in pixels, each side 1 to 65536.
type Resolution struct {
	Width, Height uint32
}

// Structure is a template dependency structure: what a sender says once, with a
// key frame, so that a template number can say it afterwards. The structures
// that Parser returns are shared and must not be changed; those made by hand
// should pass Validate.
type Structure struct {
	// TemplateIDOffset is the wire's number of the first template, 0 to 63.
	// Template numbers wrap at 64.
	TemplateIDOffset uint8
	// Targets is the number of decode targets, 1 to MaxTargets.
	Targets int
	// Chains is the number of chains, 0 to Targets.
	Chains int
	// ProtectedBy is the chain that protects each decode target, below Chains;
	// not used when Chains is 0.
	ProtectedBy [MaxTargets]uint8
	// Templates, 1 to MaxTemplates, ordered by spatial and then temporal layer
	// without a gap.
	Templates []Frame
	// Resolutions are the largest picture sizes of the spatial layers, from 0
	// to the highest; nil if the sender does not say.
	Resolutions []Resolution
}

// All returns the set of all decode targets.
func (s *Structure) All() Targets { return Targets(uint64(1)<<s.Targets - 1) }

// Layers returns the highest spatial and temporal layer in a decode target.
func (s *Structure) Layers(target int) (spatial, temporal uint8) {
	for i := range s.Templates {
		if t := &s.Templates[i]; t.Indications.Of(target) != NotPresent {
			spatial, temporal = max(spatial, t.SpatialID), max(temporal, t.TemporalID)
		}
	}
	return spatial, temporal
}

// Target returns the decode target in the set among that has the highest
// spatial layer up to spatial and, of those, the highest temporal layer up to
// temporal; ok is false if there is none.
func (s *Structure) Target(spatial, temporal uint8, among Targets) (target int, ok bool) {
	var bestS, bestT uint8
	for i := range s.Targets {
		if !among.Has(i) {
			continue
		}
		S, T := s.Layers(i)
		if S > spatial || T > temporal || ok && (S < bestS || S == bestS && T <= bestT) {
			continue
		}
		target, bestS, bestT, ok = i, S, T, true
	}
	return target, ok
}

// Within returns the decode targets whose frames all belong to target as well,
// by the templates: who gets target's frames can decode these.
func (s *Structure) Within(target int) Targets {
	in := s.All()
	for i := range s.Templates {
		t := &s.Templates[i]
		if t.Indications.Of(target) != NotPresent {
			continue
		}
		for j := range s.Targets {
			if t.Indications.Of(j) != NotPresent {
				in &^= 1 << j
			}
		}
	}
	return in
}

// Equal reports whether two structures say the same, whatever their
// TemplateIDOffset.
func (s *Structure) Equal(t *Structure) bool {
	return s == t || s.Targets == t.Targets && s.Chains == t.Chains &&
		s.ProtectedBy == t.ProtectedBy &&
		slices.Equal(s.Templates, t.Templates) &&
		slices.Equal(s.Resolutions, t.Resolutions)
}

// Validate reports the first field that cannot be written, as an error that
// wraps ErrMalformed.
func (s *Structure) Validate() error {
	bad := func(what string, v any) error { return fmt.Errorf("%w: %s %v", ErrMalformed, what, v) }
	switch {
	case s.TemplateIDOffset >= MaxTemplates:
		return bad("TemplateIDOffset", s.TemplateIDOffset)
	case s.Targets < 1 || s.Targets > MaxTargets:
		return bad("Targets", s.Targets)
	case s.Chains < 0 || s.Chains > s.Targets:
		return bad("Chains", s.Chains)
	case len(s.Templates) < 1 || len(s.Templates) > MaxTemplates:
		return bad("number of Templates", len(s.Templates))
	}
	for i, c := range s.ProtectedBy {
		if int(c) >= max(s.Chains, 1) || c != 0 && i >= s.Targets {
			return bad("ProtectedBy", c)
		}
	}
	before := Frame{}
	for i := range s.Templates {
		t := &s.Templates[i]
		if !follows(&before, t) || i == 0 && t.TemporalID != 0 {
			return bad("layers of template", i)
		}
		if !t.fits(s) {
			return bad("template", i)
		}
		before = *t
	}
	if n := len(s.Resolutions); n != 0 && n != int(before.SpatialID)+1 {
		return bad("number of Resolutions", n)
	}
	for _, r := range s.Resolutions {
		if r.Width-1 > 0xffff || r.Height-1 > 0xffff {
			return bad("Resolution", r)
		}
	}
	return nil
}

// follows reports whether next_layer_idc can say the step from a to b.
func follows(a, b *Frame) bool {
	if b.SpatialID > MaxSpatialID || b.TemporalID > MaxTemporalID {
		return false
	}
	same := a.SpatialID == b.SpatialID
	return same && b.TemporalID-a.TemporalID <= 1 ||
		b.SpatialID == a.SpatialID+1 && b.TemporalID == 0
}

// fits reports whether a frame can be a template of s.
func (f *Frame) fits(s *Structure) bool {
	if s.Targets < MaxTargets && f.Indications>>(2*s.Targets) != 0 {
		return false
	}
	for i, d := range f.Diffs {
		if d > maxTemplateDiff || i > 0 && d != 0 && f.Diffs[i-1] == 0 {
			return false
		}
	}
	for i, c := range f.ChainDiffs {
		if c > maxTemplateChain || c != 0 && i >= s.Chains {
			return false
		}
	}
	return true
}
