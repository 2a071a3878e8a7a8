package sfukit

import (
	"sync"
	"time"
)

// mailboxLimit bounds how many events wait for a peer's signalling, or for a room's
// RegistryEvents. An application that lets so many pile up has lost its client.
const mailboxLimit = 4096

// mailbox queues a peer's or a room's events for a goroutine of its own. Its mutex is a leaf: it
// may be taken under any other lock and takes none.
type mailbox struct {
	mu       sync.Mutex
	queue    []func() // guarded by mu
	finished bool     // guarded by mu: nothing more may come
	data     int      // bytes of data messages in queue; guarded by mu
	wake     chan struct{}
}

func (m *mailbox) init() { m.wake = make(chan struct{}, 1) }

// put adds an event; false means that the mailbox is full.
func (m *mailbox) put(event func()) bool {
	m.mu.Lock()
	full := len(m.queue) >= mailboxLimit
	if !full && !m.finished {
		m.queue = append(m.queue, event)
	}
	m.mu.Unlock()
	m.wakeUp()
	return !full
}

// keep adds an event that must not be lost, full or not.
func (m *mailbox) keep(event func()) {
	m.mu.Lock()
	m.queue = append(m.queue, event)
	m.mu.Unlock()
	m.wakeUp()
}

// finish adds the last event.
func (m *mailbox) finish(event func()) {
	m.mu.Lock()
	m.queue = append(m.queue, event)
	m.finished = true
	m.mu.Unlock()
	m.wakeUp()
}

// take empties the mailbox; last is true if nothing more will come.
func (m *mailbox) take() (events []func(), last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	events, m.queue = m.queue, nil
	return events, m.finished
}

// wakeUp makes wait return.
func (m *mailbox) wakeUp() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// wait returns when woken or, if it is not zero, at the deadline.
func (m *mailbox) wait(deadline time.Time) {
	if deadline.IsZero() {
		<-m.wake
		return
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-m.wake:
	case <-timer.C:
	}
}

// emit queues one of RegistryEvents, but for those that tell who is there: these are
// kept whatever happens, as there are no more of them than the application had joins.
func (r *Room) emit(event func()) {
	if !r.news.put(event) {
		r.registry.counters.eventsFull.Add(1)
	}
}

// emit queues an event for the peer's signalling.
func (p *Peer) emit(event func()) {
	if !p.mail.put(event) {
		p.registry.counters.eventsFull.Add(1)
		p.closeAsync(LeaveSlow)
	}
}

func (p *Peer) emitJoined(id PeerID) {
	if f := p.events.PeerJoined; f != nil {
		p.emit(func() { f(id) })
	}
}

func (p *Peer) emitLeft(id PeerID, why LeaveReason) {
	if f := p.events.PeerLeft; f != nil {
		p.emit(func() { f(id, why) })
	}
}

func (p *Peer) emitSpeaker(c SpeakerChange) {
	if f := p.events.Speaker; f != nil {
		p.emit(func() { f(c) })
	}
}

// emitLayer queues what a line shows of a track, for as long as it carries that.
func (p *Peer) emitLayer(l *downLine, t *track, c LayerChange) {
	f := p.events.Layer
	if f == nil {
		return
	}
	p.emit(func() {
		p.sub.mu.Lock()
		still := l.track == t
		p.sub.mu.Unlock()
		if still {
			f(c)
		}
	})
}

func (p *Peer) emitMode(c ModeChange) {
	if f := p.events.Mode; f != nil {
		p.emit(func() { f(c) })
	}
	if f := p.registry.config.Events.ModeChanged; f != nil {
		p.room.emit(func() { f(p.room.id, p.id, c) })
	}
}

func (p *Peer) emitPublishLayers(c PublishLayers) {
	if f := p.events.PublishLayers; f != nil {
		p.emit(func() { f(c) })
	}
}

// emitCandidate queues a candidate of ours for the bundled transport, "" for the
// end of them.
func (p *Peer) emitCandidate(attribute string) {
	f := p.events.Candidate
	if f == nil {
		return
	}
	if attribute == "" {
		p.emit(func() { f(nil) })
		return
	}
	line := uint16(0)
	p.emit(func() { f(&ICECandidate{Candidate: attribute, SDPMLineIndex: &line}) })
}

// emitData hands a data message to the application, unless so much of it waits
// already that it must be called slow.
func (p *Peer) emitData(row *DataChannel, limit int, text bool, msg []byte) {
	f := p.events.Data
	if f == nil {
		return
	}
	if !p.mail.reserve(len(msg), limit) {
		p.countData(DataBuffered)
		return
	}
	own := append([]byte(nil), msg...)
	p.emit(func() {
		p.mail.reserve(-len(own), limit)
		f(row.Label, text, own)
	})
}

// reserve adds n bytes to the data that waits, unless that exceeds the limit.
func (m *mailbox) reserve(n, limit int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > 0 && m.data+n > limit {
		return false
	}
	m.data += n
	return true
}
