package codec

// bitReader reads bits, most significant first. Reading past the end yields
// zeros and sets short, so a caller checks once, at the end.
type bitReader struct {
	b     []byte
	at    int // in bits
	short bool
}

// bit reads one bit.
func (r *bitReader) bit() uint32 {
	i := r.at >> 3
	if i >= len(r.b) {
		r.short = true
		return 0
	}
	v := uint32(r.b[i]>>(7-r.at&7)) & 1
	r.at++
	return v
}

// flag reads one bit as a truth value.
func (r *bitReader) flag() bool { return r.bit() == 1 }

// bits reads an n-bit number, n at most 32.
func (r *bitReader) bits(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | r.bit()
	}
	return v
}

// skip passes over n bits.
func (r *bitReader) skip(n int) {
	r.at += n
	if r.at > len(r.b)*8 {
		r.at, r.short = len(r.b)*8, true
	}
}

// golomb reads an unsigned Exp-Golomb number: ue(v) of H.264 section 9.1,
// which is the uvlc() of the AV1 specification section 4.10.3. More than 31
// leading zeros are beyond what either format needs and count as short.
func (r *bitReader) golomb() uint32 {
	zeros := 0
	for !r.flag() {
		if zeros++; zeros > 31 || r.short {
			r.short = true
			return 0
		}
	}
	return 1<<zeros - 1 + r.bits(zeros)
}

// signedGolomb passes over an se(v), which is as long as a ue(v), and returns
// its value.
func (r *bitReader) signedGolomb() int32 {
	k := r.golomb()
	if k&1 == 1 {
		return int32(k/2) + 1
	}
	return -int32(k / 2)
}
