package sfukit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/history"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/keyframe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// encoding is one inbound stream of a track: the only one, or one of a
// simulcast (RFC 8853).
type encoding struct {
	track  *track
	rid    SfuRid
	rank   int // place in the publisher's declaration
	source rewrite.Source
	store  *history.Store
	ssrc   atomic.Uint32 // 0 until the first packet
	// unwanted says that the publisher was told that nobody has a use for it.
	unwanted atomic.Bool
	// Reused for every packet, by the ingress goroutine.
	out      forwarded
	doubler  *redundancy // nil until a subscriber takes redundancy
	blocks   []codec.REDBlock
	restored rtp.Header

	mu         sync.Mutex // guards what follows; held by ingress and by ticks
	seq        seqno.Unwrapper
	receiver   report.Receiver
	clock      report.Clock
	loss       *nack.Generator
	keys       *keyframe.Requester
	live       layer.Liveness
	nacks      []uint16 // reused
	highest    int64    // sequence number
	newest     uint32   // its timestamp
	lastTS     uint32
	width      int
	height     int
	meter      layer.Meter
	structures dd.Parser
	layers     []layer.LayerRate // as last known
	bytes      int64             // since measured
	measured   time.Time
	rate       units.Bitrate
	began      time.Time // the first packet came
	packets    int64
	frames     int64
	keyCount   int64
	askedPLI   int64
	askedNck   int64
	// unanswered counts the times in a row that packets were given up and none came
	// again.
	unanswered int
}

func newEncoding(t *track, rid SfuRid, rank int) *encoding {
	e := &encoding{track: t, rid: rid, rank: rank}
	e.source = rewrite.Source(t.owner.registry.sources.Add(1))
	// These configurations are valid by the packages' contracts, so there is no error
	// to report.
	var kept history.Config
	var asked nack.Config
	if t.kind == KindAudio {
		kept, asked = audioHistory, audioNACK
	}
	e.store, _ = history.New(kept)
	e.loss, _ = nack.New(asked)
	e.keys, _ = keyframe.New(keyframe.Config{})
	return e
}

// Audio is repaired in time or not at all: what is later than this has been covered
// up by the player, whose buffer holds 40 to 200 ms.
var (
	audioHistory = history.Config{MaxPackets: 64}
	audioNACK    = nack.Config{MaxAge: 250 * time.Millisecond, MaxRetries: 3, MaxList: 50}
)

// maxUnanswered is after how many vain attempts in a row a publisher is no longer
// asked for audio. Browsers do not say in their offers whether they send Opus again:
// those built on libwebrtc do, others do not.
const maxUnanswered = 16

// worthAsking returns what is worth asking for of seqs.
func (e *encoding) worthAsking(seqs []uint16) []uint16 {
	if e.track.kind == KindAudio && e.unanswered >= maxUnanswered {
		return nil
	}
	return seqs
}

// askKeyframe asks the publisher for a keyframe, unless one is under way.
func (e *encoding) askKeyframe(now time.Time) {
	if e.track.kind != KindVideo || e.ssrc.Load() == 0 {
		return // what has not begun will begin with a keyframe
	}
	e.mu.Lock()
	send := e.keys.Ask(now)
	e.mu.Unlock()
	if send {
		e.sendPLI()
	}
}

func (e *encoding) sendPLI() {
	p := e.track.owner
	p.writeRTCP(&rtcp.PictureLossIndication{SenderSSRC: p.pub.ssrc, MediaSSRC: e.ssrc.Load()})
	p.registry.counters.pliSent.Add(1)
	e.mu.Lock()
	e.askedPLI++
	e.mu.Unlock()
}

func (e *encoding) sendNACK(seqs []uint16) {
	ssrc := e.ssrc.Load()
	if len(seqs) == 0 || ssrc == 0 {
		return
	}
	p := e.track.owner
	n := &rtcp.TransportLayerNack{SenderSSRC: p.pub.ssrc, MediaSSRC: ssrc}
	for _, pair := range nack.Pairs(seqs, nil) {
		n.Nacks = append(n.Nacks, rtcp.NackPair{PacketID: pair.PacketID, LostPackets: rtcp.PacketBitmap(pair.LostPackets)})
	}
	p.writeRTCP(n)
	p.registry.counters.nackSent.Add(int64(len(seqs)))
}

// tick repeats what has not been answered.
func (e *encoding) tick(now time.Time, rtt time.Duration) {
	if e.ssrc.Load() == 0 {
		return
	}
	watched := e.track.watchers.Len() > 0
	e.mu.Lock()
	e.keys.SetRTT(rtt)
	seqs, gaveUp := e.loss.Due(now, rtt, e.nacks[:0])
	e.nacks = seqs
	again := append([]uint16(nil), e.worthAsking(seqs)...)
	e.askedNck += int64(len(again))
	if gaveUp > 0 {
		e.unanswered++
		e.track.owner.registry.counters.nackGaveUp.Add(int64(gaveUp))
	}
	pli := false
	switch {
	case !watched:
		e.keys.Cancel()
	case gaveUp > 0 && e.track.kind == KindVideo:
		pli = e.keys.Ask(now)
	default:
		pli, _ = e.keys.Due(now)
	}
	e.mu.Unlock()
	e.sendNACK(again)
	if pli {
		e.sendPLI()
	}
}

// measure updates the rate over the time since the last call.
func (e *encoding) measure(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := now.Sub(e.measured); !e.measured.IsZero() && d > 0 {
		e.rate = units.Bitrate(float64(e.bytes*8) / d.Seconds())
	}
	e.bytes, e.measured = 0, now
}

// rung describes the encoding for a ladder.
func (e *encoding) rung(now time.Time) layer.Rung {
	e.mu.Lock()
	defer e.mu.Unlock()
	return layer.Rung{RID: e.rid, Width: e.width, Height: e.height, Bitrate: e.rate, Live: e.live.Live(now)}
}

// reception returns the report block of the encoding (RFC 3550 section 6.4.1).
func (e *encoding) reception(now time.Time) (rtcp.ReceptionReport, bool) {
	ssrc := e.ssrc.Load()
	if ssrc == 0 {
		return rtcp.ReceptionReport{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.receiver.Block(now)
	return rtcp.ReceptionReport{
		SSRC: ssrc, FractionLost: b.FractionLost, TotalLost: uint32(b.TotalLost) & 0xffffff,
		LastSequenceNumber: b.LastSeq, Jitter: b.Jitter, LastSenderReport: b.LSR, Delay: b.DLSR,
	}, true
}

// senderReport takes the publisher's report on the encoding.
func (e *encoding) senderReport(now time.Time, ntp uint64, rtp uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.receiver.SenderReport(now, ntp)
	e.clock.SenderReport(ntp, rtp)
}
