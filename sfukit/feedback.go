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

// maxREMB, in bit/s, bounds what a REMB may say: its mantissa and exponent reach
// 2^81, more than a rate holds.
const maxREMB = 1e12

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
	case *rtcp.CCFeedbackReport:
		p.congestionFeedback(now, r)
	case *rtcp.ReceiverEstimatedMaximumBitrate:
		p.sub.heed(now, func() { p.sub.estimator.OnREMB(now, units.Bitrate(min(float64(r.Bitrate), maxREMB))) })
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

// keyframeWanted counts a subscriber's request and passes it on.
func (p *Peer) keyframeWanted(now time.Time, ssrc uint32) {
	p.registry.counters.pliReceived.Add(1)
	p.refresh(now, ssrc)
}

// refresh asks for a keyframe of the encoding that a line shows, and of the one it
// is about to.
func (p *Peer) refresh(now time.Time, ssrc uint32) {
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
	if p.answer(now, l, r.Nacks) && l.mayRevive(now) {
		p.refresh(now, r.MediaSSRC)
	}
}

// reviveInterval is how often a line may have a keyframe for packets that are forgotten.
// Everybody gets that keyframe, and a client a second or more away asks too late for
// all it ever lacks.
const reviveInterval = 3 * time.Second

func (l *downLine) mayRevive(now time.Time) bool {
	l.peer.sub.mu.Lock()
	defer l.peer.sub.mu.Unlock()
	if now.Sub(l.revived) < reviveInterval {
		return false
	}
	l.revived = now
	return true
}

// answer sends again what a subscriber asks for. It reports whether it lacks what
// cannot be had any more, as after an outage: nothing but a keyframe helps then, and
// a browser asks for that only when its picture has stood for 3 s.
func (p *Peer) answer(now time.Time, l *downLine, nacks []rtcp.NackPair) (gone bool) {
	var buf resendBuffer
	p.registry.network.Cork()
	defer p.registry.network.Uncork()
	for _, pair := range nacks {
		pair.Range(func(seq uint16) bool {
			p.registry.counters.nackReceived.Add(1)
			gone = l.resend(now, seq, &buf) == nackForgotten || gone
			return true
		})
	}
	return gone
}

// maxSymbols bounds what one transport-wide feedback message may speak of: more
// than any receiver collects between two messages, less than the 65535 that two
// run-length chunks could claim for a dozen octets.
const maxSymbols = 8192

// transportFeedback turns a transport-wide feedback message into results for
// the estimator (draft-holmer-rmcat-transport-wide-cc-extensions-01).
func (p *Peer) transportFeedback(now time.Time, r *rtcp.TransportLayerCC) {
	s := &p.sub
	s.feedback(now, func() (rtt time.Duration) {
		if s.clock == clockByStream {
			s.results = s.results[:0]
			return 0
		}
		s.symbols = symbols(r, s.symbols[:0])
		s.results, rtt = s.sent.Feedback(now, r.BaseSequenceNumber, r.ReferenceTime, s.symbols, s.results[:0])
		s.settle(clockTransportWide)
		return rtt
	})
}

// feedback gives the estimator the results that read finds, with the round trip.
func (s *subscriber) feedback(now time.Time, read func() (rtt time.Duration)) {
	s.heed(now, func() {
		rtt := read()
		if exact := time.Duration(s.rtt.Load()); exact > 0 {
			rtt = exact
		}
		s.estimator.OnFeedback(now, s.results, rtt)
	})
}

// heed has the estimator told something. If less is left after it than is being sent,
// what is sent changes at once.
func (s *subscriber) heed(now time.Time, tell func()) {
	s.mu.Lock()
	tell()
	var asks []*encoding
	if s.estimateLocked(now) {
		asks = s.reallocateLocked(now)
	}
	s.mu.Unlock()
	askKeyframes(now, asks)
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
