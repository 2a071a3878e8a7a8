// Command sim runs the scenarios of package sim with the kit's estimator and with
// others beside it, prints what came out as tables, and draws the rates against the
// capacity.
//
//	go run ./examples/sim -list
//	go run ./examples/sim -scenario step -out plots
//
// To try an estimator of your own, add a sim.Policy to policies.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
)

// options are the command's flags.
type options struct {
	scenario  string
	seed      uint64
	out       string
	baselines bool
	seeds     uint64
	list      bool
}

func main() {
	var o options
	flag.StringVar(&o.scenario, "scenario", "", "run only the scenarios whose name contains `text`")
	flag.Uint64Var(&o.seed, "seed", 0, "use another `seed` than the scenarios' own; 0 for those")
	flag.StringVar(&o.out, "out", "", "write a plot of each scenario as SVG into `directory`, and the tables beside it, into directory.md")
	flag.BoolVar(&o.baselines, "baselines", true, "run the policies that ours is compared with as well")
	flag.Uint64Var(&o.seeds, "seeds", 1, "run our own policy over `n` seeds from that one on, and tell how the calls differ")
	flag.BoolVar(&o.list, "list", false, "say what scenarios there are, and run none")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "sim: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	// pion's estimator needs a bubble of testing/synctest, which needs a test around it.
	everything := func(string, string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: "sim", F: func(t *testing.T) {
		if err := run(t, os.Stdout, o); err != nil {
			fmt.Fprintln(os.Stderr, "sim:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}}}, nil, nil)
}

// preface introduces the tables where they are kept.
const preface = `# Simulated links and calls

Made by ` + "`make sim`" + ` with %s; package ` + "`sfukit/sim`" + ` describes the model, and the scenarios are listed at the end. Time is
virtual and seeds are fixed: the same code gives the same numbers on every machine.

Ours is *sendside*. Beside it stand *kalman*, the estimator of the kit's first generation, *fixed-300k*, one that is stuck,
*loss-only*, which is blind for delay, and *pion-gcc*, the estimator of pion/interceptor. The first three columns of
numbers and all rates are means from the tenth second on; queueing delay is what the packets of the flow waited at the
bottleneck, without their own transmission. *After a change* is how long the estimate took to come below a lower capacity
(↓) or to 90 %% of a higher one (↑).
`

func run(t *testing.T, w io.Writer, o options) error {
	scenarios := selected(o)
	if len(scenarios) == 0 {
		return fmt.Errorf("no scenario has %q in its name", o.scenario)
	}
	if o.list {
		for _, s := range scenarios {
			fmt.Fprintf(w, "%-16s %s\n", s.Name, s.About)
		}
		return nil
	}
	var all []outcome
	for _, s := range scenarios {
		results, err := runAll(t, s, o.baselines)
		if err != nil {
			return err
		}
		more := results[:1:1]
		for i := uint64(1); i < o.seeds && s.Call != nil; i++ {
			again := s
			again.Seed += i
			r, err := again.Run(sim.Default())
			if err != nil {
				return err
			}
			more = append(more, r)
		}
		all = append(all, outcome{s, results, more})
		if o.out != "" {
			if err := save(o.out, s, results); err != nil {
				return err
			}
		}
	}
	if o.out != "" {
		f, err := os.Create(filepath.Clean(o.out) + ".md")
		if err != nil {
			return err
		}
		fmt.Fprintf(f, preface, runtime.Version())
		report(f, all, filepath.Base(o.out))
		if err := f.Close(); err != nil {
			return err
		}
	}
	report(w, all, "")
	return nil
}

// selected returns the scenarios that the flags ask for.
func selected(o options) (out []sim.Scenario) {
	for _, s := range sim.Scenarios() {
		if !strings.Contains(s.Name, o.scenario) {
			continue
		}
		if o.seed != 0 {
			s.Seed = o.seed
		}
		out = append(out, s)
	}
	return out
}

// outcome is a scenario with a result for each policy, ours first, and of ours one
// for each seed.
type outcome struct {
	scenario sim.Scenario
	results  []sim.Result
	seeds    []sim.Result
}

// runAll runs a scenario with every policy.
func runAll(t *testing.T, s sim.Scenario, baselines bool) ([]sim.Result, error) {
	policies := []sim.Policy{sim.Default()}
	if baselines {
		policies = append(policies, sim.Baselines()...)
	}
	var results []sim.Result
	for _, p := range policies {
		r, err := s.Run(p)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	if baselines {
		r, err := runPion(t, s)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// save writes the plot of a scenario.
func save(dir string, s sim.Scenario, results []sim.Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, s.Name+".svg"), plot(s, results), 0o644)
}
