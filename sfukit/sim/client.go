package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// client is a browser in a simulated room: what it publishes, what it watches,
// and the feedback that it sends.
type client struct {
	engine  *Engine
	id      int
	name    string
	watches bool
	down    *Link
	up      *Link
	conn    *conn

	cameras    []*camera
	microphone *microphone

	arrivals arrivals
	fbCount  uint8
	video    []*videoReceiver
	audio    []*audioReceiver
	bySSRC   map[uint32]receiver
	sources  map[string]*camera // what the lines show, by mid
	tally    tally
	settle   time.Duration // when measuring begins
	waited   time.Duration // of the packet being received
}

// receiver is what takes the packets of one SSRC.
type receiver interface {
	receive(h *rtp.Header, payload []byte)
	senderReport(r *rtcp.SenderReport)
	reception() (rtcp.ReceptionReport, bool)
}

// tally counts what came in since the last sample, in bytes of RTP.
type tally struct {
	media  int // payloads that were not there before
	repair int // retransmissions that were asked for
	waste  int // padding, and repairs nobody asked for
	waited []time.Duration
}

// tracks are what the client's offer says it publishes.
func (c *client) tracks() []transport.Track {
	var out []transport.Track
	for _, cam := range c.cameras {
		t := transport.Track{MID: cam.mid, Video: true, Formats: []transport.Format{videoFormat}, Ext: extensions}
		for _, e := range cam.encoders {
			if len(cam.encoders) > 1 {
				t.RIDs = append(t.RIDs, e.c.RID)
				continue
			}
			t.SSRCs = []uint32{e.ssrc}
			t.RTX = map[uint32]uint32{e.ssrc: e.rtx}
		}
		out = append(out, t)
	}
	if m := c.microphone; m != nil {
		out = append(out, transport.Track{
			MID: m.mid, Formats: []transport.Format{audioFormat}, SSRCs: []uint32{m.ssrc}, Ext: extensions,
		})
	}
	return out
}

// publish switches encodings on and off as the room asks.
func (c *client) publish(l sfukit.PublishLayers) {
	for _, cam := range c.cameras {
		if cam.mid != l.MID {
			continue
		}
		for _, e := range cam.encoders {
			e.unwanted = !slices.Contains(l.RIDs, sfukit.SfuRid(e.c.RID))
		}
	}
}

// start connects and begins to send feedback.
func (c *client) start() {
	c.conn.handler.State(transport.Connected)
	if c.watches {
		c.engine.After(defaultFeedback, c.transportFeedback)
		c.engine.Every(nackInterval, c.process)
		c.engine.Every(time.Second, c.reports)
	}
}

// sendRTP is how cameras and microphones send.
func (c *client) sendRTP(ssrc uint32, b []byte) {
	if c.conn == nil {
		return
	}
	c.up.Send(&Packet{
		Flow: c.id, Size: len(b), Data: b, Sent: c.engine.Now(),
		To: func(p *Packet) { c.conn.rtp(ssrc, p.Data) },
	})
}

// sendRTCP sends packets as one datagram.
func (c *client) sendRTCP(packets ...rtcp.Packet) {
	b, err := rtcp.Marshal(packets)
	if err != nil || c.conn == nil {
		return // packets of ours always can be written
	}
	c.up.Send(&Packet{
		Flow: c.id, Size: len(b), Data: b, Sent: c.engine.Now(),
		To: func(p *Packet) { c.conn.rtcp(p.Data) },
	})
}

// receiveRTCP takes a compound packet of the room.
func (c *client) receiveRTCP(b []byte) {
	packets, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			if r := c.bySSRC[sr.SSRC]; r != nil {
				r.senderReport(sr)
			}
			continue
		}
		for _, cam := range c.cameras {
			cam.feedback(p)
		}
	}
}

// listen makes the client ready for a line it has accepted.
func (c *client) listen(l *line) {
	p := l.params
	if p.Format.Codec.Video() {
		v := newVideoReceiver(c, l.mid, p.SSRC, p.RTXSSRC)
		c.video = append(c.video, v)
		c.bySSRC[p.SSRC], c.bySSRC[p.RTXSSRC] = v, v
		return
	}
	a := &audioReceiver{client: c, mid: l.mid, ssrc: p.SSRC}
	c.audio = append(c.audio, a)
	c.bySSRC[p.SSRC] = a
}

