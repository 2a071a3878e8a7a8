package sfukit

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// TestForgottenPacketsAskForFewKeyframes has a viewer ask for packets of seconds ago.
// Only what it cannot go on without costs the publisher a keyframe, and not often.
func TestForgottenPacketsAskForFewKeyframes(t *testing.T) {
	h := newHall(t)
	sender := h.join(1, single(400*units.Kbps))
	viewer := h.join(2, withTarget(2*units.Mbps))
	h.run(5 * time.Second)
	l := viewer.line(sender, KindVideo)
	// ask asks for the packet sent so long ago, and returns how many keyframes that costs.
	ask := func(ago time.Duration) int {
		t.Helper()
		i := len(l.sent) - 1
		for ; h.now.Sub(l.sent[i].at) < ago; i-- {
		}
		before := sender.plis
		viewer.handler.RTCP(h.now, &rtcp.TransportLayerNack{
			MediaSSRC: l.params.SSRC, Nacks: []rtcp.NackPair{{PacketID: l.sent[i].header.SequenceNumber}},
		})
		h.run(100 * time.Millisecond)
		return sender.plis - before
	}
	drops := func(why string) int64 { return h.reg.Stats().Counters.NACKDrops[why] }
	if n := ask(2 * time.Second); n != 1 || drops("forgotten") != 1 {
		t.Fatalf("a forgotten packet: %d keyframes, drops %v; want 1", n, h.reg.Stats().Counters.NACKDrops)
	}
	h.run(4 * time.Second)
	if n := ask(5 * time.Second); n != 0 || drops("superseded") != 1 {
		t.Errorf("a packet of before the last keyframe: %d keyframes, drops %v; want none", n, h.reg.Stats().Counters.NACKDrops)
	}
	if n := ask(2 * time.Second); n != 1 || drops("forgotten") != 2 {
		t.Errorf("a packet of after the last keyframe: %d keyframes, drops %v; want 1", n, h.reg.Stats().Counters.NACKDrops)
	}
	h.run(2 * time.Second)
	if n := ask(1500 * time.Millisecond); n != 0 || drops("forgotten") != 3 {
		t.Errorf("another soon after: %d keyframes, drops %v; want none", n, h.reg.Stats().Counters.NACKDrops)
	}
	h.run(time.Second)
	if n := ask(1500 * time.Millisecond); n != 1 {
		t.Errorf("another after %s: %d keyframes, want 1", reviveInterval, n)
	}
}
