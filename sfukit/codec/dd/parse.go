package dd

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"

// mandatory is the size in bytes of the fields that every descriptor has.
const mandatory = 3

// lateFrames is how far, in frames, a key frame may be behind another to be
// taken for a late one; further back the sender has begun anew.
const lateFrames = MaxDiff

// Parser reads the descriptors of one source and remembers its structures: the
// latest, and the one before for packets that come late. The zero value is
// ready for use. A Parser is not safe for concurrent use.
type Parser struct {
	numbers  seqno.Unwrapper
	now      known
	before   known
	active   Targets
	activeAt int64     // frame number at which active was said
	scratch  Structure // where structures are read
}

// known is a structure and the first frame it holds for.
type known struct {
	structure *Structure
	since     int64
}

// Structure returns the latest structure, nil before the first.
func (p *Parser) Structure() *Structure { return p.now.structure }

// Parse reads b, the value of the extension, into d, which is overwritten
// completely. On error d is zero, the Parser is as before, and the error is one
// of this package's. Parse borrows b until it returns. It allocates only for a
// structure that differs from the one before.
func (p *Parser) Parse(b []byte, d *Descriptor) error {
	*d = Descriptor{}
	if len(b) < mandatory {
		return ErrShort
	}
	numbers := p.numbers
	d.Start, d.End = b[0]&0x80 != 0, b[0]&0x40 != 0
	d.Number = numbers.Unwrap(uint16(b[1])<<8 | uint16(b[2]))
	err := p.parse(b[mandatory:], b[0]&(MaxTemplates-1), d)
	if err != nil {
		*d = Descriptor{}
		return err
	}
	p.numbers = numbers
	return nil
}

// parse reads what follows the mandatory fields.
func (p *Parser) parse(b []byte, id uint8, d *Descriptor) error {
	r := reader{b: b}
	var dtis, diffs, chains bool
	if len(b) > 0 {
		d.Attached, d.HasActive = r.flag(), r.flag()
		dtis, diffs, chains = r.flag(), r.flag(), r.flag()
	}
	s := p.find(d.Number, id)
	if d.Attached {
		if s = &p.scratch; !d.Start || !s.read(&r) {
			return fault(&r)
		}
	}
	if s == nil || int(s.index(id)) >= len(s.Templates) {
		return ErrStructure
	}
	if d.HasActive {
		d.Active = Targets(r.bits(s.Targets))
	}
	d.Template = s.index(id)
	d.Frame = s.Templates[d.Template]
	if dtis {
		d.Indications = readIndications(&r, s.Targets)
	}
	if diffs && !readDiffs(&r, &d.Diffs) {
		return fault(&r)
	}
	if chains {
		for i := range s.Chains {
			d.ChainDiffs[i] = uint8(r.bits(8))
		}
	}
	if r.short {
		return ErrShort
	}
	if d.Attached {
		s = p.keep(d.Number)
	}
	d.Structure = s
	p.activate(d)
	return nil
}

// fault says why reading stopped.
func fault(r *reader) error {
	if r.short {
		return ErrShort
	}
	return ErrMalformed
}

// find returns the known structure that the template of a frame belongs to.
func (p *Parser) find(number int64, id uint8) *Structure {
	k := p.now
	if k.structure != nil && number < k.since && number >= k.since-lateFrames {
		k = p.before
	}
	if k.structure == nil || int(k.structure.index(id)) >= len(k.structure.Templates) {
		return nil
	}
	return k.structure
}

// keep makes the structure just read the one that holds from number on, and
// returns it or its equal that is known already.
func (p *Parser) keep(number int64) *Structure {
	late := p.now.structure != nil && number < p.now.since && number >= p.now.since-lateFrames
	switch {
	case p.scratch.same(p.now.structure):
		return p.now.structure
	case late && p.scratch.same(p.before.structure):
		return p.before.structure
	}
	s := p.scratch.clone()
	switch {
	case !late:
		p.before, p.now = p.now, known{s, number}
	case number > p.before.since:
		p.before = known{s, number}
	}
	return s
}

