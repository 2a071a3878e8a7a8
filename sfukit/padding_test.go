package sfukit

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// recorder keeps what a line writes.
type recorder struct{ packets []rtp.Packet }

func (r *recorder) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	r.packets = append(r.packets, rtp.Packet{Header: h.Clone(), Payload: bytes.Clone(payload)})
	return h.MarshalSize() + len(payload) + int(h.PaddingSize), nil
}

// record has the first line write to a recorder.
func (s *stage) record() *recorder {
	r := &recorder{}
	s.lines[0].line.Params().Writer = r
	return r
}

// pad sends one packet for a probe of the first subscriber.
func (s *stage) pad(now time.Time, size int) int {
	var b resendBuffer
	sub := &s.lines[0].peer.sub
	sub.mu.Lock()
	defer sub.mu.Unlock()
	l := sub.paddingLineLocked()
	if l == nil {
		return 0
	}
	return l.padLocked(now, size, &b)
}

// TestPaddingBeforeMedia: with nothing to copy, padding goes out on the RTX SSRC,
// with what feedback needs.
func TestPaddingBeforeMedia(t *testing.T) {
	s := newStage(t, 1)
	r := s.record()
	tests := []struct{ size, padding int }{
		{1200, 255}, {299, 255}, {298, 254}, {100, 56}, {44, 1}, {1, 1}, {0, 1}, {-5, 1},
	}
	for i, tc := range tests {
		n := s.pad(time.Now(), tc.size)
		p := &r.packets[i]
		if !p.Padding || int(p.Header.PaddingSize) != tc.padding || len(p.Payload) != 0 || n != tc.padding+headerEstimate {
			t.Errorf("wanted %d: padding %t of %d and %d bytes of payload, %d in all, want padding of %d alone",
				tc.size, p.Padding, p.Header.PaddingSize, len(p.Payload), n, tc.padding)
		}
		if p.SSRC != 1001 || p.PayloadType != 97 || p.SequenceNumber != r.packets[0].SequenceNumber+uint16(i) {
			t.Errorf("packet %d: SSRC %d, payload type %d, number %d; want 1001, 97 and %d",
				i, p.SSRC, p.PayloadType, p.SequenceNumber, r.packets[0].SequenceNumber+uint16(i))
		}
		if got := binary.BigEndian.Uint16(p.GetExtension(stageTransportCC)); got != uint16(i) {
			t.Errorf("packet %d has transport-wide number %d", i, got)
		}
		if len(p.GetExtension(stageAbsSendTime)) != 3 {
			t.Errorf("packet %d has no send time", i)
		}
		if b, err := p.Marshal(); err != nil || len(b) > n {
			t.Errorf("packet %d marshals to %d bytes (error %v), want %d at most", i, len(b), err, n)
		}
	}
}

// TestPaddingCopies: once there is media, probes repeat it as RTX does, each packet
// once in a round trip, and media goes on as if nothing had been.
func TestPaddingCopies(t *testing.T) {
	s := newStage(t, 1)
	r := s.record()
	c := s.camera(1, "")
	s.show(c)
	for range 100 {
		c.send(false)
		s.pad(time.Now(), 1100)
		s.pad(time.Now(), 100)
	}
	media := map[uint16]*rtp.Packet{}
	copied := map[uint16]bool{}
	var last, lastRTX *rtp.Packet
	copies, fills := 0, 0
	for i := range r.packets {
		p := &r.packets[i]
		if got := binary.BigEndian.Uint16(p.GetExtension(stageTransportCC)); got != uint16(i) {
			t.Fatalf("packet %d has transport-wide number %d", i, got)
		}
		if p.SSRC == 1000 {
			if last != nil && p.SequenceNumber != last.SequenceNumber+1 {
				t.Fatalf("number %d of media follows %d", p.SequenceNumber, last.SequenceNumber)
			}
			if p.Padding || p.Header.PaddingSize != 0 {
				t.Fatalf("padding in media packet %d", p.SequenceNumber)
			}
			media[p.SequenceNumber], last = p, p
			continue
		}
		if p.SSRC != 1001 || p.PayloadType != 97 || lastRTX != nil && p.SequenceNumber != lastRTX.SequenceNumber+1 {
			t.Fatalf("SSRC %d, payload type %d, number %d follows %v", p.SSRC, p.PayloadType, p.SequenceNumber, lastRTX)
		}
		lastRTX = p
		if len(p.Payload) == 0 {
			fills++
			if p.Header.PaddingSize != 56 || p.Timestamp != last.Timestamp {
				t.Errorf("padding of %d bytes at timestamp %d, want 56 at %d", p.Header.PaddingSize, p.Timestamp, last.Timestamp)
			}
			continue
		}
		copies++
		number := binary.BigEndian.Uint16(p.Payload)
		original := media[number]
		if original == nil || !bytes.Equal(original.Payload, p.Payload[2:]) || original.Timestamp != p.Timestamp || original.Marker != p.Marker {
			t.Fatalf("the copy of packet %d differs from it: %v, %v", number, p, original)
		}
		if copied[number] {
			t.Errorf("packet %d was copied twice within a round trip", number)
		}
		copied[number] = true
	}
	if copies != 100 || fills != 100 {
		t.Errorf("%d copies and %d times padding, want 100 and 100", copies, fills)
	}
}

