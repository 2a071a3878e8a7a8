package sfukit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// showing says what a line has shown since a time: encodings in the order of their
// appearance.
func (m *member) showing(from *member, since time.Time) (rids []string) {
	l := m.line(from, KindVideo)
	if l == nil {
		return nil
	}
	for i := range l.sent {
		p := &l.sent[i]
		if p.at.Before(since) || p.header.PayloadType != 96 {
			continue
		}
		if rid, _ := p.mark(); len(rids) == 0 || rids[len(rids)-1] != rid {
			rids = append(rids, rid)
		}
	}
	return rids
}

// watching has one viewer of cameras that differ by their options.
func watching(t *testing.T, target units.Bitrate, cameras ...clientOption) (h *hall, viewer *member, senders []*member) {
	t.Helper()
	h = newHall(t)
	for i, c := range cameras {
		senders = append(senders, h.join(PeerID(i+1), c))
	}
	h.run(2 * time.Second)
	viewer = h.join(100, withTarget(target))
	return h, viewer, senders
}

// TestTracksShareOneBudget has cameras of 100, 300 and 900 kbit/s compete for budgets
// that carry only some of that.
func TestTracksShareOneBudget(t *testing.T) {
	for _, v := range []struct {
		cameras int
		budget  units.Bitrate
		want    []string // what is shown in the end, sorted
	}{
		{1, 500 * units.Kbps, []string{"h"}},
		{3, 250 * units.Kbps, []string{"q", "q"}}, // the third has no place
		{3, 500 * units.Kbps, []string{"q", "q", "q"}},
		{3, 700 * units.Kbps, []string{"h", "q", "q"}},
		{3, 1100 * units.Kbps, []string{"h", "h", "h"}},
		{3, 2 * units.Mbps, []string{"f", "h", "h"}},
		{9, 1500 * units.Kbps, []string{"h", "h", "q", "q", "q", "q", "q", "q", "q"}},
	} {
		t.Run(fmt.Sprintf("%d cameras in %s", v.cameras, v.budget), func(t *testing.T) {
			h, viewer, senders := watching(t, v.budget, slices.Repeat([]clientOption{simulcast()}, v.cameras)...)
			h.run(20 * time.Second)
			since := h.now
			if rate := viewer.rate(func() { h.run(5 * time.Second) }); rate > v.budget {
				t.Errorf("%s are sent", rate)
			}
			var got []string
			for _, s := range senders {
				got = append(got, viewer.showing(s, since)...)
			}
			slices.Sort(got)
			if !slices.Equal(got, v.want) {
				t.Errorf("shown are %v, want %v", got, v.want)
			}
		})
	}
}

// TestWhoGetsMore gives one of three cameras a reason to come before the others.
func TestWhoGetsMore(t *testing.T) {
	const budget = 700 * units.Kbps // for h once and q twice
	last := func(viewer *member, senders []*member, h *hall) []string {
		since := h.now
		h.run(3 * time.Second)
		var got []string
		for _, s := range senders {
			got = append(got, viewer.showing(s, since)...)
		}
		return got
	}
	check := func(t *testing.T, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("cameras show %v, want %v", got, want)
		}
	}
	t.Run("screen share", func(t *testing.T) {
		h, viewer, senders := watching(t, budget, simulcast(), simulcast(), simulcast(asScreen))
		h.run(10 * time.Second)
		check(t, last(viewer, senders, h), "q", "q", "h")
	})
	t.Run("priority", func(t *testing.T) {
		h, viewer, senders := watching(t, budget, simulcast(), simulcast(), simulcast(asScreen))
		h.run(10 * time.Second)
		if err := viewer.peer.SetLayer(LayerWish{MID: viewer.line(senders[1], KindVideo).mid, Priority: 1}); err != nil {
			t.Fatal(err)
		}
		h.run(time.Second) // a more important track waits for nothing
		check(t, last(viewer, senders, h), "q", "h", "q")
	})
	t.Run("speaker", func(t *testing.T) {
		talking := PeerID(1)
		voice := mic(func(m *member) int {
			if m.peer.ID() == talking {
				return 20
			}
			return 110
		})
		both := func(m *member, j *Join) { simulcast()(m, j); voice(m, j) }
		h, viewer, senders := watching(t, budget+100*units.Kbps, both, both, both)
		h.run(10 * time.Second)
		check(t, last(viewer, senders, h), "h", "q", "q")
		talking = 3
		h.run(4 * time.Second) // for the election
		check(t, last(viewer, senders, h), "q", "q", "h")
	})
}

// TestLoweringIsImmediate lets the estimate fall, and rise again: the first is acted
// on with the feedback that says so, the second when it has lasted.
func TestLoweringIsImmediate(t *testing.T) {
	h, viewer, _ := watching(t, 2*units.Mbps, simulcast())
	h.run(10 * time.Second)
	rung := func() (d allocate.Decision, rid SfuRid) {
		x := viewer.peer.Explain()[0]
		if x.Decided != nil {
			rid = x.Decided.RID
		}
		return viewer.peer.lines[0].decision, rid
	}
	if _, rid := rung(); rid != "f" {
		t.Fatalf("%s is decided on with 2 Mbit/s, want f", rid)
	}
	for _, low := range []struct {
		target units.Bitrate
		rid    SfuRid
	}{{400 * units.Kbps, "h"}, {150 * units.Kbps, "q"}, {10 * units.Kbps, ""}} {
		viewer.target = low.target
		viewer.feedback()
		if d, rid := rung(); rid != low.rid || d.Reason != ReasonBandwidth && d.Reason != ReasonSuspend {
			t.Errorf("with the feedback that leaves %s, %q is decided on for %s, want %q", low.target, rid, d.Reason, low.rid)
		}
		h.run(200 * time.Millisecond) // round trip for the keyframe, a frame, what is queued
		if rate := viewer.rate(func() { h.run(time.Second) }); rate > low.target {
			t.Errorf("%s are sent in the second after, want at most %s", rate, low.target)
		}
	}
	viewer.target = 2 * units.Mbps
	took := h.until("f again", 30*time.Second, func() bool { _, rid := rung(); return rid == "f" })
	if took < 2*time.Second {
		t.Errorf("f came back after %s, want proof first", took)
	}
}

