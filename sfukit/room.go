package sfukit

import (
	"slices"
	"sync"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// tickInterval is how often a room looks after its peers: repeats of NACK and
// PLI are due at this grain. tickSlow and tickReports are what is done less often.
const (
	tickInterval    = 20 * time.Millisecond
	tickSlow        = 100 * time.Millisecond
	tickReports     = time.Second
	speakerInterval = 300 * time.Millisecond
)

// Room is a border: media, data, speakers and identities never cross it. A room
// exists while it has a peer; Join makes it. All methods are safe for concurrent
// use.
type Room struct {
	id       RoomID
	registry *Registry
	members  fanout.Group[*Peer]

	holders int // guarded by Registry.mu

	mu    sync.Mutex
	peers map[PeerID]*Peer // guarded by mu; includes peers that are still joining

	speakerMu sync.Mutex
	detector  *speaker.Detector // guarded by speakerMu

	news mailbox // for RegistryEvents; filled in the order in which things happen

	quit chan struct{}
	done chan struct{}
}

func newRoom(r *Registry, id RoomID) (*Room, error) {
	detector, err := speaker.New(r.config.Speaker)
	if err != nil {
		return nil, err
	}
	room := &Room{
		id: id, registry: r, detector: detector, peers: map[PeerID]*Peer{},
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	room.news.init()
	go room.run()
	return room, nil
}

// ID returns the room's name.
func (r *Room) ID() RoomID { return r.id }

// Peers returns the peers present, in order of joining.
func (r *Room) Peers() []*Peer { return slices.Clone(r.members.Snapshot()) }

// Peer returns a peer that is present.
func (r *Room) Peer(id PeerID) (*Peer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.peers[id]
	return p, ok && p.joined
}

// stop ends the room's goroutine; the room has no peers any more.
func (r *Room) stop() {
	close(r.quit)
	<-r.done
}

func (r *Room) run() {
	defer close(r.done)
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	var top []uint64
	var nextSpeaker time.Time
	for {
		r.deliver()
		select {
		case <-r.quit:
			r.deliver()
			return
		case <-r.news.wake:
		case now := <-ticker.C:
			for _, p := range r.members.Snapshot() {
				p.tick(now)
			}
			if !now.Before(nextSpeaker) {
				nextSpeaker = now.Add(speakerInterval)
				top = r.electSpeaker(now, top)
			}
		}
	}
}

// deliver tells the application what has happened.
func (r *Room) deliver() {
	events, _ := r.news.take()
	for _, event := range events {
		event()
	}
}

// reserve takes a seat for a peer that is about to join, and returns the peer
// of the same id that must leave first.
func (r *Room) reserve(p *Peer) (old *Peer, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old = r.peers[p.id]; old != nil {
		r.peers[p.id] = p
		return old, nil
	}
	if limit := r.registry.config.MaxPeersPerRoom; limit > 0 && !p.origin.IsRelay() {
		seats := 0
		for _, other := range r.peers {
			if !other.origin.IsRelay() {
				seats++
			}
		}
		if seats >= limit {
			return nil, ErrRoomFull
		}
	}
	r.peers[p.id] = p
	return nil, nil
}

// enter makes a peer with a seat a member, and shows it and the others to each other.
func (r *Room) enter(p *Peer) {
	r.mu.Lock()
	p.joined = true
	others := r.Peers()
	r.members.Add(p)
	if !p.origin.IsRelay() {
		r.speakerMu.Lock()
		p.heard = true // a candidate from its first audio level on
		r.speakerMu.Unlock()
	}
	for _, o := range others {
		p.emitJoined(o.id)
		o.emitJoined(p.id)
		p.subscribeTo(o.published())
		o.subscribeTo(p.published())
	}
	if f := r.registry.config.Events.PeerJoined; f != nil {
		r.news.put(func() { f(r.id, p.id) })
	}
	r.mu.Unlock()
	r.registry.counters.joins.Add(1)
}

// leave takes a peer out, if it is in.
func (r *Room) leave(p *Peer, why LeaveReason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[p.id] == p {
		delete(r.peers, p.id)
	}
	r.speakerMu.Lock()
	p.heard = false
	if r.peers[p.id] == nil { // else its next session speaks on
		r.detector.Remove(uint64(p.id))
	}
	r.speakerMu.Unlock()
	if !p.joined {
		return
	}
	p.joined = false // an offer that is being answered publishes nothing any more
	r.members.Remove(p)
	gone := p.published()
	for _, o := range r.members.Snapshot() {
		o.unsubscribeFrom(gone)
		o.emitLeft(p.id, why)
	}
	r.registry.counters.leaves[why].Add(1)
	if f := r.registry.config.Events.PeerLeft; f != nil {
		r.news.put(func() { f(r.id, p.id, why) })
	}
}

// republish tells the others that p's tracks have changed.
func (r *Room) republish(p *Peer, added, removed []*track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.joined {
		return // before, enter will show it; after, nobody wants it
	}
	for _, o := range r.members.Snapshot() {
		if o != p {
			o.unsubscribeFrom(removed)
			o.subscribeTo(added)
		}
	}
}

// audioLevel feeds the election (RFC 6464 level: 0 loudest, 127 silence).
func (r *Room) audioLevel(now time.Time, p *Peer, level uint8) {
	r.speakerMu.Lock()
	if p.heard {
		r.detector.Record(now, uint64(p.id), level)
	}
	r.speakerMu.Unlock()
}

// electSpeaker runs one election and reports what changed; it returns the order
// of the loudest for the next call.
func (r *Room) electSpeaker(now time.Time, before []uint64) []uint64 {
	r.speakerMu.Lock()
	change, elected := r.detector.Tick(now)
	top := r.detector.Top(r.registry.config.SpeakerTop, nil)
	dominant, some := r.detector.Dominant()
	r.speakerMu.Unlock()
	if !elected && slices.Equal(top, before) {
		return before
	}
	report := SpeakerChange{Peer: PeerID(dominant), None: !some, Elected: elected, Confidence: change.Margin}
	for _, id := range top {
		report.Top = append(report.Top, PeerID(id))
	}
	for _, p := range r.members.Snapshot() {
		p.emitSpeaker(report)
	}
	if elected {
		r.registry.counters.speakers.Add(1)
		if f := r.registry.config.Events.SpeakerChanged; f != nil {
			f(r.id, report)
		}
	}
	return top
}

// relayData passes one message on to everybody else in the room.
func (r *Room) relayData(from *Peer, channel int, text bool, msg []byte) {
	for _, p := range r.members.Snapshot() {
		if p != from {
			p.countData(p.conn.SendData(channel, text, msg))
		}
	}
}
