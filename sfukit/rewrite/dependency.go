package rewrite

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"

// dependency thins and renumbers a line of AV1 with dependency descriptors.
type dependency struct {
	running  bool // the current run has descriptors
	selector dd.Selector
	line     dd.Line
}

// begin starts a run with p. A run whose first packet does not tell the
// structure goes without descriptors: nobody could read them.
func (y *dependency) begin(p *Packet) {
	y.running = p.Dependency != nil && p.Dependency.Attached
	y.selector.Reset()
	y.line.Begin()
}

// take reports whether p is forwarded, and whether it is the last packet of its
// picture that is.
func (y *dependency) take(p *Packet) (ok, last bool) {
	if !y.running || p.Dependency == nil {
		return true, false
	}
	if !y.selector.Take(p.Dependency, p.Timestamp) {
		return false, false
	}
	return true, y.selector.Ends(p.Dependency)
}

// number fills the part of out that concerns descriptors. Ok is false if p is
// too late for that.
func (y *dependency) number(p *Packet, out *Out) (ok bool) {
	if !y.running || p.Dependency == nil {
		return true
	}
	out.Dependency, out.Described = y.line.Map(p.Dependency, y.selector.Active(p.Dependency))
	return out.Described
}

func (y *dependency) current() (spatial, temporal uint8) {
	spatial, temporal, ok := y.selector.Current()
	if !ok || !y.running {
		return MaxLayer, MaxLayer
	}
	return spatial, temporal
}

func (y *dependency) needsKeyframe() bool { return y.running && y.selector.NeedsKeyframe() }

// AppendDependency appends the dependency descriptor that a forwarded packet
// must have on the line to dst and returns the extended slice; d is the one it
// came with. It appends nothing if there is none.
func AppendDependency(dst []byte, d *dd.Descriptor, out *Out) []byte {
	if d == nil || !out.Described {
		return dst
	}
	return dd.Append(dst, d, out.Dependency)
}

// How a dd.Change is kept in a record, beside the two bytes of a picture number:
// the template shift has six bits, like a KEYIDX at most, and the flags are kept
// for the TL0PICIDX.
const (
	describedBit = 1 << iota
	attachBit
	activeBit
)

// packChange keeps out's descriptor in the record of the same number.
func (h *history) packChange(line int64, e *record, out *Out) {
	if !out.Described {
		return
	}
	c := &out.Dependency
	e.pictureID, e.key, e.tl0 = c.Frames, e.key|c.Templates, describedBit
	if c.Attach {
		e.tl0 |= attachBit
	}
	if c.HasActive {
		e.tl0 |= activeBit
	}
	h.active[line&int64(len(h.active)-1)] = c.Active
}

// unpackChange is the reverse of packChange.
func (h *history) unpackChange(line int64, e *record, out *Out) {
	if e.tl0&describedBit == 0 {
		return
	}
	out.Described = true
	out.Dependency = dd.Change{
		Frames:    e.pictureID,
		Templates: e.key &^ (markerBit | emptyBit),
		Attach:    e.tl0&attachBit != 0,
		HasActive: e.tl0&activeBit != 0,
		Active:    h.active[line&int64(len(h.active)-1)],
	}
}
