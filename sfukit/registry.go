package sfukit

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/tasks"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// Registry is a node: its sockets, and the rooms that use them. All methods are
// safe for concurrent use. The zero Registry is not usable; see NewRegistry.
type Registry struct {
	config   Config
	network  transport.Network
	stepper  *stepper      // nil: rooms and peers have goroutines
	sources  atomic.Uint32 // the last rewrite.Source given out
	domains  atomic.Uint32 // the last clock domain given out
	tracks   atomic.Uint64 // the last track id given out
	counters counters
	// dataLimits is how much of each data channel may wait for the application.
	dataLimits []int

	mu     sync.Mutex
	rooms  map[RoomID]*Room // guarded by mu
	closed bool             // guarded by mu
	ending int              // rooms without peers whose goroutine has not ended; guarded by mu
	empty  *sync.Cond       // on mu: no room is left

	closers   tasks.Group // goroutines that close peers
	closeOnce sync.Once
	closeErr  error
}

// NewRegistry checks the configuration, opens the sockets and returns a node
// without rooms. The caller must Close it.
func NewRegistry(cfg Config) (*Registry, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	stackConfig, err := cfg.stack()
	if err != nil {
		return nil, err
	}
	network, err := openNetwork(stackConfig)
	if err != nil {
		return nil, err
	}
	return newRegistry(cfg, network), nil
}

func newRegistry(cfg Config, network transport.Network) *Registry {
	r := &Registry{config: cfg, network: network, rooms: map[RoomID]*Room{}}
	r.empty = sync.NewCond(&r.mu)
	for _, c := range transportChannels(cfg.DataChannels) {
		r.dataLimits = append(r.dataLimits, c.MaxBuffered)
	}
	return r
}

// background runs f beside the caller, who must not wait.
func (r *Registry) background(f func()) {
	if r.stepper != nil {
		r.stepper.later = append(r.stepper.later, f)
		return
	}
	r.closers.Go(f)
}

// stack translates the configuration for pionx; it opens the TCP listener.
func (c Config) stack() (pionx.Config, error) {
	port := uint16(max(c.UDPPort, 0))
	listen := netip.AddrPortFrom(netip.IPv6Unspecified(), port)
	if c.BindAddress != "" {
		listen = netip.AddrPortFrom(netip.MustParseAddr(c.BindAddress), port)
	}
	sc := pionx.Config{
		Listen: listen, Public: c.PublicIPs, Local: c.LocalIP, Loopback: c.IncludeLoopback,
		Disconnect: c.DisconnectTimeout, Fail: c.FailTimeout,
		Channels: transportChannels(c.DataChannels), Log: c.Logger,
	}
	if c.ICETCPPort != 0 {
		addr := net.JoinHostPort(c.BindAddress, fmt.Sprint(max(c.ICETCPPort, 0)))
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err != nil {
			return sc, fmt.Errorf("sfukit: listen on TCP %s: %w", addr, err)
		}
		sc.TCP = l
	}
	return sc, nil
}

// Config returns the effective configuration: every default filled in.
func (r *Registry) Config() Config { return r.config }

// UDPAddr returns the address of the media socket.
func (r *Registry) UDPAddr() netip.AddrPort { return r.network.Addr() }

// Advertised returns the addresses clients are told to send media to, most
// preferred first.
func (r *Registry) Advertised() []netip.AddrPort { return r.network.Advertised() }

// Room returns a room that has a peer.
func (r *Registry) Room(id RoomID) (*Room, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	room, ok := r.rooms[id]
	return room, ok
}

// Rooms returns the rooms that have a peer, in no order.
func (r *Registry) Rooms() []*Room {
	r.mu.Lock()
	defer r.mu.Unlock()
	rooms := make([]*Room, 0, len(r.rooms))
	for _, room := range r.rooms {
		rooms = append(rooms, room)
	}
	return rooms
}

// acquire returns the room, made if need be, held open until release.
func (r *Registry) acquire(id RoomID) (*Room, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrRegistryClosed
	}
	room, ok := r.rooms[id]
	if !ok {
		var err error
		if room, err = newRoom(r, id); err != nil {
			return nil, err
		}
		r.rooms[id] = room
	}
	room.holders++
	return room, nil
}

// release lets go of a room; the last to do so ends it.
func (r *Registry) release(room *Room) {
	r.mu.Lock()
	room.holders--
	last := room.holders == 0
	if last {
		delete(r.rooms, room.id)
		r.ending++
	}
	r.mu.Unlock()
	if !last {
		return
	}
	room.stop()
	r.mu.Lock()
	r.ending--
	if len(r.rooms) == 0 && r.ending == 0 {
		r.empty.Broadcast()
	}
	r.mu.Unlock()
}

func (r *Registry) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Close ends every call with LeaveShutdown and closes the sockets. It returns
// when every goroutine of the Registry has ended, and may be called again
// and from anywhere but an event.
func (r *Registry) Close() error {
	r.closeOnce.Do(func() { r.closeErr = r.close() })
	return r.closeErr
}

func (r *Registry) close() error {
	r.mu.Lock()
	r.closed = true
	for _, room := range r.rooms {
		for _, p := range room.Peers() {
			p.closeAsync(LeaveShutdown)
		}
	}
	for len(r.rooms) > 0 || r.ending > 0 {
		r.empty.Wait()
	}
	r.mu.Unlock()
	r.closers.Wait()
	return r.network.Close()
}
