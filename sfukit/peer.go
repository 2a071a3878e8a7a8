package sfukit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/negotiate"
)

// Join says who joins which room, and how.
type Join struct {
	// Room is the room, which comes into being with its first peer.
	Room RoomID
	// ID is the peer's identity in the room; 0 is one like any other. A peer of the
	// same ID leaves first, with LeaveReplaced.
	ID PeerID
	// Offer is the client's session description. It needs at least one m-line; a
	// viewer's data channel will do.
	Offer string
	// Slots says that the client follows PeerEvents.Tracks for m-lines it already
	// has: a line then changes its meaning without a new session description.
	Slots bool
	// Origin says where the peer comes from; the zero value is a local client.
	Origin ClientOrigin
	// Events are told what the peer's signalling has to know.
	Events PeerEvents
}

// ICECandidate is a trickled candidate (W3C RTCIceCandidateInit).
type ICECandidate struct {
	Candidate        string  `json:"candidate"`
	SDPMid           *string `json:"sdpMid,omitempty"`
	SDPMLineIndex    *uint16 `json:"sdpMLineIndex,omitempty"`
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// Peer is one participant of a room: what it publishes, what it watches, and
// the connection both use. Join makes it. All methods are safe for concurrent use.
type Peer struct {
	id       PeerID
	room     *Room
	registry *Registry
	origin   ClientOrigin
	slots    bool
	conn     transport.Conn
	log      *slog.Logger

	joined bool // guarded by Room.mu
	heard  bool // takes part in the speaker election; guarded by Room.speakerMu

	events    PeerEvents
	mail      mailbox
	connected atomic.Bool
	started   atomic.Bool
	deadline  time.Time // of the next turn; owned by the registry's stepper

	// signal serialises everything that touches the connection's descriptions. It
	// is taken before any other lock and never on the packet path.
	signal  sync.Mutex
	machine *negotiate.Machine // guarded by signal
	lines   []*downLine        // guarded by signal
	refused map[*track]bool    // tracks whose codec the client lacks; guarded by signal
	gone    bool               // guarded by signal

	pub publisher
	sub subscriber

	ticks     ticks         // owned by Room.run
	reason    atomic.Uint32 // LeaveReason
	closeOnce sync.Once
	startOnce sync.Once
	joining   chan struct{} // closed when Join is through, one way or the other
	severed   chan struct{} // closed when the peer is out of its room and off the network
	ran       chan struct{} // closed when run has ended
	done      chan struct{} // closed when everything has ended
}

// Join adds a peer to a room and returns it with the answer to its offer. Send
// the answer, then call [Peer.Start]: from then on the peer's events flow.
//
// The error wraps ErrBadJoin, ErrBadOffer, ErrRoomFull or ErrRegistryClosed, or
// is the context's, which is for the call and not for the peer's life. Once the
// offer has been found good, an earlier session of the same peer is closed even
// if the join then fails. A peer that never connects leaves by itself, with
// LeaveICEFailed, after Config.DisconnectTimeout and FailTimeout.
func (r *Registry) Join(ctx context.Context, j Join) (p *Peer, answer string, err error) {
	if j.Room == "" || len(j.Room) > 256 {
		return nil, "", fmt.Errorf("%w: room id of %d bytes, want 1 to 256", ErrBadJoin, len(j.Room))
	}
	if err := r.network.CheckOffer(j.Offer); err != nil {
		r.counters.badOffers.Add(1)
		return nil, "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	room, err := r.acquire(j.Room)
	if err != nil {
		return nil, "", err
	}
	p, err = newPeer(room, j)
	if err != nil {
		r.release(room)
		return nil, "", err
	}
	defer close(p.joining)
	if answer, err = p.connect(ctx, j.Offer); err != nil {
		p.abort()
		return nil, "", err
	}
	return p, answer, nil
}

func newPeer(room *Room, j Join) (*Peer, error) {
	r := room.registry
	p := &Peer{
		refused: map[*track]bool{},
		id:      j.ID, room: room, registry: r, origin: j.Origin, slots: j.Slots, events: j.Events,
		log:     r.config.Logger.With("room", string(room.id), "peer", uint64(j.ID)),
		joining: make(chan struct{}), severed: make(chan struct{}), ran: make(chan struct{}), done: make(chan struct{}),
	}
	p.machine, _ = negotiate.New(negotiate.Config{}) // the zero config is valid by contract
	p.mail.init()
	p.pub.init(p)
	if err := p.sub.init(p); err != nil {
		return nil, err
	}
	return p, nil
}

// connect answers the offer and makes the peer a member. An older session of the
// same peer goes first: from the same address, its packets would reach the old.
func (p *Peer) connect(ctx context.Context, offer string) (answer string, err error) {
	old, err := p.room.reserve(p)
	if err != nil {
		p.registry.counters.roomFull.Add(1)
		return "", err
	}
	if old != nil {
		if err := old.giveWay(ctx); err != nil {
			return "", fmt.Errorf("sfukit: join: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("sfukit: join: %w", err)
	}
	if p.conn, err = p.registry.network.NewConn((*handler)(p)); err != nil {
		return "", fmt.Errorf("sfukit: join: %w", err)
	}
	p.signal.Lock()
	answer, err = p.acceptOfferLocked(offer)
	p.signal.Unlock()
	if err != nil {
		return "", err
	}
	p.room.enter(p)
	if p.registry.isClosed() { // which may have missed it
		p.closeAsync(LeaveShutdown)
	}
	return answer, nil
}

// giveWay ends the peer in favour of its next session, which need not wait for
// this one's events to be taken.
func (p *Peer) giveWay(ctx context.Context) error {
	select {
	case <-p.joining:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.closeAsync(LeaveReplaced)
	select {
	case <-p.severed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Start lets the peer's events flow. Call it once the answer is on its way to
// the client; an event that came before waits until then, and without Start the
// client is told of nobody. Further calls do nothing.
func (p *Peer) Start() {
	p.startOnce.Do(func() {
		p.started.Store(true)
		if p.registry.stepper == nil {
			go p.run()
		}
	})
}

// abort undoes a start that failed.
func (p *Peer) abort() {
	p.closeOnce.Do(func() {
		p.room.leave(p, LeaveClosed)
		if p.conn != nil {
			p.conn.Close()
		}
		close(p.severed)
		p.registry.release(p.room)
		close(p.done)
	})
}

// ID returns the peer's identity in its room.
func (p *Peer) ID() PeerID { return p.id }

// Room returns the room the peer is or was in.
func (p *Peer) Room() *Room { return p.room }

// Origin says where the peer comes from.
func (p *Peer) Origin() ClientOrigin { return p.origin }

// Publishes reports whether the peer sends any track.
func (p *Peer) Publishes() bool {
	p.pub.mu.Lock()
	defer p.pub.mu.Unlock()
	return len(p.pub.tracks) > 0
}

// Done is closed when the peer has left and everything of it has ended.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Reason says why the peer left, LeaveNone while it has not.
func (p *Peer) Reason() LeaveReason { return LeaveReason(p.reason.Load()) }

// Close makes the peer leave and returns when everything of it has ended. It
// may be called again and from anywhere but the peer's own events.
func (p *Peer) Close() { p.close(LeaveClosed) }

// CloseAsync makes the peer leave without waiting for it; see Done.
func (p *Peer) CloseAsync() { p.closeAsync(LeaveClosed) }

// closeAsync closes the peer from where nothing may wait. A registry that has
// ended has closed all its peers.
func (p *Peer) closeAsync(why LeaveReason) {
	p.registry.background(func() { p.close(why) })
}

func (p *Peer) close(why LeaveReason) {
	p.closeOnce.Do(func() {
		p.reason.Store(uint32(why))
		p.connected.Store(false)
		p.room.leave(p, why)
		p.signal.Lock()
		p.gone = true
		p.conn.Close()
		p.signal.Unlock()
		if why == LeaveICEFailed || why == LeaveDTLSFailed {
			p.log.Info("connection lost", "reason", why.String(), "detail", p.conn.LastError())
		}
		p.dropAll()
		close(p.severed)
		p.mail.finish(func() {
			if f := p.events.Closed; f != nil {
				f(why)
			}
		})
		p.Start() // for the last events, if nobody has
		if p.registry.stepper != nil {
			p.turn(p.registry.network.Now())
		} else {
			<-p.ran
		}
		p.registry.release(p.room)
		close(p.done)
	})
	<-p.done
}

// handler is a Peer as its transport sees it.
type handler Peer

// Stream returns what takes the packets of one inbound SSRC.
func (h *handler) Stream(ssrc uint32) transport.Sink {
	p := (*Peer)(h)
	if s := p.pub.stream(ssrc); s != nil {
		return s
	}
	return nil
}

// RTCP takes one feedback or report packet.
func (h *handler) RTCP(now time.Time, packet rtcp.Packet) { (*Peer)(h).receiveRTCP(now, packet) }

// Malformed counts RTCP that cannot be read.
func (h *handler) Malformed() { h.registry.counters.badRTCP.Add(1) }

// State reacts to the connection's life.
func (h *handler) State(s transport.State) {
	p := (*Peer)(h)
	switch s {
	case transport.Misbehaved:
		p.closeAsync(LeaveMisbehaved)
	case transport.Connected:
		if !p.connected.Swap(true) {
			p.log.Debug("connected")
			p.mail.wakeUp()
		}
	case transport.ICEFailed:
		p.closeAsync(LeaveICEFailed)
	case transport.DTLSFailed:
		p.closeAsync(LeaveDTLSFailed)
	case transport.RemoteClosed:
		p.closeAsync(LeaveRemoteClosed)
	}
}

// Candidate passes a late candidate of ours on to the client.
func (h *handler) Candidate(attribute string) { (*Peer)(h).emitCandidate(attribute) }

// Data takes one message of the client.
func (h *handler) Data(channel int, text bool, msg []byte) {
	p := (*Peer)(h)
	p.registry.counters.dataIn.Add(1)
	row := &p.registry.config.DataChannels[channel]
	switch row.Direction {
	case DataRelay:
		p.room.relayData(p, channel, text, msg)
	case DataToServer:
		p.emitData(row, p.registry.dataLimits[channel], text, msg)
	default:
		p.countData(DataWrongWay)
	}
}

// SendData sends one message to the client on the channel with the label,
// without waiting, and says what became of it: DataNoChannel also for a peer that
// has left. The message is borrowed until SendData returns. The error is
// ErrNoChannel, and otherwise nil.
func (p *Peer) SendData(label string, text bool, msg []byte) (DataDrop, error) {
	for i, row := range p.registry.config.DataChannels {
		if row.Label != label {
			continue
		}
		drop := DataWrongWay
		if row.Direction != DataToServer {
			drop = p.conn.SendData(i, text, msg)
		}
		p.countData(drop)
		return drop, nil
	}
	return DataNoChannel, ErrNoChannel
}

func (p *Peer) countData(d DataDrop) { p.registry.counters.data[d].Add(1) }
