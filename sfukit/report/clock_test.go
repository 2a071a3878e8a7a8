package report_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

func TestClock(t *testing.T) {
	var c report.Clock
	if at, ok := c.Time(0, rate); ok {
		t.Errorf("Time without a report = %v, true", at)
	}
	if ts, ok := c.RTP(t0, rate); ok {
		t.Errorf("RTP without a report = %d, true", ts)
	}
	c.SenderReport(0, 1)
	if _, ok := c.Time(1, rate); ok {
		t.Error("a report without wall clock was taken")
	}
	const base = 1<<32 - 45000 // half a second before the wrap
	c.SenderReport(report.ToNTP(t0), base)
	tests := []struct {
		ticks int64 // after the report
		want  time.Duration
		ok    bool
	}{
		{0, 0, true},
		{1, 11111, true},
		{-1, -11111, true},
		{3000, 33_333_333, true},
		{90000, time.Second, true}, // over the wrap
		{-90000, -time.Second, true},
		{60 * 90000, time.Minute, true},
		{60*90000 + 1, 0, false},
		{-60 * 90000, -time.Minute, true},
		{-60*90000 - 1, 0, false},
		{1 << 31, 0, false},
	}
	for _, tc := range tests {
		ts := uint32(base + tc.ticks)
		at, ok := c.Time(ts, rate)
		if ok != tc.ok || ok && at.Sub(t0) != tc.want {
			t.Errorf("Time(report%+d) = report%+v, %v, want report%+v, %v", tc.ticks, at.Sub(t0), ok, tc.want, tc.ok)
		}
		if !ok {
			continue
		}
		if back, ok := c.RTP(at, rate); !ok || back != ts {
			t.Errorf("RTP(Time(report%+d)) = report%+d, %v", tc.ticks, int32(back-base), ok)
		}
	}
	if _, ok := c.Time(base, 0); ok {
		t.Error("Time with clock rate 0 = true")
	}
	if _, ok := c.RTP(t0, 0); ok {
		t.Error("RTP with clock rate 0 = true")
	}
	if _, ok := c.RTP(t0.Add(time.Minute+1), rate); ok {
		t.Error("RTP more than a minute away = true")
	}
}

// Every tick within reach survives the way there and back, for common clocks.
func TestClockInverse(t *testing.T) {
	for _, rate := range []uint32{8000, 16000, 48000, 90000} {
		var c report.Clock
		c.SenderReport(report.ToNTP(t0), 12345)
		for i := int32(-100_000); i < 100_000; i += 7 {
			ts := uint32(12345 + i)
			at, _ := c.Time(ts, rate)
			if back, ok := c.RTP(at, rate); !ok || back != ts {
				t.Fatalf("rate %d: RTP(Time(%d)) = %d, %v", rate, ts, back, ok)
			}
		}
	}
}

func TestClockReports(t *testing.T) {
	tests := []struct {
		name  string
		shift time.Duration // second report's NTP time, relative to the first
		moved bool
	}{
		{"newer", 5 * time.Second, true},
		{"overtaken", -5 * time.Second, false},
		{"overtaken by 10 s", -10 * time.Second, false},
		{"clock set forward", time.Hour, true},
		{"clock set back", -time.Hour, true},
	}
	for _, tc := range tests {
		var c report.Clock
		c.SenderReport(report.ToNTP(t0), 1000)
		c.SenderReport(report.ToNTP(t0.Add(tc.shift)), 2000)
		at, ok := c.Time(2000, rate)
		if got := ok && at.Equal(t0.Add(tc.shift)); got != tc.moved {
			t.Errorf("%s: second report used = %v, want %v", tc.name, got, tc.moved)
		}
	}
}

// observation is a sender report: sent at so many ms after t0, on a clock that is
// skew ahead of ours, delay on the way.
type observation struct{ at, skew, delay int }

func TestOffset(t *testing.T) {
	tests := []struct {
		name string
		obs  []observation
		want int // Local of the publisher's t0, in ms after t0
	}{
		{"one", []observation{{0, 700, 30}}, -670},
		{"the least delayed", []observation{{0, 700, 80}, {1000, 700, 20}, {2000, 700, 300}}, -680},
		{"publisher behind", []observation{{0, -700, 30}}, 730},
		{"old ones expire", []observation{{0, 0, 20}, {29000, 0, 50}, {31000, 0, 90}}, 50},
		{"one wild report is ignored", []observation{{0, 0, 20}, {1000, 90000, 20}, {2000, 0, 10}}, 10},
		{"one late report is ignored", []observation{{0, 0, 20}, {1000, 0, 5000}, {2000, 0, 30}}, 20},
		{"clock set forward", []observation{{0, 0, 20}, {1000, 90000, 40}, {2000, 90000, 30}}, -89970},
		{"clock set back", []observation{{0, 0, 20}, {1000, -90000, 40}, {2000, -90000, 30}, {3000, -90000, 35}}, 90030},
	}
	for _, tc := range tests {
		var o report.Offset
		if _, ok := o.Local(t0); ok {
			t.Errorf("%s: Local before any report = true", tc.name)
		}
		o.Observe(t0, 0)
		if _, ok := o.Local(t0); ok {
			t.Errorf("%s: Local after a report without wall clock = true", tc.name)
		}
		for _, ob := range tc.obs {
			o.Observe(ms(ob.at+ob.delay), report.ToNTP(ms(ob.at+ob.skew)))
		}
		got, ok := o.Local(t0)
		if !ok || !got.Equal(ms(tc.want)) {
			t.Errorf("%s: Local = t0%+v, %v, want t0%+d ms", tc.name, got.Sub(t0), ok, tc.want)
		}
	}
}

// With more reports than fit, the estimate still comes from recent ones.
func TestOffsetMany(t *testing.T) {
	var o report.Offset
	for i := range 1000 {
		o.Observe(ms(i*100+20+i%50), report.ToNTP(ms(i*100)))
	}
	if got, _ := o.Local(t0); got.Sub(t0) > 40*time.Millisecond || got.Before(ms(20)) {
		t.Errorf("Local = t0%+v, want 20 to 40 ms", got.Sub(t0))
	}
}

func ExampleClock() {
	var c report.Clock
	captured := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c.SenderReport(report.ToNTP(captured), 1_000_000)
	at, ok := c.Time(1_045_000, 90000) // half a second later
	fmt.Println(at.Format("15:04:05.000"), ok)
	// Output: 03:04:05.500 true
}
