package sfukit_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var updateBench = flag.String("update-bench", "", "write the tables of TestStack into this Markdown file")

// stackSeeds is how many runs package sim makes, and the stack for a table; in a test
// that makes one.
const stackSeeds = 5

// agreement is by how much a run of the stack may be outside the range of those in
// package sim in when something is reached.
const agreement = 2 * time.Second

// TestStack has the key scenarios happen to the whole stack and to package sim, and
// holds the first to its bars and to the second.
func TestStack(t *testing.T) {
	var rows []stackRow
	for _, s := range stackCalls() {
		t.Run(s.name, func(t *testing.T) {
			row := stackRow{call: &s}
			for seed := uint64(1); seed <= stackSeeds; seed++ {
				if seed == 1 || *updateBench != "" {
					row.stack = append(row.stack, s.run(t, seed))
				}
				if !s.alone {
					row.sim = append(row.sim, s.fast(t, seed))
				}
			}
			rows = append(rows, row)
			t.Logf("stack: %s; %s", row.stack[0].rungs(), &row.stack[0])
			for i := range row.sim {
				t.Logf("sim:   %s; %s", row.sim[i].rungs(), &row.sim[i])
			}
			for _, m := range row.misses(&row.stack[0]) {
				if slices.Contains(s.open, m.bar) {
					t.Logf("known miss: %s", m.text)
				} else {
					t.Error(m.text)
				}
			}
		})
	}
	if *updateBench != "" {
		if err := os.WriteFile(*updateBench, []byte(stackReport(rows)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// String writes what else came of a run.
func (r *stackResult) String() string {
	return fmt.Sprintf("longest freeze %.2f s, audio made up %.2f %%, never came %.2f %%, link lost %.2f %%",
		r.longest().Seconds(), 100*r.concealed, 100*r.silent, 100*r.loss)
}

// stackRow is a scenario with its runs, by seed.
type stackRow struct {
	call       *stackCall
	stack, sim []stackResult
}

// stackMiss is a bar that was not met.
type stackMiss struct{ bar, text string }

// misses holds a run of the stack to the scenario's bars.
func (r *stackRow) misses(run *stackResult) (out []stackMiss) {
	s := r.call
	miss := func(bar, format string, args ...any) {
		out = append(out, stackMiss{bar, fmt.Sprintf(format, args...)})
	}
	for i := range s.phases {
		p, end := &s.phases[i], s.end(i)
		took := run.reached(p, end)
		if took < 0 || took > p.within {
			miss("reached", "phase %d: %s shown after %s s, want within %v", i, wanted(p.want), seconds(took), p.within)
		}
		if !run.kept(p, end) {
			miss("kept", "phase %d: %s not shown in the end", i, wanted(p.want))
		}
		if d := run.below(p.from, p.below); p.below > 0 && (d < 0 || d > time.Second) {
			miss("below", "phase %d: estimate below %v after %s s, want within 1 s", i, p.below, seconds(d))
		}
		if len(r.sim) == 0 {
			continue
		}
		others := collect(r.sim, func(r *stackResult) time.Duration { return r.reached(p, end) })
		if !agrees(took, others) {
			miss("agree", "phase %d: %s shown after %s s, in package sim after %s; want within %v of that range", i, wanted(p.want), seconds(took), spread(others), agreement)
		}
	}
	if d := run.longest(); d > s.freeze {
		miss("freeze", "longest freeze %v, want %v at most", d, s.freeze)
	}
	if run.silent > s.silent {
		miss("silent", "%.2f %% of audio never came, want %.2f %% at most", 100*run.silent, 100*s.silent)
	}
	return out
}

// agrees reports whether a time is within reach of others. Never is negative, and
// agrees with never.
func agrees(d time.Duration, others []time.Duration) bool {
	if d < 0 {
		return slices.Min(others) < 0
	}
	others = slices.DeleteFunc(slices.Clone(others), func(o time.Duration) bool { return o < 0 })
	return len(others) > 0 && d >= slices.Min(others)-agreement && d <= slices.Max(others)+agreement
}

// TestStackStopsSending looks at what arrives: within a second of the link's becoming
// narrow nothing of the best encoding is sent any more, so that nothing comes once a
// full queue has drained, until the end.
func TestStackStopsSending(t *testing.T) {
	calls := stackCalls()
	s := calls[slices.IndexFunc(calls, func(s stackCall) bool { return s.name == "step-down" })]
	r := s.run(t, 1)
	change, from, to := s.phases[1].from, s.down.Rate[0].Rate, s.down.Rate[1].Rate
	drained := stackQueue * time.Duration(from) / time.Duration(to)
	if last, limit := r.top, change+time.Second+drained+oneWay; last < change || last > limit {
		t.Errorf("the last packet of the best encoding came at %v, want between %v and %v", last, change, limit)
	}
}

// stackReport writes the tables.
func stackReport(rows []stackRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# The whole stack beside the simulator

Made with %s by, in 'sfukit': 'go test . -run=TestStack -update-bench=../docs/bench/stack.md'.

Each scenario happens to the whole node, with clients of pion (ICE, DTLS, SRTP, feedback each 50 ms, RTX, redundant
audio) over a virtual network in virtual time, and to the room alone in package 'sfukit/sim', where connections are
made of nothing and audio is not redundant. Link and traffic are those of the simulator at both levels: one 720p
simulcast (q 150, h 500, f 1700 kbit/s), one voice, 20 ms each way, a drop-tail queue of 200 ms.

What was shown is that of the first of %d runs at either level, with the second from which on; – says that the room
chose to send no video. *Reached* is how long after the beginning of each phase the wanted encoding was shown for at least a second:
median, least and most, and in how many runs it was still there at the end of the phase. *Below* is how long after a
drop the estimate came below the new capacity, the median. Freezes are the longest of all runs; the simulator plays out
through a jitter buffer. Audio is what a jitter buffer had to make up, and what never came, in %%: medians. Loss is
that of the link.

| scenario | level | shown | reached s, and kept | below s | freeze s | audio made up | never came | loss |
|---|---|---|---|---|---|---|---|---|
`, runtime.Version(), stackSeeds)
	for i := range rows {
		r := &rows[i]
		r.write(&b, r.call.name, "stack", r.stack)
		if len(r.sim) > 0 {
			r.write(&b, "", "sim", r.sim)
		}
	}
	fmt.Fprintf(&b, "\nThe scenarios, what each phase wants, and which bars the runs of the stack missed: *reached* in time and *kept* to the "+
		"end of the phase, *below* within a second, *freeze* no longer than %s, *silent*: audio that never came, *agree*: "+
		"reached within %.0f s of the range of the simulator. A run may miss one in several phases.\n\n", "allowed (0.5 s, 3.8 s with an outage of 3 s)", agreement.Seconds())
	for i := range rows {
		s := rows[i].call
		fmt.Fprintf(&b, "- '%s': %s.", s.name, s.about)
		for k := range s.phases {
			p := &s.phases[k]
			fmt.Fprintf(&b, " From %.0f s: %s within %.0f s.", p.from.Seconds(), wanted(p.want), p.within.Seconds())
		}
		missed := map[string]int{}
		for k := range rows[i].stack {
			for _, m := range rows[i].misses(&rows[i].stack[k]) {
				missed[m.bar]++
			}
		}
		for _, bar := range slices.Sorted(maps.Keys(missed)) {
			fmt.Fprintf(&b, " **%s** missed %d times.", bar, missed[bar])
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), "'", "`")
}

// write adds a line to the table.
func (r *stackRow) write(b *strings.Builder, name, level string, runs []stackResult) {
	s := r.call
	var reached, below []string
	for i := range s.phases {
		p, end := &s.phases[i], s.end(i)
		took := collect(runs, func(r *stackResult) time.Duration { return r.reached(p, end) })
		kept := 0
		for k := range runs {
			if runs[k].kept(p, end) {
				kept++
			}
		}
		reached = append(reached, fmt.Sprintf("%s %s, %d/%d", wanted(p.want), spread(took), kept, len(runs)))
		if p.below > 0 {
			below = append(below, seconds(median(collect(runs, func(r *stackResult) time.Duration { return r.below(p.from, p.below) }))))
		}
	}
	silent := ""
	if level == "stack" {
		silent = fmt.Sprintf("%.2f", 100*median(collect(runs, func(r *stackResult) float64 { return r.silent })))
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %.2f | %.2f | %s | %.2f |\n", name, level, runs[0].rungs(),
		strings.Join(reached, "; "), strings.Join(below, "; "),
		slices.Max(collect(runs, func(r *stackResult) float64 { return r.longest().Seconds() })),
		100*median(collect(runs, func(r *stackResult) float64 { return r.concealed })), silent,
		100*median(collect(runs, func(r *stackResult) float64 { return r.loss })))
}

func collect[T any](runs []stackResult, f func(*stackResult) T) (out []T) {
	for i := range runs {
		out = append(out, f(&runs[i]))
	}
	return out
}

func median[T cmp.Ordered](x []T) T {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// spread writes a median and its range. Never, which is negative, comes after all.
func spread(x []time.Duration) string {
	x = slices.Clone(x)
	for i := range x {
		if x[i] < 0 {
			x[i] = math.MaxInt64
		}
	}
	return fmt.Sprintf("%s (%s – %s)", seconds(median(x)), seconds(slices.Min(x)), seconds(slices.Max(x)))
}

func seconds(d time.Duration) string {
	if d < 0 || d == math.MaxInt64 {
		return "never"
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

func wanted(encodings []int) string {
	var names []string
	for _, e := range encodings {
		names = append(names, []string{"–", "q", "h", "f"}[e+1])
	}
	return strings.Join(names, "+")
}
