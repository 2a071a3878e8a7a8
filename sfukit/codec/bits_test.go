package codec_test

// bitWriter makes headers for the tests.
type bitWriter struct {
	b []byte
	n int
}

func (w *bitWriter) bits(n int, v uint32) *bitWriter {
	for i := n - 1; i >= 0; i-- {
		if w.n&7 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n>>3] |= byte(v>>i&1) << (7 - w.n&7)
		w.n++
	}
	return w
}

// golomb writes ue(v).
func (w *bitWriter) golomb(vs ...uint32) *bitWriter {
	for _, v := range vs {
		n := 0
		for (v+1)>>(n+1) != 0 {
			n++
		}
		w.bits(n, 0).bits(n+1, v+1)
	}
	return w
}
