package sim

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
)

// What libwebrtc's video receivers wait before they ask for a keyframe: while they
// have none, and while there is nothing that they can decode.
const (
	waitKeyframe = 200 * time.Millisecond
	waitFrame    = 3 * time.Second
)

// A packet that waits in a queue for as long as disturbance disturbs its track, and
// for as long as blame after that the network is to blame for what happens.
const (
	disturbance = 50 * time.Millisecond
	blame       = 500 * time.Millisecond
)

// videoReceiver is a browser's side of one video line: it puts frames together,
// asks for what is missing, decodes what has its references, and shows it.
type videoReceiver struct {
	client    *client
	mid       string
	ssrc, rtx uint32
	paused    bool // the room says that it sends nothing

	stats   report.Receiver
	seq     int64
	begun   bool
	nacks   nacks
	packets map[int64]*videoPacket
	frames  []*videoFrame // complete and not decoded, oldest first
	decoder decoder
	screen  playout

	lastPacket, lastDecoded, lastPLI time.Duration
	shown                            stamp // of the last picture
	ts                               uint32
	media                            time.Duration // what ts stands for
	strayLow, strayHigh              time.Duration // media less the truth

	out videoTally
}

// videoTally is what a receiver has seen, since the beginning.
type videoTally struct {
	frames     int // decoded
	flips      int // pictures of another encoding than the one before
	shown      []Shown
	backwards  int // pictures that were captured before the one before
	suspended  time.Duration
	freezes    []Freeze
	since      time.Duration // when it was paused
	disturbed  time.Duration // the last time that the network lost or delayed something
	nacked     int
	media      int64 // bytes of payload since measuring began
	plis       int
	firstFrame time.Duration
}

type videoPacket struct {
	seq     int64
	ts      uint32
	marker  bool
	payload codec.Payload
	stamp   stamp
}

// videoFrame is a frame of which all packets are here.
type videoFrame struct {
	first, last int64
	ts          uint32
	payload     codec.Payload // of its first packet
	stamp       stamp
	refused     bool // counted as foreign
}

func newVideoReceiver(c *client, mid string, ssrc, rtx uint32) *videoReceiver {
	return &videoReceiver{client: c, mid: mid, ssrc: ssrc, rtx: rtx, packets: map[int64]*videoPacket{}}
}

func (v *videoReceiver) receive(h *rtp.Header, payload []byte) {
	now := v.client.engine.Now()
	seq16, repaired := h.SequenceNumber, h.SSRC == v.rtx
	if repaired {
		if len(payload) <= 2 {
			v.client.tally.waste += len(payload)
			return // a probe
		}
		seq16 = binary.BigEndian.Uint16(payload)
		payload = payload[2:]
	} else {
		v.stats.Packet(now, h.SequenceNumber, h.Timestamp, 90_000)
	}
	v.lastPacket = v.client.engine.Elapsed()
	if !v.begun {
		v.begun, v.seq, v.lastDecoded = true, int64(seq16), v.lastPacket
	}
	seq := v.seq + int64(int16(seq16-uint16(v.seq)))
	v.seq = max(v.seq, seq)
	_, wanted := v.nacks.missing[seq]
	switch {
	case repaired && !wanted:
		v.client.tally.waste += len(payload) + 2
		return
	case repaired:
		v.client.tally.repair += len(payload) + 2
	default:
		v.client.tally.media += len(payload)
		if v.lastPacket >= v.client.settle {
			v.out.media += int64(len(payload))
		}
	}
	ask, overflow := v.nacks.received(now, seq)
	if len(ask) > 0 || v.client.waited > disturbance {
		v.out.disturbed = v.lastPacket
	}
	v.out.nacked += len(ask)
	v.client.nack(v.ssrc, ask)
	if overflow {
		v.startOver()
	}
	p := &videoPacket{seq: seq, ts: h.Timestamp, marker: h.Marker}
	if v.packets[seq] != nil || codec.Parse(codec.VP8, payload, &p.payload) != nil {
		return
	}
	var stamped bool
	if p.stamp, stamped = readStamp(payload); !stamped {
		return
	}
	v.packets[seq] = p
	if f := v.assemble(p); f != nil {
		v.frames = append(v.frames, f)
		slices.SortFunc(v.frames, func(a, b *videoFrame) int { return cmp.Compare(a.first, b.first) })
		v.decode()
	}
}

// assemble returns the frame of a packet if that has become complete.
func (v *videoReceiver) assemble(p *videoPacket) *videoFrame {
	first, last := p, p
	for !first.payload.Start {
		before := v.packets[first.seq-1]
		if before == nil || before.ts != p.ts {
			return nil
		}
		first = before
	}
	for !last.marker {
		after := v.packets[last.seq+1]
		if after == nil || after.ts != p.ts {
			return nil
		}
		last = after
	}
	return &videoFrame{first: first.seq, last: last.seq, ts: p.ts, payload: first.payload, stamp: first.stamp}
}

