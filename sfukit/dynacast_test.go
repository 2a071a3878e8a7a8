package sfukit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/demand"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// obeying has a publisher send only what it is told is wanted, from the next
// keyframe on.
func (m *member) obeying() {
	seen := 0
	m.hall.every(10*time.Millisecond, func() bool {
		for ; seen < len(m.publish); seen++ {
			for _, c := range m.cameras {
				on := slices.Contains(m.publish[seen].RIDs, SfuRid(c.rid))
				c.key = c.key || on && c.off
				c.off = !on
			}
		}
		return true
	})
}

// TestUnwantedEncodingsAreGivenUp: a publisher hears what nobody has a use for after a
// while, and what somebody has a use for at once.
func TestUnwantedEncodingsAreGivenUp(t *testing.T) {
	h := newHall(t)
	sender := h.join(1, simulcast())
	sender.obeying()
	h.run(demand.Patience - 200*time.Millisecond)
	if len(sender.publish) != 0 {
		t.Errorf("the publisher is told %v too soon", sender.publish)
	}
	h.run(400 * time.Millisecond)
	if n := len(sender.publish); n != 1 || fmt.Sprint(sender.publish[0]) != "{cam [q]}" {
		t.Errorf("alone in the room, the publisher was told %v, want q once", sender.publish)
	}
	viewer := h.join(2, withTarget(5*units.Mbps))
	took := h.until("word that all are wanted", time.Second, func() bool { return len(sender.publish) == 2 })
	if took > 2*tickSlow+viewer.delay || fmt.Sprint(sender.publish[1]) != "{cam [q h f]}" {
		t.Errorf("with a viewer, the publisher was told %v after %s", sender.publish[1], took)
	}
	h.until("f", 10*time.Second, func() bool { return viewer.layers["0"].RID == "f" })

	// One who wants less does not change what another needs; when nobody does, it ends.
	limited := h.join(3, withTarget(5*units.Mbps))
	h.run(2 * time.Second)
	limit := func(m *member, rid SfuRid) {
		t.Helper()
		if err := m.peer.SetLayer(LayerWish{MID: m.line(sender, KindVideo).mid, MaxRID: rid}); err != nil {
			t.Fatal(err)
		}
	}
	limit(limited, "q")
	h.run(2 * demand.Patience)
	if len(sender.publish) != 2 {
		t.Errorf("the publisher was told %v while a viewer watches f", sender.publish[2:])
	}
	limit(viewer, "h")
	h.run(2 * demand.Patience)
	if n := len(sender.publish); n != 3 || fmt.Sprint(sender.publish[2]) != "{cam [q h]}" {
		t.Errorf("the publisher was told %v, want q and h once", sender.publish[2:])
	}
	limit(viewer, "")
	h.run(2 * tickSlow)
	if n := len(sender.publish); n != 4 || fmt.Sprint(sender.publish[3]) != "{cam [q h f]}" {
		t.Errorf("the publisher was told %v within %s, want all", sender.publish[3:], 2*tickSlow)
	}
	h.until("f again", 10*time.Second, func() bool { return viewer.layers["0"].RID == "f" })
	viewer.peer.Close()
	h.run(2 * demand.Patience)
	if n := len(sender.publish); n != 5 || fmt.Sprint(sender.publish[4]) != "{cam [q]}" {
		t.Errorf("the publisher was told %v after the viewer of f has left, want q", sender.publish[4:])
	}
}

// TestNobodyToTellWhatIsWanted: of a publisher whose application does not hear what is
// wanted, an encoding that falls silent is no more than silent.
func TestNobodyToTellWhatIsWanted(t *testing.T) {
	for _, listens := range []bool{true, false} {
		h := newHall(t)
		sender := h.join(1, simulcast(), func(_ *member, j *Join) {
			if !listens {
				j.Events.PublishLayers = nil
			}
		})
		viewer := h.join(2, withTarget(200*units.Kbps))
		h.run(demand.Patience + time.Second)
		for _, c := range sender.cameras {
			c.off = c.rid != "q"
		}
		h.run(5 * time.Second)
		x := viewer.peer.Explain()
		if len(x) != 1 || x[0].Showing == nil || x[0].Showing.RID != "q" {
			t.Fatalf("the viewer has %+v, want q", x)
		}
		if next := x[0].Next; (next != nil) != listens {
			t.Errorf("with word of what is wanted: %t; the viewer is promised %+v", listens, next)
		}
	}
}

// TestBandwidthBringsEncodingsBack: what was switched off because nobody's link
// carried it is asked for when one does, and shown.
func TestBandwidthBringsEncodingsBack(t *testing.T) {
	h := newHall(t)
	sender := h.join(1, simulcast())
	sender.obeying()
	h.run(time.Second)
	viewer := h.join(2, withTarget(200*units.Kbps))
	h.run(15 * time.Second)
	if !sender.cameras[1].off || !sender.cameras[2].off {
		t.Fatalf("the publisher was told %v with 200 kbit/s, want it to send q only", sender.publish)
	}
	for _, v := range []struct {
		target units.Bitrate
		rid    SfuRid
	}{{600 * units.Kbps, "h"}, {200 * units.Kbps, "q"}, {3 * units.Mbps, "f"}} {
		viewer.target = v.target
		h.run(10 * time.Second)
		if got := viewer.layers["0"]; got.RID != v.rid || got.Paused {
			t.Errorf("with %s, the viewer has %+v, want %s; the publisher was told %v", v.target, got, v.rid, sender.publish)
		}
	}
}

// TestOutageWithEncodingsOff: a publisher sends nothing for a while, when its higher
// encodings have been given up. The line goes on where it was, without a keyframe.
func TestOutageWithEncodingsOff(t *testing.T) {
	for _, target := range []units.Bitrate{0, 200 * units.Kbps} {
		h := newHall(t)
		sender := h.join(1, simulcast())
		sender.obeying()
		viewer := h.join(2, withTarget(target))
		h.run(time.Second)
		if err := viewer.peer.SetLayer(LayerWish{MID: "0", MaxRID: "q"}); err != nil {
			t.Fatal(err)
		}
		h.run(10 * time.Second)
		if !sender.cameras[2].off {
			t.Fatal("f is still sent")
		}
		if err := viewer.peer.SetLayer(LayerWish{MID: "0"}); err != nil {
			t.Fatal(err)
		}
		for _, c := range sender.cameras { // before it can obey
			c.off = true
		}
		sender.publish = nil
		h.run(2 * time.Second)
		plis, line := sender.plis, viewer.line(sender, KindVideo)
		before := len(line.sent)
		sender.cameras[0].off = false
		h.run(40 * time.Millisecond)
		if len(line.sent) == before || sender.plis != plis {
			t.Errorf("target %s: %d packets and %d keyframe requests after the outage, want the picture to go on",
				target, len(line.sent)-before, sender.plis-plis)
		}
	}
}