// TestTopEncodingStops: a publisher that stops its best encoding is shown in the next
// one, and in the best again when it is back.
func TestTopEncodingStops(t *testing.T) {
	h, viewer, senders := watching(t, 5*units.Mbps, simulcast())
	h.run(10 * time.Second)
	f := senders[0].cameras[2]
	line := viewer.line(senders[0], KindVideo)
	current := func() string { rid, _ := line.sent[len(line.sent)-1].mark(); return rid }
	if current() != "f" {
		t.Fatalf("%s is shown, want f", current())
	}
	for _, again := range []time.Duration{200 * time.Millisecond, 4 * time.Second} { // see allocate on what keeps falling silent
		f.off = true
		if took := h.until("h", 5*time.Second, func() bool { return current() == "h" }); took > time.Second {
			t.Errorf("h comes %s after f has stopped, want a second at most", took)
		}
		h.run(3 * time.Second)
		f.off = false
		took := h.until("f", 30*time.Second, func() bool { return current() == "f" })
		if c := viewer.layers[line.mid]; took > again || c.RID != "f" || c.Paused {
			t.Errorf("f is shown %s after it is back, want at most %s; the client was told %+v", took, again, c)
		}
		h.run(5 * time.Second) // it is known again to run at 30 frames a second
	}
}

// TestTemporalLayersAreUsed has a budget for half of a camera's frames.
func TestTemporalLayersAreUsed(t *testing.T) {
	h, viewer, senders := watching(t, 600*units.Kbps, single(800*units.Kbps, inThree))
	h.run(10 * time.Second)
	l := viewer.line(senders[0], KindVideo)
	from := len(l.sent)
	if rate := viewer.rate(func() { h.run(4 * time.Second) }); rate > 600*units.Kbps || rate < 350*units.Kbps {
		t.Errorf("%s are sent, want the 400 kbit/s of two layers", rate)
	}
	frames := 0
	for i := from + 1; i < len(l.sent); i++ {
		a, b := &l.sent[i-1], &l.sent[i]
		if _, tid := b.mark(); tid > 1 {
			t.Fatalf("a packet of layer %d is sent", tid)
		}
		if b.header.SequenceNumber != a.header.SequenceNumber+1 {
			t.Errorf("number %d follows %d", b.header.SequenceNumber, a.header.SequenceNumber)
		}
		if b.header.Timestamp != a.header.Timestamp {
			frames++
			pid := func(p *sentPacket) int { return int(p.payload[2]&0x7f)<<8 | int(p.payload[3]) }
			if pid(b) != (pid(a)+1)&0x7fff {
				t.Errorf("picture %d follows %d", pid(b), pid(a))
			}
			if !a.header.Marker {
				t.Errorf("packet %d ends a frame without a marker", a.header.SequenceNumber)
			}
		}
	}
	if frames < 55 || frames > 62 {
		t.Errorf("%d frames in 4 s, want 60", frames)
	}
	if c := viewer.layers[l.mid]; c.Temporal != 1 {
		t.Errorf("the client was told %+v, want temporal layer 1", c)
	}
	viewer.target = 2 * units.Mbps
	h.until("all layers", 10*time.Second, func() bool { return viewer.layers[l.mid].Temporal == 2 })
}

// TestModesAreToldOnce goes down and up, and hears of every mode once, as the peer and
// as the registry.
func TestModesAreToldOnce(t *testing.T) {
	var heard []VideoMode
	h := newHall(t, func(c *Config) {
		c.Events.ModeChanged = func(room RoomID, id PeerID, m ModeChange) {
			if room != "hall" || id != 100 {
				t.Errorf("mode of %s/%d, want that of hall/100", room, id)
			}
			heard = append(heard, m.Mode)
		}
	})
	h.join(1, simulcast())
	viewer := h.join(100, withTarget(2*units.Mbps))
	h.run(8 * time.Second)
	for _, v := range []struct {
		target units.Bitrate
		want   VideoMode
	}{
		{50 * units.Kbps, ModeAudioOnly},
		{5 * units.Kbps, ModeSuspended},
		{2 * units.Mbps, ModeVideo},
		{5 * units.Kbps, ModeSuspended},
		{2 * units.Mbps, ModeVideo},
	} {
		viewer.target = v.target
		viewer.feedback()
		h.run(15 * time.Second)
		if m := viewer.modes[len(viewer.modes)-1]; m.Mode != v.want || m.Budget != v.target {
			t.Errorf("the last the peer was told with %s is %s at %s, want %s", v.target, m.Mode, m.Budget, v.want)
		}
	}
	var told []VideoMode
	for _, m := range viewer.modes {
		told = append(told, m.Mode)
	}
	// Audio only lies between suspended and video, both ways.
	want := []VideoMode{
		ModeAudioOnly, ModeSuspended, ModeAudioOnly, ModeVideo, ModeAudioOnly, ModeSuspended, ModeAudioOnly, ModeVideo,
	}
	if !slices.Equal(told, want) {
		t.Errorf("the peer was told %v, want %v", told, want)
	}
	if !slices.Equal(heard, told) {
		t.Errorf("the registry was told %v, the peer %v", heard, told)
	}
}
