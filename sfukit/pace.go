package sfukit

import "time"

// paceInterval is how often a room sends what its shapers hold back, and paceProbing
// while a probe runs, which must be evenly spread. All subscribers' packets leave in
// one burst, so that the socket may batch them.
const (
	paceInterval = 5 * time.Millisecond
	paceProbing  = time.Millisecond
)

// pace has the room send what waits, soon.
func (r *Room) pace() {
	select {
	case r.pacing <- struct{}{}:
	default:
	}
}

// runPacer sends what waits until the room ends. While nothing does, it sleeps. It
// has a goroutine of its own since Room.run has, in a large room, chores of
// milliseconds, which would delay media by as much.
func (r *Room) runPacer() {
	timer := time.NewTimer(paceInterval)
	defer timer.Stop()
	timer.Stop()
	var b resendBuffer
	for running := false; ; {
		select {
		case <-r.quit:
			return
		case <-r.pacing:
			if !running {
				running = true
				timer.Reset(paceProbing)
			}
		case <-timer.C: // what it tells is when it was due
			after := r.flush(&b)
			if running = after > 0; running {
				timer.Reset(after)
			}
		}
	}
}

// flush sends what may leave now. It returns after what time to call again, 0 when
// nothing waits any more. The clock is read for each subscriber: packets are stamped
// with it, and in a large room the last is served milliseconds after the first.
func (r *Room) flush(b *resendBuffer) (after time.Duration) {
	r.registry.network.Cork()
	defer r.registry.network.Uncork()
	for _, p := range r.members.Snapshot() {
		if d := p.sub.flush(r.registry.network.Now(), b); d > 0 && (after == 0 || d < after) {
			after = d
		}
	}
	return after
}
