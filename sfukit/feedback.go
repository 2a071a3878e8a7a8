package sfukit

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// receiveRTCP takes one RTCP packet of the peer: reports on what it sends, and
// feedback on what it receives. It runs on the goroutine that decrypts them.
func (p *Peer) receiveRTCP(now time.Time, packet rtcp.Packet) {
	switch r := packet.(type) {
	case *rtcp.SenderReport:
		p.pub.senderReport(now, r)
		p.reception(now, r.Reports)
	case *rtcp.ReceiverReport:
		p.reception(now, r.Reports)
	case *rtcp.PictureLossIndication:
		p.keyframeWanted(now, r.MediaSSRC)
	case *rtcp.FullIntraRequest:
		for _, f := range r.FIR {
			p.keyframeWanted(now, f.SSRC)
		}
	case *rtcp.TransportLayerNack:
		p.lostPackets(now, r)
	case *rtcp.TransportLayerCC:
		p.transportFeedback(now, r)
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		p.sub.mu.Lock()
		p.sub.estimator.OnREMB(now, units.Bitrate(r.Bitrate))
		p.sub.mu.Unlock()
	}
}

func (p *publisher) senderReport(now time.Time, r *rtcp.SenderReport) {
	p.mu.Lock()
	s := p.streams[r.SSRC]
	p.offset.Observe(now, r.NTPTime)
	p.mu.Unlock()
	for _, e := range p.encodings.Snapshot() {
		if s != nil && e.ssrc.Load() == r.SSRC {
			e.senderReport(now, r.NTPTime, r.RTPTime)
		}
	}
}

// reception takes the peer's report blocks on our lines.
func (p *Peer) reception(now time.Time, blocks []rtcp.ReceptionReport) {
	p.sub.mu.Lock()
	defer p.sub.mu.Unlock()
	for _, b := range blocks {
		l := p.sub.lines[b.SSRC]
		if l == nil {
			continue
		}
		l.stats.loss = float64(b.FractionLost) / 256
		if rate := l.params.Format.Codec.ClockRate(); rate > 0 {
			l.stats.jitter = time.Duration(b.Jitter) * time.Second / time.Duration(rate)
		}
		if rtt, ok := report.RTT(now, b.LastSenderReport, b.Delay); ok {
			p.sub.rtt.Store(int64(rtt))
		}
	}
}

// keyframeWanted passes a subscriber's request to the encoding it is watching,
// and to the one it is about to.
func (p *Peer) keyframeWanted(now time.Time, ssrc uint32) {
	p.registry.counters.pliReceived.Add(1)
	p.sub.mu.Lock()
	l := p.sub.lines[ssrc]
	var current, target rewrite.Source
	var t *track
	if l != nil && l.track != nil {
		t, current, target = l.track, l.rewrite.Current(), l.rewrite.Target()
	}
	p.sub.mu.Unlock()
	if t == nil {
		return
	}
	for _, source := range []rewrite.Source{current, target} {
		if e := t.bySource(source); e != nil {
			e.askKeyframe(now)
		}
	}
}

func (p *Peer) lostPackets(now time.Time, r *rtcp.TransportLayerNack) {
	p.sub.mu.Lock()
	l := p.sub.lines[r.MediaSSRC]
	p.sub.mu.Unlock()
	if l == nil {
		return
	}
	var buf resendBuffer
	socket := p.registry.stack.Socket()
	socket.Cork()
	defer socket.Uncork()
	for _, pair := range r.Nacks {
		pair.Range(func(seq uint16) bool {
			p.registry.counters.nackReceived.Add(1)
			l.resend(now, seq, &buf)
			return true
		})
	}
}

// maxSymbols bounds what one transport-wide feedback message may speak of: more
// than any receiver collects between two messages, less than the 65535 that two
// run-length chunks could claim for a dozen octets.
const maxSymbols = 8192

// transportFeedback turns a transport-wide feedback message into results for
// the estimator (draft-holmer-rmcat-transport-wide-cc-extensions-01).
func (p *Peer) transportFeedback(now time.Time, r *rtcp.TransportLayerCC) {
	s := &p.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	s.symbols = symbols(r, s.symbols[:0])
	var rtt time.Duration
	s.results, rtt = s.sent.Feedback(now, r.BaseSequenceNumber, r.ReferenceTime, s.symbols, s.results[:0])
	if exact := time.Duration(s.rtt.Load()); exact > 0 {
		rtt = exact
	}
	s.estimator.OnFeedback(now, s.results, rtt)
}

// symbols unpacks the message's chunks and deltas.
func symbols(r *rtcp.TransportLayerCC, dst []bwe.Symbol) []bwe.Symbol {
	count := min(int(r.PacketStatusCount), maxSymbols)
	deltas := r.RecvDeltas
	add := func(symbol uint16) {
		if len(dst) == count {
			return
		}
		var s bwe.Symbol
		if symbol == rtcp.TypeTCCPacketReceivedSmallDelta || symbol == rtcp.TypeTCCPacketReceivedLargeDelta {
			s.Received = true
			if len(deltas) > 0 {
				s.Delta = time.Duration(deltas[0].Delta) * time.Microsecond
				deltas = deltas[1:]
			}
		}
		dst = append(dst, s)
	}
	dst = slices.Grow(dst, count)
	for _, chunk := range r.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range min(int(c.RunLength), maxSymbols) {
				add(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList {
				add(symbol)
			}
		}
	}
	return dst
}
