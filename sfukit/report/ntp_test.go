package report_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

var t0 = time.Unix(1_700_000_000, 123_456_789)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

func TestNTP(t *testing.T) {
	tests := []struct {
		at   time.Time
		want uint64
	}{
		{time.Unix(0, 0), 2_208_988_800 << 32},
		{time.Unix(0, 500_000_000), 2_208_988_800<<32 | 1<<31},
		{time.Unix(0, 1), 2_208_988_800<<32 | 4},
		{time.Unix(0, 999_999_999), 2_208_988_800<<32 | 4_294_967_292},
		{time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), 0xffff_ffff << 32},
		{time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), 0},
		{time.Date(2036, 2, 7, 6, 28, 17, 0, time.UTC), 1 << 32},
		{time.Date(1968, 1, 20, 3, 14, 8, 0, time.UTC), 1 << 63},
	}
	for _, tc := range tests {
		if got := report.ToNTP(tc.at); got != tc.want {
			t.Errorf("ToNTP(%v) = %#x, want %#x", tc.at, got, tc.want)
		}
		if got := report.FromNTP(tc.want); !got.Equal(tc.at) {
			t.Errorf("FromNTP(%#x) = %v, want %v", tc.want, got, tc.at)
		}
	}
}

func TestNTPRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		at := time.Unix(rnd.Int64N(4e9), rnd.Int64N(1e9))
		if got := report.FromNTP(report.ToNTP(at)); !got.Equal(at) {
			t.Fatalf("FromNTP(ToNTP(%v)) = %v", at.UTC(), got)
		}
	}
}

func TestRTT(t *testing.T) {
	const unit = time.Second >> 16
	lsr := uint32(report.ToNTP(t0) >> 16)
	units := func(d time.Duration) uint32 { return uint32(d * 65536 / time.Second) }
	wrap := time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC)
	tests := []struct {
		name      string
		now       time.Time
		lsr, dlsr uint32
		want      time.Duration
		ok        bool
	}{
		{"no sender report", ms(100), 0, 0, 0, false},
		{"at once", ms(100), lsr, 0, 100 * time.Millisecond, true},
		{"held", ms(5100), lsr, units(5 * time.Second), 100 * time.Millisecond, true},
		{"none", t0, lsr, 0, unit, true},
		{"a little negative", ms(100), lsr, units(105 * time.Millisecond), unit, true},
		{"very negative", ms(100), lsr, units(200 * time.Millisecond), 0, false},
		{"absurd", ms(31000), lsr, 0, 0, false},
		{"dlsr of all ones", ms(100), lsr, 1<<32 - 1, 100 * time.Millisecond, true},
		{"over the era", wrap.Add(time.Second), 0xffff_ffff, 0, time.Second, true},
	}
	for _, tc := range tests {
		got, ok := report.RTT(tc.now, tc.lsr, tc.dlsr)
		if d := got - tc.want; ok != tc.ok || d > 3*unit || d < -3*unit {
			t.Errorf("%s: RTT = %v, %v, want %v, %v", tc.name, got, ok, tc.want, tc.ok)
		}
		if ok && got <= 0 {
			t.Errorf("%s: RTT = %v, want more than 0", tc.name, got)
		}
	}
}
