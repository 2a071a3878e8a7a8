package dd

import "math/bits"

// reader reads bits, most significant first. Reading past the end yields zeros
// and sets short, so a caller checks once, at the end.
type reader struct {
	b     []byte
	at    int // in bits
	short bool
}

// bits reads an n-bit number, n at most 32: f(n) of section A.4.1.
func (r *reader) bits(n int) uint32 {
	if r.at+n > len(r.b)*8 {
		r.at, r.short = len(r.b)*8, true
		return 0
	}
	var v uint32
	for n > 0 {
		free := 8 - r.at&7 // bits of this byte that are still to be read
		take := min(free, n)
		v = v<<take | uint32(r.b[r.at>>3])>>(free-take)&(1<<take-1)
		r.at += take
		n -= take
	}
	return v
}

// flag reads one bit as a truth value.
func (r *reader) flag() bool { return r.bits(1) == 1 }

// nonSymmetric reads a number below n in as few bits as its value needs: ns(n)
// of section A.4.1.
func (r *reader) nonSymmetric(n uint32) uint32 {
	w := bits.Len32(n)
	m := uint32(1)<<w - n
	v := r.bits(w - 1)
	if v < m {
		return v
	}
	return v<<1 - m + r.bits(1)
}

// writer appends bits to b, most significant first; the last byte is filled up
// with zeros.
type writer struct {
	b    []byte
	free int // bits of the last byte that are not written yet
}

// bits writes the n low bits of v, n at most 32.
func (w *writer) bits(n int, v uint32) {
	for n > 0 {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		put := min(w.free, n)
		w.b[len(w.b)-1] |= byte(v >> (n - put) & (1<<put - 1) << (w.free - put))
		w.free -= put
		n -= put
	}
}

// flag writes one bit.
func (w *writer) flag(v bool) {
	if v {
		w.bits(1, 1)
	} else {
		w.bits(1, 0)
	}
}

// nonSymmetric is the reverse of the reader's.
func (w *writer) nonSymmetric(n, v uint32) {
	width := bits.Len32(n)
	m := uint32(1)<<width - n
	if v < m {
		w.bits(width-1, v)
	} else {
		w.bits(width, v+m)
	}
}
