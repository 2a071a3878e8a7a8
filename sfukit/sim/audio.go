package sim

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

// What an audio jitter buffer does, after libwebrtc's NetEq in outline: it starts
// with a delay of 40 ms, conceals what is not there when it is due, which puts all
// that follows later by as much as it was late, plays a little faster while it has
// more in store than it needs, and waits for repairs if that is worth it: 20 ms for
// each percent of packets that come too late otherwise.
const (
	audioDelay  = 40 * time.Millisecond
	audioSpeed  = 0.01
	audioMargin = 20 * time.Millisecond
	audioWindow = 100                         // packets
	audioMemory = 500                         // packets, over which late ones are averaged
	audioWorth  = 100 * 20 * time.Millisecond // of a share of 1
)

// audioReceiver is a browser's side of one audio line.
type audioReceiver struct {
	client *client
	mid    string
	ssrc   uint32
	stats  report.Receiver

	begun   bool
	seq     int64
	ts      uint32        // of seq
	start   time.Duration // when packet 0 would be played
	first   int64
	spare   time.Duration // the least time a packet was early in this window
	counted int
	late    float64 // share of packets that were repaired too late

	nacks     nacks
	got       map[int64]bool
	concealed time.Duration
	played    time.Duration
}

func (a *audioReceiver) receive(h *rtp.Header, payload []byte) {
	now := a.client.engine.Elapsed()
	a.client.tally.media += len(payload)
	a.stats.Packet(a.client.engine.Now(), h.SequenceNumber, h.Timestamp, 48_000)
	if !a.begun {
		a.begun, a.seq, a.first, a.got = true, int64(h.SequenceNumber), int64(h.SequenceNumber), map[int64]bool{}
		a.start = now + audioDelay - time.Duration(a.seq)*audioInterval
		a.spare, a.ts = time.Hour, h.Timestamp
	}
	seq := a.seq + int64(int16(h.SequenceNumber-uint16(a.seq)))
	if a.got[seq] {
		return
	}
	if seq < a.seq-50 {
		return
	}
	ask, _ := a.nacks.received(a.client.engine.Now(), seq)
	a.client.nack(a.ssrc, ask)
	if seq > a.seq { // silence that was not sent moves the clock and not the numbers
		silence := int64(int32(h.Timestamp-a.ts)) - 960*(seq-a.seq)
		a.start += max(0, time.Duration(silence)*time.Second/48_000)
		a.ts = h.Timestamp
	}
	early := a.start + time.Duration(seq)*audioInterval - now
	for ; a.seq < seq; a.seq++ {
		delete(a.got, a.seq-100)
	}
	a.late -= a.late / audioMemory
	switch {
	case early >= 0:
		a.got[seq] = true
	case seq != a.seq: // a repair: from now on there is time for it
		a.late += 1.0 / audioMemory
		if time.Duration(a.late*float64(audioWorth)) < -early {
			return
		}
		a.start -= early
		early = 0
	default: // the newest: what is played stretches until it comes
		a.got[seq] = true
		a.concealed -= early
		a.start -= early
		early = 0
	}
	a.spare = min(a.spare, early)
	if a.counted++; a.counted == audioWindow {
		if a.spare > audioMargin {
			a.start -= min(a.spare-audioMargin, time.Duration(audioSpeed*float64(audioWindow*audioInterval)))
		}
		a.counted, a.spare = 0, time.Hour
	}
}

// process accounts for the packets whose time has come, and asks again for those
// whose time has not; it is the 20 ms timer.
func (a *audioReceiver) process() {
	if !a.begun {
		return
	}
	now := a.client.engine.Elapsed()
	a.nacks.passed(a.first)
	a.client.nack(a.ssrc, a.nacks.due(a.client.engine.Now()))
	for ; a.first < a.seq && a.start+time.Duration(a.first)*audioInterval < now; a.first++ {
		a.played += audioInterval
		if !a.got[a.first] {
			a.concealed += audioInterval
		}
	}
}

func (a *audioReceiver) senderReport(r *rtcp.SenderReport) {
	a.stats.SenderReport(a.client.engine.Now(), r.NTPTime)
}

func (a *audioReceiver) reception() (rtcp.ReceptionReport, bool) {
	return block(a.ssrc, &a.stats, a.client.engine.Now()), a.begun
}
