package dd

// Line numbers the descriptors of one subscriber line, whose frames may come
// from one source after the other. Within the run of a source the offset of
// frame numbers is constant, so that differences stay true; over a change of
// source the numbers go on, and templates of different structures get different
// numbers. The zero value is ready for use. A Line is not safe for concurrent
// use.
type Line struct {
	running  bool
	frames   int64 // added to frame numbers in this run
	newest   int64 // highest number of this run as the source counts
	now      placed
	before   placed
	explicit bool // active decode targets are written until the next structure
}

// placed is a structure and what is added to its template numbers.
type placed struct {
	structure *Structure
	templates uint8
	since     int64 // the source's frame number
}

// Begin announces that the next descriptor is of another source: the first
// packet of a key frame. Its number will be the one after the highest so far.
func (l *Line) Begin() { l.running = false }

// Map returns how d must be written on the line; active are the decode targets
// the subscriber gets, see Selector.Active. Of a run's descriptors it must be
// given all that are forwarded, in the order they are; ok is false for one so
// late that its structure is forgotten.
//
// The structure is written where the source attached it, and on the first frame
// of a run if that refers to no other. The active decode targets are written
// with every packet unless all are active and were since the last structure:
// a structure implies all of them, so its receivers never need a lost packet to
// know.
func (l *Line) Map(d *Descriptor, active Targets) (c Change, ok bool) {
	first := !l.running || d.Attached && d.Number <= l.newest-window // a sender that began anew
	if first {
		l.begin(d)
	}
	p, ok := l.place(d)
	if !ok {
		return Change{}, false
	}
	l.newest = max(l.newest, d.Number)
	c = Change{
		Frames:    uint16(l.frames),
		Templates: p.templates,
		Attach:    d.Attached || first && d.Start && d.Intra(),
		Active:    active & d.Structure.All(),
	}
	if c.Active != d.Structure.All() {
		l.explicit = true
	} else if c.Attach {
		l.explicit = false
	}
	c.HasActive = l.explicit
	return c, true
}

// begin starts a run at d.
func (l *Line) begin(d *Descriptor) {
	last := l.newest + l.frames // as the line counts
	if l.now.structure == nil {
		last = d.Number - 1
	}
	l.frames = last + 1 - d.Number
	l.newest = d.Number
	l.before = placed{}
	l.now.since = d.Number
	l.running = true
}

// place finds or makes the template numbers for d's structure.
func (l *Line) place(d *Descriptor) (placed, bool) {
	switch {
	case d.Structure == l.now.structure:
		return l.now, true
	case d.Structure == l.before.structure:
		return l.before, true
	case d.Number < l.now.since:
		return placed{}, false
	}
	next := placed{structure: d.Structure, since: d.Number}
	if was := l.now.structure; was != nil {
		first := was.TemplateIDOffset + l.now.templates
		if !was.Equal(d.Structure) {
			first += uint8(len(was.Templates))
		}
		next.templates = (first - d.Structure.TemplateIDOffset) % MaxTemplates
	}
	l.before, l.now = l.now, next
	return next, true
}
