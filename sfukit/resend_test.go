package sfukit

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// tape has the first subscriber of a stage keep what it is sent.
func (s *stage) tape() *tape {
	w := &tape{}
	s.lines[0].params.Writer = w
	return w
}

// TestRepairsTakeTheirNumberWhenSent asks for packets out of order and twice: RTX
// numbers follow each other, each is used once, and each repair says what it repairs
// (RFC 4588 section 4).
func TestRepairsTakeTheirNumberWhenSent(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	w := s.tape()
	for range 10 {
		c.send(false)
	}
	sent := w.packets
	w.packets = nil
	line, now := s.lines[0], time.Now()
	order := []int{7, 3, 7, 9, 3}
	for i, k := range order {
		line.resend(now.Add(time.Duration(i)*unknownRTT), sent[k].SequenceNumber, new(resendBuffer))
	}
	if len(w.packets) != len(order) {
		t.Fatalf("%d repairs, want %d", len(w.packets), len(order))
	}
	for i, p := range w.packets {
		original := sent[order[i]]
		if p.SSRC != line.params.RTXSSRC || p.PayloadType != line.params.Format.RTXPT {
			t.Errorf("repair %d has SSRC %d and payload type %d", i, p.SSRC, p.PayloadType)
		}
		if want := w.packets[0].SequenceNumber + uint16(i); p.SequenceNumber != want {
			t.Errorf("repair %d has number %d, want %d", i, p.SequenceNumber, want)
		}
		if got := binary.BigEndian.Uint16(p.Payload); got != original.SequenceNumber {
			t.Errorf("repair %d is of number %d, want %d", i, got, original.SequenceNumber)
		}
		if string(p.Payload[2:]) != string(original.Payload) || p.Timestamp != original.Timestamp || p.Marker != original.Marker {
			t.Errorf("repair %d is not the packet sent as %d", i, original.SequenceNumber)
		}
	}
}

// TestPaddingLeavesNoHole sends what browsers probe with between frames: padding on
// the primary stream, which takes numbers, padding on the retransmission stream and
// repairs of what is there. A subscriber sees none of it, nor that it was there.
func TestPaddingLeavesNoHole(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	w := s.tape()
	rtx := s.publisher.pub.stream(2)
	deliver := func(st *stream, h rtp.Header, payload []byte, padding byte) {
		t.Helper()
		h.Version = 2
		p := rtp.Packet{Header: h, Payload: payload}
		if padding > 0 {
			p.Header.Padding, p.PaddingSize = true, padding
		}
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		st.Packet(time.Now(), b)
	}
	const frames = 50
	for i := range uint16(frames) {
		c.send(false)
		switch i % 3 {
		case 0:
			c.seq++
			deliver(c.stream, rtp.Header{PayloadType: 96, SSRC: 1, SequenceNumber: c.seq, Timestamp: c.ts}, nil, 255)
		case 1:
			deliver(rtx, rtp.Header{PayloadType: 97, SSRC: 2, SequenceNumber: i, Timestamp: c.ts}, nil, 255)
		case 2:
			again := append(binary.BigEndian.AppendUint16(nil, c.seq), c.buf[len(c.buf)-1100:]...)
			deliver(rtx, rtp.Header{PayloadType: 97, SSRC: 2, SequenceNumber: i, Timestamp: c.ts}, again, 0)
		}
	}
	if len(w.packets) != frames {
		t.Fatalf("%d packets of %d frames", len(w.packets), frames)
	}
	for i := 1; i < frames; i++ {
		a, b := w.packets[i-1], w.packets[i]
		if b.SequenceNumber != a.SequenceNumber+1 || b.Timestamp != a.Timestamp+3000 {
			t.Errorf("packet %d: number %d and timestamp %d after %d and %d", i, b.SequenceNumber, b.Timestamp, a.SequenceNumber, a.Timestamp)
		}
	}
	// What is under a number of the line is still found after all the closing up.
	for i, p := range w.packets[:frames] {
		before := len(w.packets)
		s.lines[0].resend(time.Now(), p.SequenceNumber, new(resendBuffer))
		if len(w.packets) != before+1 || string(w.packets[before].Payload[2:]) != string(p.Payload) {
			t.Errorf("packet %d: its repair is another packet or none", i)
		}
	}
	counters := s.registry.Stats().Counters
	if counters.Probes != frames/3 || counters.Repaired != 0 || counters.NACKSent != 0 {
		t.Errorf("%d probes, %d repaired, %d asked for; want %d, 0, 0", counters.Probes, counters.Repaired, counters.NACKSent, frames/3)
	}
}