// receiveRTP takes a packet where the downlink ends.
func (c *client) receiveRTP(p *Packet) {
	var h rtp.Header
	n, err := h.Unmarshal(p.Data)
	if err != nil {
		return
	}
	if v := h.GetExtension(extTransportCC); len(v) == 2 {
		c.arrivals.record(c.arrivals.unwrap(binary.BigEndian.Uint16(v)), c.engine.Elapsed())
	}
	c.tally.waited = append(c.tally.waited, p.Waited)
	c.waited = p.Waited
	payload := p.Data[n:]
	if h.Padding && len(payload) > 0 {
		pad := int(payload[len(payload)-1])
		c.tally.waste += min(pad, len(payload))
		payload = payload[:max(0, len(payload)-pad)]
	}
	if r := c.bySSRC[h.SSRC]; r != nil {
		r.receive(&h, payload)
	}
}

// transportFeedback reports what came, and when.
func (c *client) transportFeedback() {
	for _, m := range c.arrivals.take(c.engine.Elapsed()) {
		c.sendRTCP(m.rtcp(c.fbCount))
		c.fbCount++
	}
	c.engine.After(feedbackInterval(c.uplink()), c.transportFeedback)
}

func (c *client) uplink() units.Bitrate {
	if t := c.up.Rate(); t != nil {
		return t.Rate(c.engine.Elapsed())
	}
	return units.Mbps
}

// process repeats what has not been answered.
func (c *client) process() bool {
	for _, v := range c.video {
		v.process()
	}
	for _, a := range c.audio {
		a.process()
	}
	return true
}

// nack asks for packets of a stream.
func (c *client) nack(ssrc uint32, seqs []int64) {
	if len(seqs) == 0 {
		return
	}
	short := make([]uint16, len(seqs))
	for i, s := range seqs {
		short[i] = uint16(s)
	}
	n := &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: ssrc}
	for _, p := range nack.Pairs(short, nil) {
		n.Nacks = append(n.Nacks, rtcp.NackPair{PacketID: p.PacketID, LostPackets: rtcp.PacketBitmap(p.LostPackets)})
	}
	c.sendRTCP(n)
}

// reports sends a receiver report.
func (c *client) reports() bool {
	rr := &rtcp.ReceiverReport{SSRC: 1}
	for _, v := range c.video {
		if b, ok := v.reception(); ok {
			rr.Reports = append(rr.Reports, b)
		}
	}
	for _, a := range c.audio {
		if b, ok := a.reception(); ok {
			rr.Reports = append(rr.Reports, b)
		}
	}
	if rr.Reports = rr.Reports[:min(len(rr.Reports), 31)]; len(rr.Reports) > 0 {
		c.sendRTCP(rr)
	}
	return true
}

// block converts a report block.
func block(ssrc uint32, r *report.Receiver, now time.Time) rtcp.ReceptionReport {
	b := r.Block(now)
	return rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: b.FractionLost, TotalLost: uint32(b.TotalLost) & 0xffffff,
		LastSequenceNumber: b.LastSeq, Jitter: b.Jitter, LastSenderReport: b.LSR, Delay: b.DLSR,
	}
}

// rtcp writes a feedback message with status vectors of two bits, seven packets
// each (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.4).
func (m *message) rtcp(count uint8) *rtcp.TransportLayerCC {
	out := &rtcp.TransportLayerCC{
		SenderSSRC: 1, BaseSequenceNumber: uint16(m.first), PacketStatusCount: uint16(len(m.symbols)),
		ReferenceTime: m.reference, FbPktCount: count,
	}
	var chunk *rtcp.StatusVectorChunk
	for i, s := range m.symbols {
		if i%7 == 0 {
			chunk = &rtcp.StatusVectorChunk{Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit, SymbolList: make([]uint16, 7)}
			out.PacketChunks = append(out.PacketChunks, chunk)
		}
		if !s.Received {
			continue
		}
		symbol := uint16(rtcp.TypeTCCPacketReceivedSmallDelta)
		if !small(s.Delta) {
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
		}
		chunk.SymbolList[i%7] = symbol
		out.RecvDeltas = append(out.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: s.Delta.Microseconds()})
	}
	size := m.size()
	out.Header = rtcp.Header{
		Padding: size%4 != 0, Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: uint16((size+3)/4 - 1),
	}
	return out
}
