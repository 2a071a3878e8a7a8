package sfukit

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// clock says by which of two kinds of feedback a client tells when packets arrived.
// They tell the same by clocks that begin at different times, so the kind that first
// told anything is the one that counts; a report that tells of nothing sent settles
// nothing, since anybody can make one.
type clock uint8

const (
	clockUnknown       clock = iota
	clockTransportWide       // transport-wide feedback
	clockByStream            // RFC 8888
)

// settle takes c for the client's kind if it is the first that has told something.
func (s *subscriber) settle(c clock) {
	if s.clock == clockUnknown && len(s.results) > 0 {
		s.clock = c
	}
}

// congestionFeedback turns a report by RFC 8888 into results for the estimator.
func (p *Peer) congestionFeedback(now time.Time, r *rtcp.CCFeedbackReport) {
	s := &p.sub
	p.registry.counters.ccfb.Add(1)
	s.feedback(now, func() (rtt time.Duration) {
		s.arrivals, s.reports = s.arrivals[:0], s.reports[:0]
		for i := range r.ReportBlocks {
			b := &r.ReportBlocks[i]
			from := len(s.arrivals)
			for _, m := range b.MetricBlocks {
				s.arrivals = append(s.arrivals, bwe.Arrival{Received: m.Received, Offset: m.ArrivalTimeOffset})
			}
			s.reports = append(s.reports, bwe.StreamReport{SSRC: b.MediaSSRC, Begin: b.BeginSequence, Arrivals: s.arrivals[from:]})
		}
		if s.clock == clockTransportWide {
			s.results = s.results[:0]
			return 0
		}
		s.results, rtt = s.streams.Feedback(now, &s.sent, r.ReportTimestamp, s.reports, s.results[:0])
		s.settle(clockByStream)
		return rtt
	})
}
