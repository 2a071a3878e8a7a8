package sfukit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	heardAtOnce = 3
	shownAtOnce = 4
)

// assembly is a large room in which everybody publishes.
type assembly struct {
	*hall
	talking map[PeerID]bool
	noise   func(*rand.Rand) int // level of who does not
}

// newAssembly has n members, every other one with slots, who have a microphone in a
// room with some noise, and a camera.
func newAssembly(t *testing.T, n int) *assembly {
	room := func(r *rand.Rand) int { return 75 + r.IntN(10) }
	a := &assembly{talking: map[PeerID]bool{}, noise: room, hall: newHall(t, func(c *Config) {
		c.AudioTopN, c.VideoLastN = heardAtOnce, shownAtOnce
	})}
	for id := range n {
		a.enter(PeerID(id + 1))
	}
	a.run(2 * time.Second)
	return a
}

func (a *assembly) enter(id PeerID, more ...clientOption) *member {
	random := rand.New(rand.NewPCG(uint64(id), 1))
	// A packet in a tenth of a second is all the camera that is needed here.
	slow := func(c *hallCamera) { c.rate, c.every = 30*units.Kbps, 100*time.Millisecond }
	opts := append([]clientOption{single(0, slow), mic(func(m *member) int {
		if a.talking[id] {
			return []int{20, 25, 40, 30, 22, 60, 24, 28}[random.IntN(8)]
		}
		return a.noise(random)
	}), withTarget(10 * units.Mbps)}, more...)
	if id%2 == 0 {
		opts = append(opts, withSlots)
	}
	m := a.join(id, opts...)
	return m
}

func (a *assembly) speak(ids ...PeerID) {
	clear(a.talking)
	for _, id := range ids {
		a.talking[id] = true
	}
}

// has reports whether a member has been told of a track of a peer.
func (m *member) has(id PeerID, kind Kind) bool {
	for _, i := range m.tracks {
		if i.Peer == id && i.Kind == kind {
			return true
		}
	}
	return false
}

// all reports whether everybody but the peer itself has a track of it.
func (a *assembly) all(id PeerID, kind Kind) bool {
	for _, m := range a.members {
		if m.peer.ID() != id && m.peer.Reason() == LeaveNone && !m.has(id, kind) {
			return false
		}
	}
	return true
}

// check reports who has other than the right number of tracks, or its own.
func (a *assembly) check(what string, audio, video int) {
	a.t.Helper()
	for _, m := range a.members {
		if m.peer.Reason() != LeaveNone {
			continue
		}
		count := map[Kind]int{}
		for _, i := range m.tracks {
			count[i.Kind]++
			if i.Peer == m.peer.ID() {
				a.t.Errorf("%s: %d is sent its own %s", what, i.Peer, i.Kind)
			}
		}
		if n := count[KindAudio]; n != audio && n != audio-1 { // who is heard does not hear itself
			a.t.Errorf("%s: %d has %d audio tracks, want %d", what, m.peer.ID(), n, audio)
		}
		if n := count[KindVideo]; n != video {
			a.t.Errorf("%s: %d has %d video tracks, want %d", what, m.peer.ID(), n, video)
		}
		if n := len(m.lines); n > heardAtOnce+shownAtOnce {
			a.t.Errorf("%s: %d has %d lines, which %d would do for", what, m.peer.ID(), n, heardAtOnce+shownAtOnce)
		}
	}
}

// TestLargeRoom has thirty people publish, of whom a few are heard and shown.
func TestLargeRoom(t *testing.T) {
	a := newAssembly(t, 30)
	a.check("at first", heardAtOnce, shownAtOnce)
	var longest, longestShown time.Duration
	before := map[*member]int{}
	for _, m := range a.members {
		before[m] = m.updates
	}
	began, turns := a.now, 0
	for _, id := range []PeerID{17, 4, 29, 17, 8, 21, 12, 4, 30, 1} {
		a.speak(id)
		turns++
		longest = max(longest, a.until("the speaker to be heard", 2*time.Second, func() bool { return a.all(id, KindAudio) }))
		longestShown = max(longestShown, a.until("the speaker to be shown", 4*time.Second, func() bool { return a.all(id, KindVideo) }))
		a.run(3 * time.Second)
		a.check(fmt.Sprintf("while %d speaks", id), heardAtOnce, shownAtOnce)
	}
	// A tick of the selection, and for clients without slots a round of negotiation.
	if longest > 300*time.Millisecond {
		t.Errorf("a speaker was heard by all %s after it began, want 300 ms at most", longest)
	}
	if longestShown > 2*time.Second {
		t.Errorf("a speaker was shown to all %s after it began, want 2 s at most", longestShown)
	}
	most := 0
	for _, m := range a.members {
		most = max(most, m.updates-before[m])
	}
	// A turn takes one voice and one camera in and one of each out.
	if limit := 8 * turns; most > limit {
		t.Errorf("%d lines changed their meaning at one client in %s with %d turns, want at most %d", most, a.now.Sub(began), turns, limit)
	}
	t.Logf("heard after %s, shown after %s at most; at most %d changes at a client in %d turns", longest, longestShown, most, turns)
}

