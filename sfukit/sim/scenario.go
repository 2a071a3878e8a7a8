package sim

import (
	"fmt"
	"slices"
	"time"
)

// A Scenario is what happens to a network and to those who use it. It is a value
// without state: the same scenario may be run with many policies.
type Scenario struct {
	// Name is short and unique in a catalogue; it names plots and tests.
	Name string
	// About says where the scenario comes from and what it is for.
	About string
	// Duration is how long it lasts.
	Duration time.Duration
	// Settle is when measuring begins; what happens before is in the plot only.
	Settle time.Duration
	// Seed decides all that is random. Runs of the same seed are the same.
	Seed uint64
	// Down is the way from the sender, which all flows share, and Up the way back
	// of feedback.
	Down, Up LinkConfig
	// Call puts a room between publishers and the bottleneck; there are no Flows
	// then.
	Call *Call
	// Flows are the senders under test.
	Flows []FlowConfig
	// Back are senders under test in the other direction: they share Up with the
	// feedback of Flows, and theirs shares Down.
	Back []FlowConfig
	// Cross is traffic of others on Down.
	Cross []CrossConfig
}

func (s *Scenario) validate() error {
	switch {
	case s.Duration <= 0:
		return fmt.Errorf("%w: Duration %v, want more than 0", ErrConfig, s.Duration)
	case s.Settle < 0 || s.Settle >= s.Duration:
		return fmt.Errorf("%w: Settle %v, want 0 to Duration %v", ErrConfig, s.Settle, s.Duration)
	case (len(s.Flows) == 0) == (s.Call == nil):
		return fmt.Errorf("%w: %d Flows and Call set: %v, want one of the two", ErrConfig, len(s.Flows), s.Call != nil)
	}
	return nil
}

// sampleInterval is how far apart the points of a plot are.
const sampleInterval = 50 * time.Millisecond

// Run lets the scenario happen under a policy. The error wraps [ErrConfig].
func (s Scenario) Run(p Policy) (Result, error) {
	r, err := s.run(p)
	if err != nil {
		return Result{}, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return r, nil
}

func (s *Scenario) run(p Policy) (Result, error) {
	if err := s.validate(); err != nil {
		return Result{}, err
	}
	e := NewEngine(s.Seed)
	down, err := NewLink(e, "down", s.Down)
	if err != nil {
		return Result{}, err
	}
	up, err := NewLink(e, "up", s.Up)
	if err != nil {
		return Result{}, err
	}
	r := recorder{scenario: s, policy: p.Name, down: down}
	var call *world
	if s.Call != nil {
		call, err = newWorld(e, s, p, down, up)
		r.subjects = call.subjects()
	} else {
		r.subjects, err = s.flows(e, p, down, up)
	}
	if err != nil {
		return Result{}, err
	}
	down.Watch(func(p *Packet, through bool) {
		if p.Flow < len(r.subjects) {
			stats := r.subjects[p.Flow].counts()
			stats.packets++
			if !through {
				stats.lost++
			}
		}
	})
	for i, c := range s.Cross {
		r.cross = append(r.cross, newCross(e, crossFlows+i, c, down, up))
	}
	for e.Elapsed() < s.Duration {
		e.Run(sampleInterval)
		r.sample(e.Elapsed())
	}
	result := r.result()
	if call != nil {
		call.finish(&result)
	}
	return result, nil
}

// crossFlows and backFlows are where the numbers of flows begin that are not
// under test on the downlink.
const (
	backFlows  = 1000
	crossFlows = 2000
)

// flows starts the senders of a scenario without a room.
func (s *Scenario) flows(e *Engine, p Policy, down, up *Link) (subjects []subject, err error) {
	for i, c := range s.Flows {
		f, err := newFlow(e, i, c, p, down, up)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, f)
	}
	for i, c := range s.Back {
		if _, err := newFlow(e, backFlows+i, c, p, up, down); err != nil {
			return nil, err
		}
	}
	return subjects, nil
}

// Find returns the scenario of a name.
func Find(all []Scenario, name string) (Scenario, bool) {
	i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
	if i < 0 {
		return Scenario{}, false
	}
	return all[i], true
}
