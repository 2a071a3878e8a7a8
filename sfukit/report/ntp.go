// Package report does the accounting behind RTCP sender and receiver reports
// (RFC 3550 section 6.4): loss and jitter of an inbound stream, round trips, and
// the relation of its RTP timestamps to wall clocks. For what a link can carry,
// see package bwe.
package report

import "time"

// ntpEpoch is 1970-01-01 in seconds of the NTP era that began in 1900.
const ntpEpoch = 2_208_988_800

// ToNTP returns t as a 64-bit NTP timestamp, seconds since 1900 modulo 2^32 and
// a binary fraction (RFC 3550 section 4), rounded to the nearest.
func ToNTP(t time.Time) uint64 {
	frac := (uint64(t.Nanosecond())<<32 + 5e8) / 1e9
	return uint64(uint32(t.Unix()+ntpEpoch))<<32 + frac
}

// FromNTP returns the time of a 64-bit NTP timestamp in UTC, to the nanosecond,
// so that FromNTP(ToNTP(t)) equals t. The seconds wrap in 2036: values with the
// top bit set are taken for 1968 to 2036, others for 2036 to 2104 (RFC 4330
// section 3).
func FromNTP(ntp uint64) time.Time {
	sec := int64(ntp >> 32)
	if sec < 1<<31 {
		sec += 1 << 32
	}
	ns := ((ntp&0xffff_ffff)*1e9 + 1<<31) >> 32
	return time.Unix(sec-ntpEpoch, int64(ns)).UTC()
}

const (
	// A sender that reports a delay a little too long, or a clock stepped by a
	// little, makes a short round trip negative. It is then taken for 0 length.
	maxNegativeRTT = 10 * time.Millisecond
	// RTP sessions do not work over round trips like this; clocks do step.
	maxRTT = 30 * time.Second
)

// RTT returns the round trip to the receiver of our sender report (RFC 3550
// section 6.4.1): now is when its reception report arrived, on the clock that
// [ToNTP] gave our report; lsr and dlsr are the report's fields. It reports false
// if the receiver had no sender report yet (lsr is 0) or the result is below
// -10 ms or above 30 s. The resolution is 1/65536 s, which is also the smallest
// value returned, since 0 means unknown elsewhere.
func RTT(now time.Time, lsr, dlsr uint32) (time.Duration, bool) {
	if lsr == 0 {
		return 0, false
	}
	units := int32(uint32(ToNTP(now)>>16) - lsr - dlsr)
	rtt := fromUnits(int64(units))
	if rtt < -maxNegativeRTT || rtt > maxRTT {
		return 0, false
	}
	return max(rtt, fromUnits(1)), true
}

// fromUnits converts 1/65536 s, the unit of LSR and DLSR.
func fromUnits(n int64) time.Duration {
	return time.Duration(n * int64(time.Second) >> 16)
}
