package signal_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// fakeRooms is a place with one peer in it and no media.
type fakeRooms struct {
	err        error // what Join returns, if not nil
	early      func(sfukit.PeerEvents)
	publishers []sfukit.PeerID
	joined     chan *fakePeer // capacity 1
}

func newFakeRooms() *fakeRooms { return &fakeRooms{joined: make(chan *fakePeer, 1)} }

func (r *fakeRooms) Join(_ context.Context, j sfukit.Join) (signal.Peer, string, error) {
	if r.err != nil {
		return nil, "", r.err
	}
	p := &fakePeer{join: j, events: make(chan func(sfukit.PeerEvents), 64), calls: make(chan string, 64)}
	if r.early != nil { // waits for Start, as the kit's events do
		p.events <- r.early
	}
	r.joined <- p
	return p, "answer to " + j.Offer, nil
}

func (r *fakeRooms) Publishers(sfukit.RoomID) []sfukit.PeerID { return r.publishers }

// fakePeer notes the calls it gets and emits events on a goroutine of its own.
type fakePeer struct {
	join   sfukit.Join
	events chan func(sfukit.PeerEvents)
	calls  chan string
	work   sync.WaitGroup
	once   sync.Once

	mu  sync.Mutex
	err error // what the next calls return
}

func (p *fakePeer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *fakePeer) call(format string, args ...any) error {
	p.calls <- fmt.Sprintf(format, args...)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Start lets the events flow.
func (p *fakePeer) Start() {
	p.work.Go(func() {
		for f := range p.events {
			f(p.join.Events)
		}
	})
}

func (p *fakePeer) Offer(_ context.Context, sdp string, send func(string)) error {
	err := p.call("offer %s", sdp)
	if err == nil {
		send("answer to " + sdp)
	}
	return err
}

func (p *fakePeer) Answer(_ context.Context, sdp string, id uint64) error {
	return p.call("answer %s %d", sdp, id)
}

func (p *fakePeer) AddICECandidate(c *sfukit.ICECandidate) error {
	if c == nil {
		return p.call("ice end")
	}
	if c.SDPMid == nil || c.UsernameFragment != nil {
		return p.call("ice %+v", c)
	}
	return p.call("ice %s %s", c.Candidate, *c.SDPMid)
}

func (p *fakePeer) SetLayer(w sfukit.LayerWish) error {
	return p.call("layer %s %s %d %d %v", w.MID, w.MaxRID, w.MaxWidth, w.Priority, w.Paused)
}

func (p *fakePeer) HintBandwidth(r units.Bitrate) { _ = p.call("hint %d", int64(r)) }

// Close ends the events, with Closed as the last, and waits for them.
func (p *fakePeer) Close() { p.leave(sfukit.LeaveClosed); p.work.Wait() }

func (p *fakePeer) leave(why sfukit.LeaveReason) {
	p.once.Do(func() {
		p.events <- func(e sfukit.PeerEvents) { e.Closed(why) }
		close(p.events)
		close(p.calls)
	})
}

// stay is one session on a server of its own, seen from the client.
type stay struct {
	t      *testing.T
	client *signal.Client
	rooms  *fakeRooms
	stats  *signal.Stats
	ended  chan signal.CloseStatus
	stop   context.CancelFunc // the server goes away
}

// begin starts a session for peer 7 in room "den" and connects to it.
func begin(t *testing.T, rooms *fakeRooms, s signal.Session) *stay {
	t.Helper()
	st := &stay{t: t, rooms: rooms, stats: new(signal.Stats), ended: make(chan signal.CloseStatus, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	st.stop = cancel
	t.Cleanup(cancel)
	s.Rooms, s.Room, s.Peer = rooms, "den", 7
	url := serve(t, signal.Options{Stats: st.stats}, func(c *signal.Conn) { st.ended <- s.Serve(ctx, c) })
	client, err := signal.Dial(testContext(t), url, signal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(signal.CloseNormal, "") })
	st.client = client
	return st
}

// join does the handshake and returns the peer.
func (s *stay) join() *fakePeer {
	s.t.Helper()
	s.send(signal.Offer{SDP: "o1", Features: []string{signal.FeatureSlots}})
	s.want(signal.Answer{SDP: "answer to o1"}, signal.Welcome{PeerID: 7, Room: "den"})
	if f, ok := s.read().(signal.TracksMap); !ok {
		s.t.Fatalf("got %#v after welcome, want tracks_map", f)
	}
	return <-s.rooms.joined
}

func (s *stay) send(f signal.ClientFrame) {
	s.t.Helper()
	if err := s.client.Send(f); err != nil {
		s.t.Fatalf("send %#v: %v", f, err)
	}
}

func (s *stay) read() signal.ServerFrame {
	s.t.Helper()
	f, err := s.client.Read(testContext(s.t))
	if err != nil {
		s.t.Fatalf("read: %v (%v)", err, s.client.Status())
	}
	return f
}

// want reads frames and compares them as JSON.
func (s *stay) want(frames ...signal.ServerFrame) {
	s.t.Helper()
	for _, f := range frames {
		want, _ := signal.Encode(f)
		got, _ := signal.Encode(s.read())
		if string(got) != string(want) {
			s.t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// wantEnd checks how both sides saw the end. No frame may come before it.
func (s *stay) wantEnd(code signal.CloseCode, reason string) {
	s.t.Helper()
	if f, err := s.client.Read(testContext(s.t)); err == nil {
		s.t.Fatalf("got %#v, want the end", f)
	}
	if got := s.client.Status(); got.Code != code || got.Reason != reason {
		s.t.Errorf("client saw %v, want %d %s", got, code, reason)
	}
	if got := s.end(); got.Code != code {
		s.t.Errorf("Serve returned %v, want %d", got, code)
	}
	if n := s.stats.Snapshot().Ends[code.Label()]; n != 1 {
		s.t.Errorf("%d ends counted for %d, want 1", n, code)
	}
	if n := s.stats.Snapshot().Active; n != 0 {
		s.t.Errorf("%d sessions active after the end", n)
	}
}

// end waits for Serve to return, by which time the peer must have been closed.
func (s *stay) end() signal.CloseStatus {
	s.t.Helper()
	select {
	case got := <-s.ended:
		return got
	case <-time.After(10 * time.Second):
		s.t.Fatal("Serve does not return")
		return signal.CloseStatus{}
	}
}

// wantClosed checks that Serve closed the peer before it returned.
func (p *fakePeer) wantClosed(t *testing.T) {
	t.Helper()
	for {
		select {
		case _, open := <-p.calls:
			if !open {
				return
			}
		default:
			t.Error("the session has ended and the peer has not")
			return
		}
	}
}
