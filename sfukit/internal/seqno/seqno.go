// Package seqno compares and unwraps the 16-bit and 32-bit counters of RTP, for
// every package of the kit that orders packets; nothing else may compare them.
package seqno

// Less reports whether a comes before b, counting modulo 2^16 (RFC 3550
// appendix A.1, RFC 1982 section 3.2). Of two different numbers exactly one
// comes first: RFC 1982 leaves numbers that are 2^15 apart undefined, here the
// numerically smaller is the earlier. Less is not transitive over more than
// half the number space; unwrap numbers that must be sorted.
func Less(a, b uint16) bool {
	d := b - a
	if d == 1<<15 {
		return a < b
	}
	return d != 0 && d < 1<<15
}

// Unwrapper extends 16-bit sequence numbers to 64 bits, so that they can be
// compared, subtracted and used as keys without thinking of the wrap.
// The zero value is ready for use. An Unwrapper is not safe for concurrent use.
type Unwrapper struct {
	highest int64
	started bool
}

// Unwrap returns the number closest to the highest one returned so far that
// equals seq modulo 2^16; exactly 2^15 away counts as older.
//
// The first result is seq + 2^16, so that packets which were sent earlier but
// arrive later still have a place below it: no result is ever negative. A late
// packet does not move the point of reference, so a sender that jumps
// backwards for good keeps getting rising numbers once it has caught up.
func (u *Unwrapper) Unwrap(seq uint16) int64 {
	if !u.started {
		u.started = true
		u.highest = int64(seq) + 1<<16
		return u.highest
	}
	n := u.highest + int64(int16(seq-uint16(u.highest)))
	u.highest = max(u.highest, n)
	return n
}

// Unwrapper32 is [Unwrapper] for 32-bit counters, of which RTP timestamps are
// the usual ones. The zero value is ready for use. An Unwrapper32 is not safe
// for concurrent use.
type Unwrapper32 struct {
	highest int64
	started bool
}

// Unwrap returns the number closest to the highest one returned so far that
// equals v modulo 2^32; exactly 2^31 away counts as older. The first result is
// v + 2^32 and no result is ever negative.
func (u *Unwrapper32) Unwrap(v uint32) int64 {
	if !u.started {
		u.started = true
		u.highest = int64(v) + 1<<32
		return u.highest
	}
	n := u.highest + int64(int32(v-uint32(u.highest)))
	u.highest = max(u.highest, n)
	return n
}
