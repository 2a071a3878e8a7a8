package sfukit

import (
	"math"
	"testing"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func TestForwardReachesEveryLine(t *testing.T) {
	s := newStage(t, 10)
	c := s.camera(1, "")
	s.show(c)
	for range 100 {
		c.send(false)
	}
	for i := range s.lines {
		if got := s.sink(i).packets; got < 101 || got > 102 {
			t.Errorf("subscriber %d got %d packets, want 101 and the keyframe before", i, got)
		}
	}
	if c := s.registry.Stats().Counters; c.PacketsIn != 102 || c.PacketsOut != int64(10*s.sink(0).packets) {
		t.Errorf("%d packets in and %d out, want 102 and ten times what each subscriber got", c.PacketsIn, c.PacketsOut)
	}
}

// TestLateRepairsAreCounted brings the repair of one encoding's packet after the
// line has gone to another: it must not be sent any more.
func TestLateRepairsAreCounted(t *testing.T) {
	s := newStage(t, 1, "q", "f")
	q, f := s.camera(1, "q"), s.camera(2, "f")
	line := s.lines[0]
	want := func(rid string) {
		line.peer.sub.mu.Lock()
		defer line.peer.sub.mu.Unlock()
		line.rewrite.Want(line.track.encoding(rid).source)
	}
	want("q")
	q.send(true)
	q.send(false)
	q.seq++ // this one is late
	q.ts += 3000
	q.send(false)
	want("f")
	f.send(true)
	f.send(false)
	sent := s.sink(0).packets
	q.deliver(q.seq-1, q.ts-3000, false)
	if got := line.stats.drops[rewrite.Late]; got != 1 {
		t.Errorf("%d packets counted as late, want 1; drops are %v", got, line.stats.drops)
	}
	if got := s.sink(0).packets; got != sent || sent != 5 {
		t.Errorf("%d packets sent after the late one and %d before, want 5 both", got, sent)
	}
}

// TestReportsFitDatagrams checks that a peer with very many lines does not get
// all their reports in one datagram.
func TestReportsFitDatagrams(t *testing.T) {
	var group []rtcp.Packet
	for len(group) < reportsPerDatagram {
		group = append(group, &rtcp.SenderReport{}, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: PeerID(math.MaxUint64).StreamID()}},
		}}})
	}
	b, err := rtcp.Marshal(group)
	if err != nil || len(b) > 1200 {
		t.Errorf("a datagram of reports takes %d bytes (error %v), want at most 1200", len(b), err)
	}
}
