package sfukit

import (
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// TestRoomEventsWhenFull has the application take nothing for so long that its
// events no longer fit: who is there is told all the same, and what is lost is counted.
func TestRoomEventsWhenFull(t *testing.T) {
	var there []PeerID
	speakers := 0
	h := newHall(t, func(c *Config) {
		c.Events = RegistryEvents{
			PeerJoined: func(_ RoomID, id PeerID) { there = append(there, id) },
			PeerLeft: func(_ RoomID, id PeerID, _ LeaveReason) {
				there = slices.DeleteFunc(there, func(o PeerID) bool { return o == id })
			},
			SpeakerChanged: func(RoomID, SpeakerChange) { speakers++ },
		}
	})
	h.join(1)
	h.run(time.Millisecond)
	room, _ := h.reg.Room("hall")
	const lost = 3
	for range mailboxLimit + lost {
		room.emit(func() { speakers++ })
	}
	h.join(2)
	h.join(3).peer.Close()
	h.run(2 * time.Millisecond)
	if !slices.Equal(there, []PeerID{1, 2}) || speakers != mailboxLimit {
		t.Errorf("there are %v and %d other events, want [1 2] and %d", there, speakers, mailboxLimit)
	}
	if n := h.reg.Stats().Counters.EventsFull; n != lost {
		t.Errorf("%d events counted as lost, want %d", n, lost)
	}
}

// TestSpeakerEventInTurn elects a speaker while an event waits: that one comes first.
func TestSpeakerEventInTurn(t *testing.T) {
	var told []string
	h := newHall(t, func(c *Config) {
		c.Events.SpeakerChanged = func(RoomID, SpeakerChange) { told = append(told, "speaker") }
	})
	m := h.join(1)
	h.run(time.Millisecond)
	room := m.peer.Room()
	room.emit(func() { told = append(told, "before") })
	some := false
	for now := h.now; !some && now.Before(h.now.Add(10*time.Second)); now = now.Add(20 * time.Millisecond) {
		room.audioLevel(now, m.peer, 10)
		room.electSpeaker(now, nil)
		_, some = room.dominant()
	}
	room.deliver()
	if want := []string{"before", "speaker"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// heartbeat is an estimator that says when it is asked.
type heartbeat struct {
	BandwidthEstimator

	asked chan struct{}
}

func (e heartbeat) Estimate(now time.Time) (bwe.Estimate, bool) {
	select {
	case e.asked <- struct{}{}:
	default:
	}
	return e.BandwidthEstimator.Estimate(now)
}

// TestStuckApplicationDelaysNoFeedback has an event that does not return. The room
// goes on with what it does for its peers.
func TestStuckApplicationDelaysNoFeedback(t *testing.T) {
	stuck, free, asked := make(chan struct{}), make(chan struct{}), make(chan struct{})
	cfg := Config{SfuConfig: SfuConfig{UDPPort: -1, BindAddress: "127.0.0.1"}}
	cfg.NewEstimator = func() BandwidthEstimator {
		e, err := bwe.NewSendSide(bwe.SendSideConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return heartbeat{e, asked}
	}
	cfg.Events.PeerJoined = func(RoomID, PeerID) { close(stuck); <-free }
	reg, err := NewRegistry(cfg)
	if err != nil {
		t.Fatal(err)
	}
	room, err := reg.acquire("room")
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPeer(room, Join{Room: "room", ID: 1})
	if err != nil {
		t.Fatal(err)
	}
	p.connected.Store(true)
	room.enter(p)
	<-stuck
	for range 3 {
		<-asked
	}
	close(free)
	room.leave(p, LeaveClosed)
	reg.release(room)
	if err := reg.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
