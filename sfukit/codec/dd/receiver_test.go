package dd_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
)

// receiver accepts descriptors by the rules libwebrtc has for them, and fails
// the test for whatever it would drop or wait for in vain.
type receiver struct {
	t       *testing.T
	parser  dd.Parser
	key     int64 // number of the last key frame, never 0
	decoded map[int64]bool
	newest  int64
	// The picture at hand.
	timestamp uint32
	open      bool // its marker bit has not come
	keys      int
	frames    int
	pictures  int
	spatial   uint8 // highest layer of the last complete picture
	last      dd.Descriptor
}

func newReceiver(t *testing.T) *receiver {
	return &receiver{t: t, decoded: map[int64]bool{}}
}

// receive takes one packet in the order of sending.
func (r *receiver) receive(b []byte, timestamp uint32, marker bool) {
	r.t.Helper()
	var d dd.Descriptor
	if err := r.parser.Parse(b, &d); err != nil {
		r.t.Fatalf("%v: %x", err, b)
	}
	if timestamp != r.timestamp && r.open {
		r.t.Fatalf("picture %d began before %d had its marker bit", timestamp, r.timestamp)
	}
	if d.Attached {
		if d.Number <= r.key {
			r.t.Fatalf("key frame %d after %d", d.Number, r.key)
		}
		r.key = d.Number
		r.keys++
	}
	if r.key == 0 {
		r.t.Fatalf("frame %d before any key frame", d.Number)
	}
	if d.Number < r.newest {
		r.t.Fatalf("frame %d after %d", d.Number, r.newest)
	}
	for _, diff := range d.Diffs {
		if diff != 0 && !r.decoded[d.Number-int64(diff)] {
			r.t.Fatalf("frame %d (S%dT%d) refers to %d, which did not come", d.Number, d.SpatialID, d.TemporalID, d.Number-int64(diff))
		}
	}
	if s := d.Structure; d.Active != 0 && !d.Intra() && d.Indications&mask(s, d.Active) == 0 {
		r.t.Fatalf("frame %d belongs to none of the active targets %b", d.Number, d.Active)
	}
	r.timestamp, r.newest, r.open = timestamp, d.Number, !marker
	if d.End {
		r.decoded[d.Number] = true
		r.frames++
	}
	if marker {
		if !d.End {
			r.t.Fatalf("marker bit inside frame %d", d.Number)
		}
		r.pictures++
		r.spatial = d.SpatialID
	}
	r.last = d
}

// mask has all bits of the indications of a set of targets.
func mask(s *dd.Structure, targets dd.Targets) dd.Indications {
	var m dd.Indications
	for i := range s.Targets {
		if targets.Has(i) {
			m = m.With(i, 3)
		}
	}
	return m
}

// source is an encoder whose packets go through a parser as they would on the
// wire.
type source struct {
	parser dd.Parser
	buf    []byte
}

func (s *source) parse(t *testing.T, d *dd.Descriptor) dd.Descriptor {
	t.Helper()
	s.buf = dd.Append(s.buf[:0], d, d.Unchanged())
	var got dd.Descriptor
	if err := s.parser.Parse(s.buf, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// line is what stands before one receiver.
type line struct {
	selector dd.Selector
	line     dd.Line
	receiver *receiver
	sent     []sent
}

// sent is what is kept of a packet to send it again.
type sent struct {
	d      dd.Descriptor
	change dd.Change
	bytes  []byte
}

// forward passes a packet on if it is for the receiver.
func (l *line) forward(t *testing.T, d *dd.Descriptor, timestamp uint32, marker bool) bool {
	t.Helper()
	if !l.selector.Take(d, timestamp) {
		return false
	}
	c, ok := l.line.Map(d, l.selector.Active(d))
	if !ok {
		t.Fatalf("Map(%d) says it is too late", d.Number)
	}
	b := dd.Append(nil, d, c)
	l.receiver.receive(b, timestamp, marker || l.selector.Ends(d))
	l.sent = append(l.sent, sent{*d, c, b})
	return true
}
