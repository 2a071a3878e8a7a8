package units_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

func TestBitrateString(t *testing.T) {
	for _, tc := range []struct {
		in   units.Bitrate
		want string
	}{
		{0, "0 bit/s"},
		{1, "1 bit/s"},
		{999, "999 bit/s"},
		{units.Kbps, "1 kbit/s"},
		{1_050, "1.05 kbit/s"},
		{1_009, "1 kbit/s"},
		{80 * units.Kbps, "80 kbit/s"},
		{999_999, "999.99 kbit/s"},
		{units.Mbps, "1 Mbit/s"},
		{1_500_000, "1.5 Mbit/s"},
		{2_480_000, "2.48 Mbit/s"},
		{1_610 * units.Mbps, "1610 Mbit/s"},
		{-1_500, "-1.5 kbit/s"},
		{math.MaxInt64, "9223372036854.77 Mbit/s"},
		{math.MinInt64, "-9223372036854.77 Mbit/s"},
	} {
		if got := tc.in.String(); got != tc.want {
			t.Errorf("Bitrate(%d).String() = %q, want %q", int64(tc.in), got, tc.want)
		}
	}
}

func TestBitrateBytes(t *testing.T) {
	for _, tc := range []struct {
		rate units.Bitrate
		d    time.Duration
		want uint64 // of a 64-bit int; a smaller one saturates
	}{
		{0, time.Second, 0},
		{-units.Mbps, time.Second, 0},
		{units.Mbps, 0, 0},
		{units.Mbps, -time.Second, 0},
		{8, time.Second, 1},
		{7, time.Second, 0},
		{units.Mbps, time.Second, 125_000},
		{units.Mbps, 20 * time.Millisecond, 2_500},
		{300 * units.Kbps, 5 * time.Millisecond, 187}, // 187.5 rounds down
		{50 * units.Mbps, 24 * time.Hour, 540_000_000_000},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{math.MaxInt64, 4 * time.Second, 1<<62 - 1}, // product needs more than 64 bits, quotient does not
	} {
		want := int(min(tc.want, math.MaxInt))
		if got := tc.rate.Bytes(tc.d); got != want {
			t.Errorf("Bitrate(%d).Bytes(%v) = %d, want %d", int64(tc.rate), tc.d, got, want)
		}
	}
}

func TestBytesDoesNotAllocate(t *testing.T) {
	rate, sum := 3*units.Mbps, 0
	if n := testing.AllocsPerRun(100, func() { sum += rate.Bytes(time.Millisecond) }); n != 0 {
		t.Errorf("Bytes: %v allocs, want 0", n)
	}
}

func ExampleBitrate() {
	estimate := 1_500 * units.Kbps
	fmt.Println(estimate)
	fmt.Println(estimate.Bytes(20*time.Millisecond), "bytes in 20 ms")
	// Output:
	// 1.5 Mbit/s
	// 3750 bytes in 20 ms
}