// TestNoiseMovesFew lets one speak in a large room where the others make the noise
// of a room, and then type and cough.
func TestNoiseMovesFew(t *testing.T) {
	a := newAssembly(t, 30)
	a.speak(5)
	a.run(10 * time.Second)
	changes := func() (n int) {
		for _, m := range a.members {
			n += m.updates
		}
		return n
	}
	const span = 20 * time.Second
	for _, v := range []struct {
		what  string
		noise func(*rand.Rand) int
		limit float64 // changes at one client; two of each voice, one of who goes
	}{
		{"the noise of a room", a.noise, 0},
		{"typing", func(r *rand.Rand) int {
			if r.IntN(20) == 0 {
				return 40 + r.IntN(20)
			}
			return 75 + r.IntN(10)
		}, 2 * (float64(span/voicePause) + heardAtOnce)},
	} {
		a.noise = v.noise
		before := changes()
		a.run(span)
		per := float64(changes()-before) / float64(len(a.members))
		if per > v.limit {
			t.Errorf("%s: %.1f changes of lines at each client in %s, want %.0f at most", v.what, per, span, v.limit)
		}
		t.Logf("%s: %.1f changes of lines at each client in %s", v.what, per, span)
		if !a.all(5, KindAudio) {
			t.Errorf("%s: who speaks is not heard by all", v.what)
		}
	}
	a.speak(6)
	took := a.until("a new speaker to be heard through it", 5*time.Second, func() bool { return a.all(6, KindAudio) })
	t.Logf("a new speaker is heard after %s", took)
}

// TestPlacesAreFreed has those leave who hold places.
func TestPlacesAreFreed(t *testing.T) {
	a := newAssembly(t, 12)
	a.speak(3)
	a.until("3 to be shown", 4*time.Second, func() bool { return a.all(3, KindVideo) })
	for _, id := range []int{3, 1, 2} {
		a.members[id-1].peer.Close()
		a.run(500 * time.Millisecond)
		a.check(fmt.Sprintf("after %d left", id), heardAtOnce, shownAtOnce)
	}
	for len(a.room().Peers()) > 3 {
		a.room().Peers()[0].Close()
		a.run(200 * time.Millisecond)
	}
	a.run(time.Second)
	a.check("among three", 2, 2)
	if n := len(a.room().selection.spoke); n > 3 {
		t.Errorf("%d peers are remembered to have spoken, of 3", n)
	}
}

func (a *assembly) room() *Room {
	r, _ := a.reg.Room("hall")
	return r
}

// TestRelaysAreHeard has a relay, which says no levels, in a room of loud people.
func TestRelaysAreHeard(t *testing.T) {
	a := newAssembly(t, 8)
	a.enter(90, asRelay)
	a.enter(91, asRelay)
	a.enter(92, asRelay)
	a.enter(93, asRelay)
	a.speak(1, 2, 3)
	a.run(5 * time.Second)
	for id := PeerID(90); id < 94; id++ {
		if !a.all(id, KindAudio) {
			t.Errorf("relay %d is not heard by all", id)
		}
	}
	for id := PeerID(1); id <= 3; id++ {
		if !a.all(id, KindAudio) {
			t.Errorf("%d speaks, and is not heard by all: relays took its place", id)
		}
	}
}

