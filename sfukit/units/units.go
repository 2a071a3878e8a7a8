// Package units names the quantities that media code confuses most easily, so
// that the compiler keeps bits apart from bytes. It is the vocabulary of
// packages layer, pacer and the estimators, and depends on nothing.
package units

import (
	"math"
	"math/bits"
	"strconv"
	"time"
)

// Bitrate is a data rate in bits per second, with decimal prefixes as network
// equipment and SDP (RFC 8866 section 5.8) use them. The zero value is no
// traffic or, where a field says so, an unknown rate. A negative Bitrate has
// no meaning of its own; it arises only as a difference of two rates.
type Bitrate int64

// Decimal multiples of one bit per second.
const (
	Kbps Bitrate = 1_000     // one kilobit per second
	Mbps Bitrate = 1_000_000 // one megabit per second
)

// Bytes returns how many whole bytes a sender at rate b emits during d,
// rounded down. It is 0 when b or d is not positive, and saturates at the
// largest int instead of overflowing.
func (b Bitrate) Bytes(d time.Duration) int {
	if b <= 0 || d <= 0 {
		return 0
	}
	const perByte = 8 * uint64(time.Second) // bit·ns/s in one byte
	hi, lo := bits.Mul64(uint64(b), uint64(d))
	if hi >= perByte {
		return math.MaxInt // the quotient would not fit in 64 bits
	}
	n, _ := bits.Div64(hi, lo, perByte)
	return int(min(n, math.MaxInt))
}

// String returns the rate for people to read, such as "950 bit/s",
// "80 kbit/s" or "1.5 Mbit/s". At most two decimals are kept and the rest is
// cut off, so the text never claims more than the value.
func (b Bitrate) String() string {
	v, sign := uint64(b), ""
	if b < 0 {
		v, sign = -v, "-" // two's complement: right for the smallest int64 too
	}
	unit, name := uint64(1), " bit/s"
	switch {
	case v >= uint64(Mbps):
		unit, name = uint64(Mbps), " Mbit/s"
	case v >= uint64(Kbps):
		unit, name = uint64(Kbps), " kbit/s"
	}
	s := sign + strconv.FormatUint(v/unit, 10)
	if f := v % unit * 100 / unit; f%10 != 0 {
		s += "." + string([]byte{'0' + byte(f/10), '0' + byte(f%10)})
	} else if f != 0 {
		s += "." + string([]byte{'0' + byte(f/10)})
	}
	return s + name
}
