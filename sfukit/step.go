package sfukit

import (
	"cmp"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seam"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

func init() {
	seam.NewRegistry = func(config any, network transport.Network) (seam.Stepper, error) {
		cfg, err := config.(Config).withDefaults() //nolint:forcetypeassert // only package sim calls it
		if err != nil {
			return nil, err
		}
		r := newRegistry(cfg, network)
		r.stepper = &stepper{registry: r}
		return r.stepper, nil
	}
}

// stepper drives a registry that has no goroutines. What would run in one of
// its own waits in later for the next step.
type stepper struct {
	registry *Registry
	later    []func()
	buffer   resendBuffer
	next     time.Time // when rooms tick
}

// Registry returns what is driven.
func (s *stepper) Registry() *Registry { return s.registry }

// Step implements seam.Stepper. Rooms and peers come in a fixed order, so that
// the same calls give the same decisions. It is meant to be called every millisecond,
// as a probe is paced.
func (s *stepper) Step(now time.Time) {
	rooms := s.registry.Rooms()
	slices.SortFunc(rooms, func(a, b *Room) int { return cmp.Compare(a.id, b.id) })
	for _, room := range rooms {
		room.deliver()
		if !now.Before(room.flushAt) {
			room.flushAt = now.Add(room.flush(&s.buffer))
		}
		if !now.Before(s.next) {
			room.tick(now)
		}
	}
	if !now.Before(s.next) {
		s.next = now.Add(tickInterval)
	}
	for busy := true; busy; {
		busy = len(s.later) > 0
		tasks := s.later
		s.later = nil
		for _, task := range tasks {
			task()
		}
		for _, room := range rooms {
			for _, p := range room.Peers() {
				busy = p.step(now) || busy
			}
		}
	}
}

// step is what run does of itself, without waiting. It reports whether there was
// anything to do.
func (p *Peer) step(now time.Time) bool {
	due := !p.deadline.IsZero() && !now.Before(p.deadline)
	select {
	case <-p.mail.wake:
	default:
		if !due {
			return false
		}
	}
	if !p.started.Load() {
		p.mail.wakeUp() // for when it has
		return false
	}
	p.deadline, _ = p.turn(now)
	return true
}