// decode shows every frame that has its references.
func (v *videoReceiver) decode() {
	for i := 0; i < len(v.frames); {
		f := v.frames[i]
		if v.decoder.past(f) {
			v.frames = slices.Delete(v.frames, i, i+1)
			continue
		}
		if !v.decoder.accept(f) {
			i++
			continue
		}
		v.frames = slices.Delete(v.frames, 0, i+1)
		i = 0
		v.show(f)
	}
}

// show puts a decoded frame on the screen.
func (v *videoReceiver) show(f *videoFrame) {
	now := v.client.engine.Elapsed()
	v.lastDecoded = now
	v.nacks.passed(f.first)
	for seq := range v.packets {
		if seq <= f.last {
			delete(v.packets, seq)
		}
	}
	v.out.frames++
	if v.out.frames == 1 {
		v.out.firstFrame = now
	}
	if !v.paused {
		v.note(int(f.stamp.encoding))
	}
	before := v.shown
	v.shown = f.stamp
	if f.stamp.captured < before.captured {
		v.out.backwards++
	}
	if v.out.frames > 1 && f.stamp.encoding != before.encoding {
		v.out.flips++
	}
	if freeze, froze := v.screen.show(v.time(f), now); froze {
		v.freeze(freeze, before, f.stamp)
	}
}

// note keeps what is shown from now on.
func (v *videoReceiver) note(encoding int) {
	if n := len(v.out.shown); n == 0 || v.out.shown[n-1].Encoding != encoding {
		v.out.shown = append(v.out.shown, Shown{v.client.engine.Elapsed(), encoding})
	}
}

// time returns when a frame was captured as its timestamp has it, and notes how far
// that strays from the truth.
func (v *videoReceiver) time(f *videoFrame) time.Duration {
	if v.out.frames == 1 {
		v.ts, v.media, v.strayLow, v.strayHigh = f.ts, f.stamp.captured, 0, 0
	}
	v.media += time.Duration(int32(f.ts-v.ts)) * time.Second / 90_000
	v.ts = f.ts
	stray := v.media - f.stamp.captured
	v.strayLow, v.strayHigh = min(v.strayLow, stray), max(v.strayHigh, stray)
	return v.media
}

// freeze notes a freeze, from one picture to another, and finds out whose fault it is.
func (v *videoReceiver) freeze(f Freeze, before, after stamp) {
	source := v.client.sources[v.mid]
	next := after.encoding == before.encoding && after.frame == before.frame+1
	switch {
	case source != nil && source.dark(f.At, f.At+f.Lasted):
		return
	case next && after.captured-before.captured > f.Lasted*3/4:
		f.Cause = CauseSource // it takes fewer pictures
	case v.out.disturbed >= f.At-blame:
		f.Cause = CauseNetwork
	case source != nil && !source.steady(before.encoding, f.At-blame, f.At+f.Lasted):
		f.Cause = CauseSource
	default:
		f.Cause = CauseRoom
	}
	v.out.freezes = append(v.out.freezes, f)
}

// process is the 20 ms timer: repeats of NACK and, when nothing helps, PLI.
func (v *videoReceiver) process() {
	if !v.begun {
		return
	}
	now := v.client.engine.Elapsed()
	again := v.nacks.due(v.client.engine.Now())
	v.out.nacked += len(again)
	v.client.nack(v.ssrc, again)
	wait := waitFrame
	if !v.decoder.begun {
		wait = waitKeyframe
	}
	if now-max(v.lastDecoded, v.lastPLI) >= wait && now-v.lastPacket < 5*time.Second && !v.paused {
		v.askKeyframe()
	}
}

// startOver gives up what is there and waits for a keyframe.
func (v *videoReceiver) startOver() {
	clear(v.packets)
	v.frames = v.frames[:0]
	v.decoder.begun = false
	v.askKeyframe()
}

func (v *videoReceiver) askKeyframe() {
	v.lastPLI = v.client.engine.Elapsed()
	v.out.plis++
	v.client.sendRTCP(&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: v.ssrc})
}

// pause follows what the room says of the line.
func (v *videoReceiver) pause(paused bool) {
	now := v.client.engine.Elapsed()
	switch {
	case paused && !v.paused:
		v.out.since = now
		if v.out.frames > 0 {
			v.note(-1)
		}
	case !paused && v.paused:
		v.out.suspended += now - v.out.since
		v.screen.forget()
	}
	v.paused = paused
}

// end closes the books: a picture that still stands is a freeze as well.
func (v *videoReceiver) end() {
	now := v.client.engine.Elapsed()
	if gap := now - v.screen.shown; v.screen.begun && v.screen.stands(gap) {
		v.freeze(Freeze{At: v.screen.shown, Lasted: gap}, v.shown, stamp{})
	}
}

func (v *videoReceiver) senderReport(r *rtcp.SenderReport) {
	v.stats.SenderReport(v.client.engine.Now(), r.NTPTime)
}

func (v *videoReceiver) reception() (rtcp.ReceptionReport, bool) {
	return block(v.ssrc, &v.stats, v.client.engine.Now()), v.begun
}