// TestLateAfterASwitch delivers packets of the old encoding after the line has left
// it: one that was overtaken by the switch, and new ones.
func TestLateAfterASwitch(t *testing.T) {
	s := newStage(t, 1, "q", "f")
	q, f := s.camera(1, "q"), s.camera(2, "f")
	q.send(true)
	f.send(true)
	line := s.lines[0]
	low, high := line.track.encodings[0], line.track.encodings[1]
	want := func(e *encoding) {
		line.peer.sub.mu.Lock()
		line.rewrite.Want(e.source)
		line.peer.sub.mu.Unlock()
	}
	w := s.tape()
	want(low)
	q.send(true)
	q.send(false)
	q.seq++ // is late
	late, lateTS := q.seq, q.ts+1500
	q.send(false)
	want(high)
	f.send(true)
	before := line.stats.drops
	q.deliver(late, lateTS, false)
	if got := line.stats.drops[rewrite.Late] - before[rewrite.Late]; got != 1 {
		t.Errorf("a late packet of the old encoding: %d counted as late, want 1", got)
	}
	q.send(false)
	q.send(true)
	if got := line.stats.drops[rewrite.NotWanted] - before[rewrite.NotWanted]; got != 2 {
		t.Errorf("new packets of the old encoding: %d counted as not wanted, want 2", got)
	}
	f.send(false)
	if len(w.packets) != 5 {
		t.Errorf("%d packets sent, want 3 of the old encoding and 2 of the new", len(w.packets))
	}
	// The number that was kept for the late packet stays unused: nothing of the old
	// encoding may follow the new, not even when it is asked for.
	line.resend(time.Now(), w.packets[1].SequenceNumber+1, new(resendBuffer))
	if len(w.packets) != 5 || s.registry.Stats().Counters.NACKDrops["not_sent"] != 1 {
		t.Errorf("asking for the late packet: %d packets sent, drops %v", len(w.packets)-5, s.registry.Stats().Counters.NACKDrops)
	}
}

// TestRepairsOfBeforeASwitch: a receiver that has been given a keyframe of another
// encoding gets nothing of the one before, however often it asks.
func TestRepairsOfBeforeASwitch(t *testing.T) {
	s := newStage(t, 1, "q", "f")
	q, f := s.camera(1, "q"), s.camera(2, "f")
	q.send(true)
	f.send(true)
	line, w := s.lines[0], s.tape()
	for _, e := range []int{1, 0} {
		line.peer.sub.mu.Lock()
		line.rewrite.Want(line.track.encodings[e].source)
		line.peer.sub.mu.Unlock()
		[]*camera{q, f}[e].send(true)
		[]*camera{q, f}[e].send(false)
	}
	sent := w.packets
	if len(sent) != 4 {
		t.Fatalf("%d packets sent, want 2 of each encoding", len(sent))
	}
	for i, want := range []int{0, 0, 1, 1} {
		w.packets = nil
		line.resend(time.Now(), sent[i].SequenceNumber, new(resendBuffer))
		if len(w.packets) != want {
			t.Errorf("packet %d: %d repairs, want %d", i, len(w.packets), want)
		}
	}
	if n := s.registry.Stats().Counters.NACKDrops["superseded"]; n != 2 {
		t.Errorf("%d requests counted as superseded, want 2", n)
	}
}

// TestRepairsWaitOnce: a packet whose repair waits in the shaper is not queued a
// second time when it is asked for again. Queued as often as asked for, repairs that
// are then found to have been sent would keep the video behind them waiting.
func TestRepairsWaitOnce(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	w := s.tape()
	for range 10 {
		c.send(false)
	}
	sent := w.packets
	w.packets = nil
	line := s.lines[0]
	sub, now := &line.peer.sub, time.Now()
	sub.rtt.Store(int64(time.Millisecond))
	sub.mu.Lock()
	sub.shaper.SetTarget(now, 100*units.Kbps)
	sub.shaper.Admit(now, shaper.Audio, 10_000) // which is not kept waiting, but what follows is
	sub.mu.Unlock()
	for range 3 {
		for _, p := range sent {
			line.resend(now, p.SequenceNumber, new(resendBuffer))
		}
		now = now.Add(50 * time.Millisecond)
	}
	sub.mu.Lock()
	waiting, _ := sub.shaper.Queued()
	sub.mu.Unlock()
	if waiting+len(w.packets) != len(sent) {
		t.Errorf("%d repairs sent and %d waiting for %d packets", len(w.packets), waiting, len(sent))
	}
	line.peer.connected.Store(true)
	sub.flush(now.Add(300*time.Millisecond), new(resendBuffer))
	if len(w.packets) != len(sent) {
		t.Errorf("%d repairs in the end, want %d", len(w.packets), len(sent))
	}
}
