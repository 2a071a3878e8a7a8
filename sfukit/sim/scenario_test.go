package sim_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
)

func run(t *testing.T, s sim.Scenario, p sim.Policy) sim.Result {
	t.Helper()
	r, err := s.Run(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBars runs every scenario that a bar speaks of, once.
func TestBars(t *testing.T) {
	results := map[string]sim.Result{}
	find := func(name string) sim.Result {
		r, known := results[name]
		if !known {
			s, found := sim.Find(sim.Scenarios(), name)
			if !found {
				t.Fatalf("a bar speaks of scenario %q, which there is not", name)
			}
			r = run(t, s, sim.Default())
			results[name] = r
		}
		return r
	}
	for _, b := range sim.Bars() {
		t.Run(b.Scenario+"/"+b.What, func(t *testing.T) {
			got, ok := b.Met(find)
			t.Logf("%.4g %s", got, b.Unit)
			if !ok {
				t.Errorf("%.4g %s, want %.4g to %.4g", got, b.Unit, b.Min, b.Max)
			}
		})
	}
}

// Equal seeds give equal decisions, packets and numbers; other seeds do not.
func TestDeterminism(t *testing.T) {
	for _, name := range []string{"wifi", "rfc8867-5.7", "call-loss-burst", "call-nine"} {
		t.Run(name, func(t *testing.T) {
			s, ok := sim.Find(sim.Scenarios(), name)
			if !ok {
				t.Fatal("no such scenario")
			}
			a, b := run(t, s, sim.Default()), run(t, s, sim.Default())
			if !reflect.DeepEqual(a, b) {
				t.Errorf("two runs differ: decisions %x and %x", a.Decisions, b.Decisions)
			}
			s.Seed++
			if c := run(t, s, sim.Default()); c.Decisions == a.Decisions {
				t.Errorf("another seed makes the same decisions, %x", c.Decisions)
			}
		})
	}
}

// Pictures never go back, whatever happens to the packets.
func TestPicturesGoForward(t *testing.T) {
	for _, s := range sim.Scenarios() {
		if s.Call == nil {
			continue
		}
		s.Duration = 20 * time.Second
		s.Down.Reorder = 0.01
		for _, f := range run(t, s, sim.Default()).Flows {
			for _, track := range f.View.Tracks {
				if track.Backwards > 0 {
					t.Errorf("%s: %d of %d pictures are older than the one before", s.Name, track.Backwards, track.Frames)
				}
			}
		}
	}
}

func TestScenarioErrors(t *testing.T) {
	good, _ := sim.Find(sim.Scenarios(), "constant-1M")
	for name, change := range map[string]func(*sim.Scenario){
		"no duration":      func(s *sim.Scenario) { s.Duration = 0 },
		"settles too late": func(s *sim.Scenario) { s.Settle = s.Duration },
		"nobody sends":     func(s *sim.Scenario) { s.Flows = nil },
		"both":             func(s *sim.Scenario) { s.Call = &sim.Call{} },
		"bad link":         func(s *sim.Scenario) { s.Up.Delay = -1 },
		"bad media":        func(s *sim.Scenario) { s.Flows[0].Media = sim.Constant(-1) },
		"bad camera": func(s *sim.Scenario) {
			s.Flows, s.Call = nil, &sim.Call{Publishers: []sim.Publisher{{Cameras: []sim.Camera{{Temporal: 4}}}}}
		},
		"bad room": func(s *sim.Scenario) {
			s.Flows, s.Call = nil, &sim.Call{Config: sfukit.Config{MaxPeersPerRoom: -1}}
		},
	} {
		s := good
		s.Flows = make([]sim.FlowConfig, 1)
		change(&s)
		if _, err := s.Run(sim.Default()); err == nil {
			t.Errorf("%s: Run succeeds", name)
		}
	}
	names := map[string]bool{}
	for _, s := range sim.Scenarios() {
		if names[s.Name] || s.About == "" {
			t.Errorf("scenario %q: twice, or not described", s.Name)
		}
		names[s.Name] = true
	}
}