// same reports whether s is t, with the same template numbers; t may be nil.
func (s *Structure) same(t *Structure) bool {
	return t != nil && s.TemplateIDOffset == t.TemplateIDOffset && s.Equal(t)
}

// activate settles which decode targets are active, and remembers.
func (p *Parser) activate(d *Descriptor) {
	switch {
	case d.HasActive:
	case d.Attached || d.Structure != p.now.structure:
		d.Active = d.Structure.All()
	default:
		d.Active = p.active
	}
	if d.Structure == p.now.structure && (d.Attached || d.HasActive) && d.Number >= p.activeAt {
		p.active, p.activeAt = d.Active, d.Number
	}
}

// index returns the place of a template number in s.Templates; beyond their
// number for one that is not of s.
func (s *Structure) index(id uint8) uint8 { return (id - s.TemplateIDOffset) % MaxTemplates }

// read fills s, of which it uses the memory again; it does not check for short.
func (s *Structure) read(r *reader) bool {
	*s = Structure{Templates: s.Templates[:0], Resolutions: s.Resolutions[:0]}
	s.TemplateIDOffset = uint8(r.bits(6))
	s.Targets = int(r.bits(5)) + 1
	if !s.readLayers(r) {
		return false
	}
	for i := range s.Templates {
		s.Templates[i].Indications = readIndications(r, s.Targets)
	}
	for i := range s.Templates {
		if !readTemplateDiffs(r, &s.Templates[i].Diffs) {
			return false
		}
	}
	s.readChains(r)
	if r.flag() {
		highest := s.Templates[len(s.Templates)-1].SpatialID
		for range highest + 1 {
			w, h := r.bits(16)+1, r.bits(16)+1
			s.Resolutions = append(s.Resolutions, Resolution{w, h})
		}
	}
	return !r.short
}

// readLayers makes the templates, with nothing but their layers.
func (s *Structure) readLayers(r *reader) bool {
	var f Frame
	for {
		if len(s.Templates) == MaxTemplates {
			return false
		}
		s.Templates = append(s.Templates, f)
		switch r.bits(2) {
		case 1:
			f.TemporalID++
		case 2:
			f.SpatialID++
			f.TemporalID = 0
		case 3:
			return true
		}
		if r.short || f.TemporalID > MaxTemporalID || f.SpatialID > MaxSpatialID {
			return false
		}
	}
}

func (s *Structure) readChains(r *reader) {
	s.Chains = int(r.nonSymmetric(uint32(s.Targets) + 1))
	if s.Chains == 0 {
		return
	}
	for i := range s.Targets {
		s.ProtectedBy[i] = uint8(r.nonSymmetric(uint32(s.Chains)))
	}
	for i := range s.Templates {
		for j := range s.Chains {
			s.Templates[i].ChainDiffs[j] = uint8(r.bits(4))
		}
	}
}

func (s *Structure) clone() *Structure {
	c := *s
	c.Templates = append([]Frame(nil), s.Templates...)
	c.Resolutions = append([]Resolution(nil), s.Resolutions...)
	return &c
}

func readIndications(r *reader, n int) Indications {
	var s Indications
	for i := range n {
		s |= Indications(r.bits(2)) << (2 * i)
	}
	return s
}

func readTemplateDiffs(r *reader, diffs *[MaxReferences]uint16) bool {
	for n := 0; r.flag(); n++ {
		if n == MaxReferences {
			return false
		}
		diffs[n] = uint16(r.bits(4)) + 1
	}
	return true
}

func readDiffs(r *reader, diffs *[MaxReferences]uint16) bool {
	*diffs = [MaxReferences]uint16{}
	for n := 0; ; n++ {
		size := int(r.bits(2))
		if size == 0 {
			return true
		}
		if n == MaxReferences {
			return false
		}
		diffs[n] = uint16(r.bits(4*size)) + 1
	}
}
