package sfukit_test

import (
	"maps"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// usage is what the process holds on to.
type usage struct {
	goroutines int
	heap       uint64
}

// steady waits until two readings in a row agree on the goroutines, and returns
// the second.
func steady() usage {
	last := settled(usage{1 << 20, 1 << 40})
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		now := settled(usage{1 << 20, 1 << 40})
		if now.goroutines == last.goroutines {
			return now
		}
		last = now
	}
	return last
}

// settled waits until goroutines and heap no longer exceed the limit; the last
// reading is returned either way.
func settled(limit usage) usage {
	deadline := time.Now().Add(patience)
	for {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now := usage{runtime.NumGoroutine(), m.HeapAlloc}
		if now.goroutines <= limit.goroutines && now.heap <= limit.heap || time.Now().After(deadline) {
			return now
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestChurn lets 500 peers join and leave, eight at a time, with media flowing
// to and from each, and checks that nothing of them remains.
func TestChurn(t *testing.T) {
	const joins, atOnce = 500, 8
	reg := newRegistry(t, func(c *sfukit.Config) { c.DataChannels = []sfukit.DataChannel{{Label: "chat", ID: 1}} })
	visit := func(t *testing.T, id sfukit.PeerID) {
		var cam *source
		c := join(t, reg, sfukit.RoomID([]string{"red", "green", "blue"}[id%3]), id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
			cam = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
		}})
		cam.run(20*time.Millisecond, 1)
		c.wait("connection", func() bool { return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
		c.peer.Close()
		cam.close()
		if err := c.pc.GracefulClose(); err != nil {
			t.Errorf("client %d closes: %v", id, err)
		}
	}
	one := func(id sfukit.PeerID) { t.Run(id.String(), func(t *testing.T) { visit(t, id) }) }
	one(1) // what is made once and kept, is made now
	before := steady()
	var wg sync.WaitGroup
	ids := make(chan sfukit.PeerID)
	for range atOnce {
		wg.Go(func() {
			for id := range ids {
				one(id) // a test of its own, so that it lets go of its client
			}
		})
	}
	for id := range joins {
		ids <- sfukit.PeerID(id + 2)
	}
	close(ids)
	wg.Wait()
	const slack = 1 << 20 // the test's own books of 500 clients
	after := settled(usage{before.goroutines, before.heap + slack})
	t.Logf("goroutines %d before, %d after; heap %d KiB before, %d KiB after %d joins",
		before.goroutines, after.goroutines, before.heap>>10, after.heap>>10, joins)
	if after.goroutines > before.goroutines {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines remain\n%s", after.goroutines-before.goroutines, buf[:runtime.Stack(buf, true)])
	}
	if after.heap > before.heap+slack {
		t.Errorf("heap grew by %d KiB, want at most %d", (after.heap-before.heap)>>10, slack>>10)
	}
	if rooms := reg.Stats().Rooms; len(rooms) != 0 {
		t.Errorf("rooms remain: %v", rooms)
	}
}

func TestCloseIsIdempotentAndFinal(t *testing.T) {
	reg := newRegistry(t)
	a, b := join(t, reg, "room", 1, clientConfig{}), join(t, reg, "room", 2, clientConfig{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(a.peer.Close)
		wg.Go(a.peer.CloseAsync)
	}
	wg.Wait()
	<-a.peer.Done()
	if why := a.peer.Reason(); why != sfukit.LeaveClosed {
		t.Errorf("reason %s, want closed", why)
	}
	for range 2 {
		if err := reg.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	<-b.peer.Done()
	b.wait("its end", func() bool { return b.closed == sfukit.LeaveShutdown })
	if _, err := tryJoin(t, reg, "room", 3, clientConfig{}); err != sfukit.ErrRegistryClosed {
		t.Errorf("join after Close: %v, want ErrRegistryClosed", err)
	}
	if err := a.peer.Offer(t.Context(), viewerOffer, noAnswer(t)); err != sfukit.ErrPeerClosed {
		t.Errorf("offer after Close: %v, want ErrPeerClosed", err)
	}
}

// TestJoinsDuringClose checks that no join slips through a registry that closes.
func TestJoinsDuringClose(t *testing.T) {
	reg := newRegistry(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 20 {
				p, _, err := reg.Join(t.Context(), sfukit.Join{Room: "room", ID: sfukit.PeerID(i*100 + k), Offer: viewerOffer})
				if err != nil {
					return
				}
				_ = p
			}
		})
	}
	time.Sleep(5 * time.Millisecond) // some are in the middle of it
	if err := reg.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
	if n := len(reg.Rooms()); n != 0 {
		t.Errorf("%d rooms remain, want 0", n)
	}
}

// TestGoroutinesPerPeer pins what a connected peer costs in goroutines of ours,
// on top of pion's: one for its events and one per open data channel.
func TestGoroutinesPerPeer(t *testing.T) {
	const peers = 4
	reg := newRegistry(t, func(c *sfukit.Config) { c.DataChannels = []sfukit.DataChannel{{Label: "chat", ID: 1}} })
	for id := range peers {
		c := join(t, reg, "room", sfukit.PeerID(id+1), clientConfig{})
		c.wait("connection", func() bool { return c.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	}
	ours := func() map[string]int {
		buf := make([]byte, 4<<20)
		n := map[string]int{}
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			for _, f := range []string{"sfukit.(*Peer).run(", "sfukit.(*Room).run(", "pionx.(*dataChannels).read("} {
				if strings.Contains(stack, f) {
					n[f]++
				}
			}
		}
		return n
	}
	deadline := time.Now().Add(patience)
	for ours()["pionx.(*dataChannels).read("] < peers && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	want := map[string]int{"sfukit.(*Peer).run(": peers, "sfukit.(*Room).run(": 1, "pionx.(*dataChannels).read(": peers}
	if got := ours(); !maps.Equal(got, want) {
		t.Errorf("goroutines of ours: %v, want %v", got, want)
	}
}
