package sfukit

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// tickInterval is how often a room looks after its peers: repeats of NACK and
// PLI are due at this grain. tickSlow and tickReports are what is done less often.
const (
	tickInterval = 20 * time.Millisecond
	tickSlow     = 100 * time.Millisecond
	tickReports  = time.Second
)

// Room is a border: media, data, speakers and identities never cross it. A room
// exists while it has a peer; Join makes it. All methods are safe for concurrent
// use.
type Room struct {
	id       RoomID
	registry *Registry
	members  fanout.Group[*Peer]

	holders int // guarded by Registry.mu

	mu        sync.Mutex
	peers     map[PeerID]*Peer // guarded by mu; includes peers that are still joining
	selection selection
	repinned  atomic.Bool            // a client insists on other tracks than at the last selection
	speaker   atomic.Pointer[PeerID] // the dominant one, nil for none

	speakerMu sync.Mutex
	detector  *speaker.Detector // guarded by speakerMu

	// Owned by run.
	nextSpeaker, nextSelection time.Time
	top                        []uint64
	flushAt                    time.Time // when a registry that is stepped flushes next

	news mailbox // for RegistryEvents; filled in the order in which things happen

	pacing chan struct{} // something waits in a shaper
	quit   chan struct{}
	ending sync.WaitGroup // the room's goroutines
}

func newRoom(r *Registry, id RoomID) (*Room, error) {
	detector, err := speaker.New(r.config.Speaker)
	if err != nil {
		return nil, err
	}
	room := &Room{
		id: id, registry: r, detector: detector, peers: map[PeerID]*Peer{},
		selection: newSelection(),
		quit:      make(chan struct{}),
		pacing:    make(chan struct{}, 1),
	}
	room.news.init()
	if r.stepper == nil {
		room.ending.Go(room.run)
		room.ending.Go(room.runPacer)
		room.ending.Go(room.tell)
	}
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

// stop ends the room's goroutines; the room has no peers any more.
func (r *Room) stop() {
	close(r.quit)
	if r.registry.stepper != nil {
		r.deliver()
		return
	}
	r.ending.Wait()
}

func (r *Room) run() {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-ticker.C:
			r.tick(r.registry.network.Now()) // not when it was due
		}
	}
}

// tick does what is due every tickInterval.
func (r *Room) tick(now time.Time) {
	for _, p := range r.members.Snapshot() {
		p.tick(now)
	}
	if !now.Before(r.nextSpeaker) {
		r.nextSpeaker = now.Add(r.detector.Interval())
		r.top = r.electSpeaker(now, r.top)
	}
	if r.limited() && !now.Before(r.nextSelection) {
		r.nextSelection = now.Add(tickSlow)
		r.reselect(now)
	}
}

// tell runs the application's RegistryEvents until the room ends. It has a goroutine
// of its own, since they take as long as they like.
func (r *Room) tell() {
	for {
		r.deliver()
		select {
		case <-r.quit:
			r.deliver()
			return
		case <-r.news.wake:
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
		if !r.limited() {
			p.subscribeTo(o.published())
			o.subscribeTo(p.published())
		}
	}
	if r.limited() {
		r.reselectLocked(r.registry.network.Now())
	}
	if f := r.registry.config.Events.PeerJoined; f != nil {
		r.news.keep(func() { f(r.id, p.id) })
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
	delete(r.selection.spoke, p.id)
	gone := p.published()
	for _, o := range r.members.Snapshot() {
		if !r.limited() {
			o.unsubscribeFrom(gone)
		}
		o.emitLeft(p.id, why)
	}
	if r.limited() { // so that a line which is free is given away in one go
		r.reselectLocked(r.registry.network.Now())
	}
	r.registry.counters.leaves[why].Add(1)
	if f := r.registry.config.Events.PeerLeft; f != nil {
		r.news.keep(func() { f(r.id, p.id, why) })
	}
}

// republish tells the others that p's tracks have changed.
func (r *Room) republish(p *Peer, added, removed []*track) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !p.joined {
		return // before, enter will show it; after, nobody wants it
	}
	now := r.registry.network.Now()
	for _, t := range added {
		if len(t.encodings) > 1 {
			t.setWanted(now, len(t.encodings))
		}
	}
	if r.limited() {
		r.reselectLocked(now)
		return
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
	top := r.detector.Loudest(now, r.registry.config.SpeakerTop, nil)
	dominant, some := r.detector.Dominant()
	r.speakerMu.Unlock()
	r.setDominant(now, PeerID(dominant), some)
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
			r.emit(func() { f(r.id, report) })
		}
	}
	return top
}

// setDominant notes who is the dominant speaker; some is false for nobody.
func (r *Room) setDominant(now time.Time, id PeerID, some bool) {
	if before, was := r.dominant(); before == id && was == some {
		return
	}
	if !some {
		r.speaker.Store(nil)
		return
	}
	r.speaker.Store(&id)
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[id]; p != nil && p.joined {
		r.selection.spoke[id] = now
	}
}

// dominant returns the dominant speaker, if there is one.
func (r *Room) dominant() (PeerID, bool) {
	if id := r.speaker.Load(); id != nil {
		return *id, true
	}
	return 0, false
}

// relayData passes one message on to everybody else in the room.
func (r *Room) relayData(from *Peer, channel int, text bool, msg []byte) {
	for _, p := range r.members.Snapshot() {
		if p != from {
			p.countData(p.conn.SendData(channel, text, msg))
		}
	}
}
