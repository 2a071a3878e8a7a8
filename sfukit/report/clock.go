package report

import "time"

// maxReach is how far from a sender report its mapping is believed. Reports come
// every few seconds; a timestamp a minute away belongs to another time base, for
// example to a source that started over and has not reported yet.
const maxReach = time.Minute

// maxReorder is how much earlier than the one before a sender report may be and
// still count as late rather than as a clock set back.
const maxReorder = 10 * time.Second

// A Clock maps the RTP timestamps of one inbound SSRC to its sender's wall clock,
// by the latest sender report (RFC 3550 section 6.4.1). Nothing is averaged: when
// a sender sets its clock, the mapping is right again with its next report.
// The zero value knows nothing yet. A Clock is not safe for concurrent use.
type Clock struct {
	known bool
	at    time.Time // the sender's wall clock at rtp
	rtp   uint32
}

// SenderReport records the two times of a sender report. A report with NTP time 0,
// which a sender without a wall clock sends, is ignored, and so is one that is up
// to ten seconds older than the one before: it was overtaken.
func (c *Clock) SenderReport(ntp uint64, rtp uint32) {
	if ntp == 0 {
		return
	}
	at := FromNTP(ntp)
	if back := c.at.Sub(at); c.known && back > 0 && back <= maxReorder {
		return
	}
	c.known, c.at, c.rtp = true, at, rtp
}

// Time returns when the sender's wall clock showed the RTP timestamp ts of a clock
// with clockRate ticks per second. It reports false without a sender report, with
// clockRate 0, and when ts is more than a minute away from the latest report.
func (c *Clock) Time(ts, clockRate uint32) (time.Time, bool) {
	if !c.known || clockRate == 0 {
		return time.Time{}, false
	}
	d := time.Duration(int64(int32(ts-c.rtp)) * int64(time.Second) / int64(clockRate))
	if d > maxReach || d < -maxReach {
		return time.Time{}, false
	}
	return c.at.Add(d), true
}

// RTP returns the RTP timestamp at the sender's wall clock time t: the inverse of
// [Clock.Time], to the tick, with the same conditions.
func (c *Clock) RTP(t time.Time, clockRate uint32) (uint32, bool) {
	if !c.known || clockRate == 0 {
		return 0, false
	}
	d := t.Sub(c.at)
	if d > maxReach || d < -maxReach {
		return 0, false
	}
	// Time rounds towards the report, so round to the nearest here.
	half := time.Second / 2 / time.Duration(clockRate)
	if d < 0 {
		half = -half
	}
	return c.rtp + uint32(ticks(d+half, int64(clockRate))), true
}
