package sfukit

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// newCrowd makes a room of n members with a microphone and a camera each, without
// connections or goroutines.
func newCrowd(tb testing.TB, n, voices, cameras int) *Room {
	tb.Helper()
	cfg, err := Config{AudioTopN: voices, VideoLastN: cameras}.withDefaults()
	if err != nil {
		tb.Fatal(err)
	}
	reg := newRegistry(cfg, &hall{now: time.Unix(1_700_000_000, 0)})
	reg.stepper = &stepper{registry: reg}
	room, err := newRoom(reg, "crowd")
	if err != nil {
		tb.Fatal(err)
	}
	for id := range n {
		reg.network.(*hall).joining = &member{} //nolint:forcetypeassert // it is ours
		p, err := newPeer(room, Join{Room: "crowd", ID: PeerID(id + 1)})
		if err != nil {
			tb.Fatal(err)
		}
		p.pub.publish([]transport.Track{
			{MID: "0", Formats: []transport.Format{{Codec: codec.Opus, PT: 111}}},
			{MID: "1", Video: true, Formats: []transport.Format{{Codec: codec.VP8, PT: 96}}},
		})
		p.joined, p.heard = true, true
		room.peers[p.id] = p
		room.members.Add(p)
	}
	return room
}

// TestSelectionAtRest: in a large room where the same go on to be heard and shown,
// however their loudness varies, a selection makes nothing and wakes nobody.
func TestSelectionAtRest(t *testing.T) {
	for name, cameras := range map[string]int{"some cameras": 4, "all cameras": 0} {
		t.Run(name, func(t *testing.T) {
			room := newCrowd(t, 200, 20, cameras)
			now := time.Unix(1_700_000_000, 0)
			round := 0
			speak := func() {
				round++
				now = now.Add(100 * time.Millisecond)
				for i, p := range room.members.Snapshot()[:20] {
					room.audioLevel(now, p, uint8(20+(i*7+round*11)%30))
				}
			}
			for range 30 {
				speak()
				room.reselect(now)
			}
			for _, p := range room.members.Snapshot() {
				select {
				case <-p.mail.wake:
				default:
				}
			}
			if n := testing.AllocsPerRun(50, func() { speak(); room.reselect(now) }); n > 0 {
				t.Errorf("%v allocations for a selection, want none", n)
			}
			for _, p := range room.members.Snapshot() {
				select {
				case <-p.mail.wake:
					t.Fatalf("%d was woken although nothing changed", p.id)
				default:
				}
			}
		})
	}
}

// BenchmarkSelection is one selection of a room of 200 in which nothing changes.
func BenchmarkSelection(b *testing.B) {
	room := newCrowd(b, 200, 3, 0)
	now := time.Unix(1_700_000_000, 0)
	room.reselect(now)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(tickSlow)
		room.reselect(now)
	}
}
