package sfukit_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// voice is a microphone that is spoken into or not.
type voice struct {
	talking atomic.Bool
	n       atomic.Int64
}

// level is that of speech, which rises and falls, or of a quiet room (RFC 6464).
func (v *voice) level() uint8 {
	if !v.talking.Load() {
		return 110
	}
	return []uint8{20, 25, 40, 30, 22, 60, 24, 28}[v.n.Add(1)%8]
}

// TestSpeakersAreElected follows a conversation by the audio levels of real
// packets, in two rooms that know nothing of each other.
func TestSpeakersAreElected(t *testing.T) {
	var mu sync.Mutex
	elected := map[sfukit.RoomID][]sfukit.PeerID{}
	virtually(t, func(w *world) {
		voices := map[sfukit.PeerID]*voice{}
		var red, blue []*client
		for id := sfukit.PeerID(1); id <= 5; id++ {
			room, clients := sfukit.RoomID("red"), &red
			if id > 3 {
				room, clients = "blue", &blue
			}
			v := &voice{}
			voices[id] = v
			var mic *source
			c := w.join(room, id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
				mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
			}})
			mic.talk(v.level)
			c.wait("connection", func() bool { return c.peer.Stats().Connected })
			*clients = append(*clients, c)
		}
		dominant := func(c *client, want sfukit.PeerID) sfukit.SpeakerChange {
			t.Helper()
			var last sfukit.SpeakerChange
			c.wait("election", func() bool {
				if len(c.speakers) == 0 {
					return false
				}
				last = c.speakers[len(c.speakers)-1]
				return last.Peer == want && !last.None
			})
			return last
		}
		speak := func(ids ...sfukit.PeerID) {
			for id, v := range voices {
				v.talking.Store(slices.Contains(ids, id))
			}
		}
		speak(2, 4)
		time.Sleep(3 * time.Second)
		for _, c := range red {
			dominant(c, 2)
		}
		for _, c := range blue {
			dominant(c, 4)
		}
		speak(3, 4)
		for _, c := range red {
			dominant(c, 3)
			c.mu.Lock()
			i := slices.IndexFunc(c.speakers, func(s sfukit.SpeakerChange) bool { return s.Elected && s.Peer == 3 })
			if i < 0 || c.speakers[i].Confidence <= 2 {
				t.Errorf("peer %d was told %+v, want an election of 3 with a confidence above 2", c.peer.ID(), c.speakers)
			}
			c.mu.Unlock()
		}
		time.Sleep(3 * time.Second)
		last := dominant(red[0], 3)
		if len(last.Top) != 3 || last.Top[0] != 3 {
			t.Errorf("the loudest are %v, want three with 3 first", last.Top)
		}
		if last = dominant(blue[0], 4); slices.ContainsFunc(last.Top, func(id sfukit.PeerID) bool { return id <= 3 }) {
			t.Errorf("room blue hears of %v: those of room red are among them", last.Top)
		}
		speak(1, 4) // 3 goes, and 1 has the word
		red[2].peer.Close()
		last = dominant(red[0], 1)
		if slices.Contains(last.Top, 3) {
			t.Errorf("the loudest are %v after 3 has left", last.Top)
		}
	}, func(c *sfukit.Config) {
		c.Events.SpeakerChanged = func(room sfukit.RoomID, s sfukit.SpeakerChange) {
			mu.Lock()
			defer mu.Unlock()
			elected[room] = append(elected[room], s.Peer)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if got := elected["red"]; !slices.Equal(got[len(got)-3:], []sfukit.PeerID{2, 3, 1}) {
		t.Errorf("red elected %v, want it to end with 2, 3, 1", got)
	}
	if got := elected["blue"]; got[len(got)-1] != 4 || len(got) > 2 {
		t.Errorf("blue elected %v, want 4 at once, or after one other", got)
	}
}