// TestUnknownLoudness: a peer whose packets carry no levels is heard while there is a
// place, and disturbs nobody.
func TestUnknownLoudness(t *testing.T) {
	h := newHall(t, func(c *Config) { c.AudioTopN = 2 })
	talking := PeerID(0)
	level := mic(func(m *member) int {
		if m.peer.ID() == talking {
			return 20
		}
		return 100
	})
	var members []*member
	for id := PeerID(1); id <= 3; id++ {
		members = append(members, h.join(id, mic(nil)))
	}
	listener := h.join(100)
	h.run(3 * time.Second)
	if len(listener.tracks) != 2 || !listener.has(1, KindAudio) || !listener.has(2, KindAudio) {
		t.Errorf("of three without levels, heard are %v, want the first two", listener.tracks)
	}
	members = append(members, h.join(4, level), h.join(5, level))
	h.run(time.Second)
	talking = 5
	h.run(time.Second)
	if !listener.has(5, KindAudio) || len(listener.tracks) != 2 {
		t.Errorf("heard are %v, want 5 among two", listener.tracks)
	}
	for _, m := range members[3:] {
		m.peer.Close()
	}
	h.run(time.Second)
	if len(listener.tracks) != 2 || !listener.has(1, KindAudio) || !listener.has(2, KindAudio) {
		t.Errorf("heard are %v after those with levels have left, want the first two again", listener.tracks)
	}
}

// TestPinsKeepTheirPlace: what a client has given a priority stays, for that client,
// whoever speaks.
func TestPinsKeepTheirPlace(t *testing.T) {
	a := newAssembly(t, 12)
	viewer := a.members[11]
	pinned := PeerID(0)
	for _, i := range viewer.tracks {
		if i.Kind == KindVideo {
			pinned = i.Peer
			if err := viewer.peer.SetLayer(LayerWish{MID: i.MID, Priority: 1}); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	for id := PeerID(1); id <= 11; id++ {
		a.speak(id)
		a.run(3 * time.Second)
		if !viewer.has(pinned, KindVideo) {
			t.Fatalf("%d is not shown to who has pinned it, while %d speaks", pinned, id)
		}
		if id != pinned && !viewer.has(id, KindVideo) {
			t.Errorf("%d speaks and is not shown beside the pin", id)
		}
	}
	a.check("with a pin", heardAtOnce, shownAtOnce)
	shown := 0
	for _, m := range a.members[:11] {
		if m.has(pinned, KindVideo) {
			shown++
		}
	}
	if shown == 11 {
		t.Errorf("the pin of one client holds for all")
	}
}

// TestScreenShareIsShown: a screen comes before those who spoke.
func TestScreenShareIsShown(t *testing.T) {
	a := newAssembly(t, 10)
	a.enter(50, func(m *member, j *Join) {
		ssrc := uint32(j.ID)<<16 | 0x8030
		m.offer = append(m.offer, transport.Track{
			MID: "screen", Video: true, SSRCs: []uint32{ssrc}, Ext: hallExt,
			Formats: []transport.Format{{Codec: codec.VP8, PT: 96, RTXPT: 97}},
		})
		m.camera("screen", "", ssrc, 50*units.Kbps, 1920, asScreen)
	})
	for id := PeerID(1); id <= 8; id++ {
		a.speak(id)
		a.run(2 * time.Second)
	}
	for _, m := range a.members[:10] {
		found := false
		for _, i := range m.tracks {
			found = found || i.Peer == 50 && i.SourceMID == "screen"
		}
		if !found {
			t.Errorf("%d does not see the screen", m.peer.ID())
		}
	}
}

// BenchmarkReselect is what the choice costs in a room of 200, ten times a second.
func BenchmarkReselect(b *testing.B) {
	s := newStage(b, 0)
	s.room.registry.config.AudioTopN, s.room.registry.config.VideoLastN = 3, 9
	for id := range PeerID(200) {
		p := s.peer(b, id+10)
		p.pub.publish([]transport.Track{
			{MID: "0", Formats: []transport.Format{{Codec: codec.Opus, PT: 111}}},
			{MID: "1", Video: true, Formats: []transport.Format{{Codec: codec.VP8, PT: 96}}},
		})
		p.joined = true
		s.room.members.Add(p)
		s.room.speakerMu.Lock()
		s.room.detector.Record(time.Now(), uint64(id), 80)
		s.room.speakerMu.Unlock()
	}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(tickSlow)
		s.room.reselect(now)
	}
}
