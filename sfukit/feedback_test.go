package sfukit

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// told is the estimator of the member that is joining, and keeps what it is told.
type told struct {
	*member
	sent    []time.Time
	results []bwe.Packet
	rembs   []units.Bitrate
	demands int
	cluster bwe.Cluster // to be asked for
}

func (e *told) OnSent(now time.Time, _ int) { e.sent = append(e.sent, now) }
func (e *told) OnFeedback(_ time.Time, results []bwe.Packet, _ time.Duration) {
	e.results = append(e.results, results...)
}
func (e *told) OnREMB(_ time.Time, rate units.Bitrate) { e.rembs = append(e.rembs, rate) }
func (e *told) OnDemand(_ time.Time, _ units.Bitrate)  { e.demands++ }
func (e *told) Probe(time.Time) (bwe.Cluster, bool) {
	c := e.cluster
	e.cluster = bwe.Cluster{}
	return c, c.ID != 0
}

// estimators has told be the estimator of each member, and notes it in by.
func estimators(by map[*member]*told) func(*Config) {
	return func(c *Config) {
		hall := c.NewEstimator
		c.NewEstimator = func() BandwidthEstimator {
			m := hall().(*member) //nolint:forcetypeassert // it is the hall's
			by[m] = &told{member: m}
			return by[m]
		}
	}
}

// telling makes a hall of such estimators.
func telling(t *testing.T, change ...func(*Config)) (h *hall, by map[*member]*told) {
	by = map[*member]*told{}
	return newHall(t, append(change, estimators(by))...), by
}

// TestHugeREMB has a client say more than a rate can hold, which is no limit.
func TestHugeREMB(t *testing.T) {
	h, by := telling(t)
	v := h.join(1)
	for _, rate := range []float32{0x3ffff << 63, math.MaxFloat32, float32(math.Inf(1)), 2.5e6, 0} {
		v.handler.RTCP(h.now, &rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: rate, SSRCs: []uint32{1}})
	}
	want := []units.Bitrate{maxREMB, maxREMB, maxREMB, 2_500_000, 0}
	for i, got := range by[v].rembs {
		if got != want[i] {
			t.Errorf("REMB %d is told as %d, want %d", i, got, want[i])
		}
	}
	if len(by[v].rembs) != len(want) {
		t.Errorf("%d REMBs told, want %d", len(by[v].rembs), len(want))
	}
}

// TestShortOfTheLeast has a client send much feedback while its estimate is below what
// even the lowest rungs need, which stays so. The bandwidth is not spread anew for
// each message, but at once when there is less.
func TestShortOfTheLeast(t *testing.T) {
	h, by := telling(t)
	h.join(1, single(400*units.Kbps), mic(func(*member) int { return 30 }))
	v := h.join(2, withTarget(10*units.Kbps))
	h.run(5 * time.Second)
	e := by[v]
	if a := v.peer.sub.allocation.Allocated; a <= v.target {
		t.Fatalf("%v allocated at a target of %v, want more", a, v.target)
	}
	before := e.demands
	for range 1000 {
		v.feedback()
	}
	if n := e.demands - before; n != 0 {
		t.Errorf("spread anew %d times for 1000 messages that changed nothing, want none", n)
	}
	v.target = 5 * units.Kbps
	for range 10 {
		v.feedback()
	}
	if n := e.demands - before; n != 1 {
		t.Errorf("spread anew %d times after the estimate fell, want once", n)
	}
}

// TestSendTimesDoNotRunBack has packets of two publishers wait for one subscriber: the
// one that came first leaves last.
func TestSendTimesDoNotRunBack(t *testing.T) {
	h, by := telling(t, func(c *Config) { c.Shaper.Off = true })
	first, second := h.join(1, single(400*units.Kbps)), h.join(2, single(400*units.Kbps))
	v := h.join(3, withTarget(5*units.Mbps))
	h.run(2 * time.Second)
	e := by[v]
	e.sent = nil
	came := h.now
	h.now = came.Add(3 * time.Millisecond)
	second.cameras[0].frame()
	h.now = came
	first.cameras[0].frame()
	if len(e.sent) < 2 {
		t.Fatalf("%d packets sent, want one of each publisher and more", len(e.sent))
	}
	for i, at := range e.sent {
		if want := came.Add(3 * time.Millisecond); !at.Equal(want) {
			t.Errorf("packet %d is said to be sent at %s, want %s", i, at.Sub(came), want.Sub(came))
		}
	}
}

// TestEmptyReport has a client without RFC 8888 send such a report: its transport-wide
// feedback still counts.
func TestEmptyReport(t *testing.T) {
	h, by := telling(t)
	publisher := h.join(1, single(400*units.Kbps))
	v := h.join(2, withTarget(5*units.Mbps))
	h.run(2 * time.Second)
	v.handler.RTCP(h.now, &rtcp.CCFeedbackReport{})
	v.handler.RTCP(h.now, &rtcp.CCFeedbackReport{ReportBlocks: []rtcp.CCFeedbackReportBlock{{
		MediaSSRC: v.line(publisher, KindVideo).params.SSRC, MetricBlocks: []rtcp.CCFeedbackMetricBlock{{Received: true}},
	}}})
	v.handler.RTCP(h.now, &rtcp.TransportLayerCC{
		PacketStatusCount: 3, ReferenceTime: 1,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 3}},
		RecvDeltas:   []*rtcp.RecvDelta{{Delta: 250}, {Delta: 250}, {Delta: 250}},
	})
	if n := len(by[v].results); n != 3 {
		t.Errorf("%d results told of the three packets, want 3", n)
	}
}
