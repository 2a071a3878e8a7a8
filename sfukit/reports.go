package sfukit

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

// maxReportBlocks is what one receiver report holds (RFC 3550 section 6.4.2: five bits).
const maxReportBlocks = 31

// reportsPerDatagram keeps a compound packet below any MTU: a sender report and
// its description, one each, take up to 64 octets.
const reportsPerDatagram = 2 * 16

// ticks is when a peer's slower chores are due; owned by Room.run.
type ticks struct{ slow, reports time.Time }

// tick does what is due: repeats, feedback, reports, and the choice of layers.
func (p *Peer) tick(now time.Time) {
	if !p.connected.Load() {
		return
	}
	rtt := time.Duration(p.sub.rtt.Load())
	for _, e := range p.pub.encodings.Snapshot() {
		e.tick(now, rtt)
	}
	p.sub.startProbe(now)
	if now.Before(p.ticks.slow) {
		return
	}
	p.ticks.slow = now.Add(tickSlow)
	p.writeRTCP(p.pub.arrivals()...)
	p.sub.estimateNow(now)
	p.sub.reallocate(now)
	for _, t := range p.published() {
		t.updateDemand(now)
	}
	if now.Before(p.ticks.reports) {
		return
	}
	p.ticks.reports = now.Add(tickReports)
	for _, e := range p.pub.encodings.Snapshot() {
		e.measure(now)
	}
	for _, r := range p.pub.receiverReports(now) {
		p.writeRTCP(r)
	}
	for group := range slices.Chunk(p.senderReports(now), reportsPerDatagram) {
		p.writeRTCP(group...)
	}
}

// arrivals makes the transport-wide feedback due to the peer.
func (p *publisher) arrivals() []rtcp.Packet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.arrival.Feedback()
}

// receiverReports makes the reports on what the peer sends.
func (p *publisher) receiverReports(now time.Time) []rtcp.Packet {
	var packets []rtcp.Packet
	rr := &rtcp.ReceiverReport{SSRC: p.ssrc}
	for _, e := range p.encodings.Snapshot() {
		block, ok := e.reception(now)
		if !ok {
			continue
		}
		if rr.Reports = append(rr.Reports, block); len(rr.Reports) == maxReportBlocks {
			packets = append(packets, rr)
			rr = &rtcp.ReceiverReport{SSRC: p.ssrc}
		}
	}
	if len(rr.Reports) > 0 {
		packets = append(packets, rr)
	}
	return packets
}

// senderReports makes the reports on the lines the peer receives. Their NTP
// time is ours; the RTP time is what the line would show at that moment.
func (p *Peer) senderReports(now time.Time) []rtcp.Packet {
	var packets []rtcp.Packet
	for _, l := range p.sub.all() {
		if sr, ok := l.senderReport(now); ok {
			packets = append(packets, sr, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
				Source: sr.SSRC, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.cname()}},
			}}})
		}
	}
	return packets
}

// senderReport maps our time to the line's timestamps through the publisher's
// own report: first its clock against ours, then its RTP clock, then the line's
// offset. Without a report of the publisher's there is nothing true to say.
func (l *downLine) senderReport(now time.Time) (*rtcp.SenderReport, bool) {
	s := &l.peer.sub
	s.mu.Lock()
	if l.track == nil || l.packets == 0 {
		s.mu.Unlock()
		return nil, false
	}
	offset, source, ok := l.rewrite.Offset()
	t, rate := l.track, l.params.Format.Codec.ClockRate()
	sr := &rtcp.SenderReport{SSRC: l.params.SSRC, PacketCount: l.packets, OctetCount: l.octets}
	s.mu.Unlock()
	e := t.bySource(source)
	if !ok || e == nil {
		return nil, false
	}
	there, ok := t.owner.pub.remote(now)
	if !ok {
		return nil, false
	}
	e.mu.Lock()
	ts, ok := e.clock.RTP(there, rate)
	e.mu.Unlock()
	if !ok {
		return nil, false
	}
	sr.NTPTime, sr.RTPTime = report.ToNTP(now), ts+offset
	return sr, true
}

// cname names the publisher, so that a player keeps its audio and video together.
func (l *downLine) cname() string {
	l.peer.sub.mu.Lock()
	defer l.peer.sub.mu.Unlock()
	if l.track == nil {
		return ""
	}
	return l.track.owner.id.StreamID()
}

// remote returns what the peer's own wall clock shows now.
func (p *publisher) remote(now time.Time) (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	local, ok := p.offset.Local(now)
	if !ok {
		return time.Time{}, false
	}
	return now.Add(-local.Sub(now)), true
}