// TestPaddingAnswersNACKs: a NACK for what a probe has just repeated is not answered
// again within the round trip, one for what it has not is.
func TestPaddingAnswersNACKs(t *testing.T) {
	s := newStage(t, 1)
	r := s.record()
	c := s.camera(1, "")
	s.show(c)
	for range 10 {
		c.send(false)
	}
	now := time.Now()
	s.pad(now, 1100)
	newest := s.lines[0].out.Seq
	before := len(r.packets)
	var b resendBuffer
	s.lines[0].resend(now, newest, &b)
	if got := len(r.packets) - before; got != 0 {
		t.Errorf("%d answers for a packet that a probe repeated, want 0", got)
	}
	s.lines[0].resend(now, newest-1, &b)
	if got := len(r.packets) - before; got != 1 {
		t.Fatalf("%d answers for a packet that no probe repeated, want 1", got)
	}
	if a, b := r.packets[before-1].SequenceNumber, r.packets[before].SequenceNumber; b != a+1 {
		t.Errorf("RTX number %d follows %d", b, a)
	}
}

// TestPaddingRunsOutOfCopies: in one moment each packet is copied once; then padding
// has to do, as it has for a line whose track is gone.
func TestPaddingRunsOutOfCopies(t *testing.T) {
	s := newStage(t, 1)
	r := s.record()
	c := s.camera(1, "")
	s.show(c)
	for range 10 {
		c.send(false)
	}
	now := time.Now()
	count := func(n int) (copies int) {
		before := len(r.packets)
		for range n {
			s.pad(now, 1200)
		}
		for _, p := range r.packets[before:] {
			if len(p.Payload) > 0 {
				copies++
			}
		}
		return copies
	}
	sent := s.lines[0].stats.sent
	if got := count(30); int64(got) != sent {
		t.Errorf("%d copies of %d packets, want each once", got, sent)
	}
	s.lines[0].detach()
	if got := count(3); got != 0 {
		t.Errorf("%d copies of a track that is gone, want 0", got)
	}
	if p := r.packets[len(r.packets)-1]; p.Header.PaddingSize != maxPadding {
		t.Errorf("padding of %d bytes on a line without a track, want %d", p.Header.PaddingSize, maxPadding)
	}
}

// TestPaddingLine: which line carries padding.
func TestPaddingLine(t *testing.T) {
	s := newStage(t, 1)
	sub := &s.lines[0].peer.sub
	line := s.lines[0]
	other := &downLine{peer: line.peer, line: &fakeLine{*line.line.Params()}}
	other.line.Params().SSRC, other.line.Params().RTXSSRC = 500, 501
	other.attach(line.watched, true)
	check := func(when string, want *downLine) {
		t.Helper()
		sub.mu.Lock()
		defer sub.mu.Unlock()
		for range 20 { // lines are in a map
			if got := sub.paddingLineLocked(); got != want {
				t.Fatalf("%s: padding on another line than expected", when)
			}
		}
	}
	check("before media", other)
	watched := other.watched
	other.detach()
	c := s.camera(1, "")
	s.show(c)
	check("media on one line", line)
	other.attach(watched, true)
	s.lines = append(s.lines, other)
	s.show(c)
	check("media on both", line)
	other.stats.bytes += 1 << 20
	check("the other has sent more", other)
	other.params.RTXSSRC = 0
	check("the other has no RTX", line)
	line.params.Ext.TransportCC = 0
	check("with abs-send-time", line)
	line.params.Ext.AbsSendTime = 0
	check("without feedback", nil)
	if n := s.pad(time.Now(), 1000); n != 0 {
		t.Errorf("pad sent %d bytes without a line, want 0", n)
	}
}

// TestPaddingAfterALatePacket: what was written last may be an old number. Copies are of
// the newest packets, and padding has the time of the newest.
func TestPaddingAfterALatePacket(t *testing.T) {
	s := newStage(t, 1)
	r := s.record()
	c := s.camera(1, "")
	s.show(c)
	c.seq++
	late, lateTS := c.seq, c.ts+1500
	const since = copyWindow + 10
	for range since {
		c.send(false)
	}
	newest := r.packets[len(r.packets)-1]
	c.deliver(late, lateTS, false)
	if p := r.packets[len(r.packets)-1]; p.SequenceNumber != newest.SequenceNumber-since {
		t.Fatalf("the late packet was sent as %d, want %d", p.SequenceNumber, newest.SequenceNumber-since)
	}
	s.pad(time.Now(), 1200)
	if p := r.packets[len(r.packets)-1]; len(p.Payload) < 2 || binary.BigEndian.Uint16(p.Payload) != newest.SequenceNumber {
		t.Errorf("the copy is not of packet %d: %v", newest.SequenceNumber, p.Header)
	}
	s.pad(time.Now(), 100)
	if p := r.packets[len(r.packets)-1]; !p.Padding || p.Timestamp != newest.Timestamp {
		t.Errorf("padding with timestamp %d, want %d", p.Timestamp, newest.Timestamp)
	}
}
