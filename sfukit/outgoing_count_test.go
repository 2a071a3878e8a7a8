package sfukit

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// accounts checks that of each number that subscribers asked for it is known what
// came of it, once, and returns how many were answered.
func accounts(t *testing.T, r *Registry) (answered int64) {
	t.Helper()
	c := r.Stats().Counters
	answered = r.counters.nack[nackAnswered].Load()
	sum := answered
	for _, n := range c.NACKDrops {
		sum += n
	}
	if sum != c.NACKReceived || answered != c.Resent {
		t.Errorf("%d asked for: %d answered, %d sent again, dropped %v", c.NACKReceived, answered, c.Resent, c.NACKDrops)
	}
	return answered
}

// TestQueuedRepairsCountOnce asks for packets while a keyframe keeps the link busy, and
// has the line pass to the next keyframe, or the peer leave, while they wait.
func TestQueuedRepairsCountOnce(t *testing.T) {
	const asked = 40
	tests := map[string]struct {
		then func(*member, *hallLine)
		all  bool // are answered
	}{
		"patience": {func(*member, *hallLine) {}, true},
		"leaving":  {func(v *member, _ *hallLine) { v.peer.Close() }, false},
		"pause": {func(v *member, l *hallLine) {
			if err := v.peer.SetLayer(LayerWish{MID: l.MID(), Paused: true}); err != nil {
				t.Error(err)
			}
		}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h, sender, viewers := burst(t, 1)
			v := viewers[0]
			l := v.line(sender, KindVideo)
			h.run(50 * time.Millisecond) // into the keyframe
			sent := l.primary()
			nack := &rtcp.TransportLayerNack{MediaSSRC: l.params.SSRC}
			for i := range asked {
				nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: sent[0].header.SequenceNumber - asked + uint16(i)})
			}
			v.handler.RTCP(h.now, nack)
			if n := h.reg.counters.nack[nackAnswered].Load(); n == asked {
				t.Fatal("no repair waits for its turn")
			}
			tc.then(v, l)
			h.run(time.Second)
			if n := accounts(t, h.reg); (n == asked) != tc.all {
				t.Errorf("%d of %d answered, want all: %t", n, asked, tc.all)
			}
		})
	}
}

// TestBytesCountPacketsSentFirst sends media, repairs of it and padding: what is
// counted as sent is the media.
func TestBytesCountPacketsSentFirst(t *testing.T) {
	s := newStage(t, 1)
	c := s.camera(1, "")
	s.show(c)
	w := s.record()
	s.lines[0].params.Writer = w
	before := s.registry.Stats().Counters
	sub := &s.lines[0].peer.sub
	sentBefore := sub.sentBytes
	const frames = 20
	for range frames {
		c.send(false)
	}
	media, payload := int64(0), int64(0)
	for _, p := range w.packets {
		media += int64(p.Header.MarshalSize() + len(p.Payload))
		payload += int64(len(p.Payload) + headerEstimate)
	}
	for _, p := range w.packets[:frames] {
		s.lines[0].resend(time.Now(), p.SequenceNumber, new(resendBuffer))
	}
	s.pad(time.Now(), 100)
	after := s.registry.Stats().Counters
	if n, b := after.PacketsOut-before.PacketsOut, after.BytesOut-before.BytesOut; n != frames || b != media {
		t.Errorf("%d packets of %d bytes out, want %d of %d", n, b, frames, media)
	}
	// What repairs may take is a share of what was sent, in the same measure.
	if n := sub.sentBytes - sentBefore; n != payload {
		t.Errorf("%d bytes sent as the budget of repairs has it, want %d", n, payload)
	}
	if want := payload + 2*frames; sub.resentBytes != want { // the original's number
		t.Errorf("%d bytes sent again, want %d", sub.resentBytes, want)
	}
}
