package rewrite_test

import (
	"bytes"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// make builds the bytes for a line packet from those of the source.
func (w *world) make(x *wire, out *rewrite.Out) *media {
	m := &media{seq: out.Seq, timestamp: out.Timestamp, marker: out.Marker}
	if out.Empty {
		return m
	}
	m.payload = bytes.Clone(x.payload)
	rewrite.Patch(m.payload, &x.read.Descriptor, out)
	m.extension = rewrite.AppendDependency(nil, x.Dependency, out)
	return m
}

// repair answers what the receiver asks for again, and moves its jitter buffer.
func (w *world) repair() {
	if !w.lossy || w.front == 0 {
		return
	}
	for {
		if m := w.jitter[w.front]; m != nil {
			w.rx.receive(m)
			delete(w.jitter, w.front)
			w.front++
			continue
		}
		if len(w.jitter) == 0 && len(w.due) == 0 {
			return
		}
		if at, lost := w.due[w.front]; lost {
			if w.now < at {
				return
			}
			delete(w.due, w.front)
			w.jitter[w.front] = w.again(w.front)
			continue
		}
		if w.sent[w.front] != nil {
			w.rx.fault("number %d was sent and is gone", w.front)
			return
		}
		if !w.missing() {
			return
		}
	}
}

// again makes a packet for the second time.
func (w *world) again(n int64) *media {
	src, seq, out, ok := w.r.Original(uint16(n))
	if !ok {
		w.rx.fault("number %d is not remembered", uint16(n))
		return w.sent[n]
	}
	m := w.make(w.store[src][seq], &out)
	was := w.sent[n]
	if m.seq != was.seq || m.timestamp != was.timestamp || m.marker != was.marker ||
		!bytes.Equal(m.payload, was.payload) || !bytes.Equal(m.extension, was.extension) {
		w.rx.fault("number %d made again is %+v, was %+v", uint16(n), m, was)
	}
	w.tally.resent++
	return m
}

// missing sees to the hole at the front of the jitter buffer.
func (w *world) missing() bool {
	src, seq, ok := w.r.Missing(uint16(w.front))
	if !ok {
		// Nothing is on its way any more: of another run.
		if len(w.jitter) > 0 {
			w.front++
			return true
		}
		return false
	}
	x := w.store[src][seq]
	if x == nil {
		return false // on its way
	}
	late := *x
	late.Arrival = t0.Add(w.now)
	late.Payload = &late.read
	if late.Dependency != nil {
		late.Dependency = &late.dependency
	}
	if drop := w.forward(&late); drop != rewrite.Forwarded {
		w.rx.fault("number %d is missing, but its packet is %v", uint16(w.front), drop)
		return false
	}
	if p := w.pictureOf(x); p != nil {
		p.left--
	}
	return true
}
