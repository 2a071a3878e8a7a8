package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
)

// report writes the tables: senders alone, calls with a room, and the bars that
// the scenarios at hand can tell about. With a directory, names lead to plots there.
func report(w io.Writer, all []outcome, directory string) {
	senders := [][]string{{
		"scenario", "policy", "estimate ÷ capacity", "5 % – 95 %", "utilisation", "queue p95 ms", "loss %",
		"padding %", "after a change s", "Jain",
	}}
	calls := [][]string{{
		"scenario", "policy", "media kbit/s", "of feasible", "queue p95 ms", "loss %", "padding %",
		"frozen s", "longest s", "by the room", "suspended s", "flips/min", "concealed %", "after a change s",
	}}
	var about []string
	for _, o := range all {
		name := o.scenario.Name
		if directory != "" {
			name = fmt.Sprintf("[%s](%s/%s.svg)", name, directory, name)
		}
		for _, r := range o.results {
			if o.scenario.Call != nil {
				calls = append(calls, callRow(name, o.scenario, r))
			} else {
				senders = append(senders, senderRow(name, r))
			}
			name = ""
		}
		about = append(about, fmt.Sprintf("- `%s`: %s", o.scenario.Name, o.scenario.About))
	}
	if len(senders) > 1 {
		fmt.Fprint(w, "\n## Senders alone\n\n")
		table(w, senders)
	}
	if len(calls) > 1 {
		fmt.Fprint(w, "\n## Calls\n\n")
		table(w, calls)
	}
	if seeds := seedRows(all); len(seeds) > 1 {
		fmt.Fprint(w, "\n## Calls, over seeds\n\n")
		table(w, seeds)
	}
	if bars := barRows(all); len(bars) > 1 {
		fmt.Fprint(w, "\n## Bars\n\n")
		table(w, bars)
	}
	if directory != "" {
		fmt.Fprintf(w, "\n## Scenarios\n\n%s\n", strings.Join(about, "\n"))
	}
}

func senderRow(name string, r sim.Result) []string {
	f := r.Flows[0]
	return []string{
		name, r.Policy, fmt.Sprintf("%.2f", f.Ratio), fmt.Sprintf("%.2f – %.2f", f.Low, f.High),
		fmt.Sprintf("%.2f", r.Utilisation), milliseconds(f.Wait95), fmt.Sprintf("%.2f", 100*f.Loss),
		fmt.Sprintf("%.1f", 100*f.Padding), changes(f), fmt.Sprintf("%.2f", r.Jain),
	}
}

func callRow(name string, s sim.Scenario, r sim.Result) []string {
	f := r.Flows[0]
	v := f.View
	total, longest, room := v.Frozen()
	var suspended time.Duration
	for _, t := range v.Tracks {
		suspended += t.Suspended
	}
	return []string{
		name, r.Policy, fmt.Sprintf("%d", v.Media/1000), fmt.Sprintf("%.2f", v.Share()), milliseconds(f.Wait95),
		fmt.Sprintf("%.2f", 100*f.Loss), fmt.Sprintf("%.1f", 100*f.Padding), seconds(total), seconds(longest),
		fmt.Sprint(room), seconds(suspended), fmt.Sprintf("%.1f", v.FlipsPerMinute(s.Duration)),
		fmt.Sprintf("%.2f", 100*v.Concealed), changes(f),
	}
}

// seedRows tells how much of a call's result is chance.
func seedRows(all []outcome) [][]string {
	rows := [][]string{{"scenario", "seeds", "of feasible, worst", "median", "best", "longest freeze s", "most flips/min", "most concealed %"}}
	for _, o := range all {
		if len(o.seeds) < 2 {
			continue
		}
		var shares []float64
		var freeze time.Duration
		var flips, concealed float64
		for _, r := range o.seeds {
			v := r.Flows[0].View
			_, longest, _ := v.Frozen()
			shares = append(shares, v.Share())
			freeze = max(freeze, longest)
			flips = max(flips, v.FlipsPerMinute(o.scenario.Duration))
			concealed = max(concealed, v.Concealed)
		}
		slices.Sort(shares)
		rows = append(rows, []string{
			o.scenario.Name, fmt.Sprint(len(shares)), fmt.Sprintf("%.2f", shares[0]), fmt.Sprintf("%.2f", shares[len(shares)/2]),
			fmt.Sprintf("%.2f", shares[len(shares)-1]), seconds(freeze), fmt.Sprintf("%.1f", flips), fmt.Sprintf("%.2f", 100*concealed),
		})
	}
	return rows
}

// changes tells how long the estimate took after each change of the capacity.
func changes(f sim.FlowResult) string {
	var out []string
	for _, c := range f.Reach {
		text := "never"
		if c.Took >= 0 {
			text = seconds(c.Took)
		}
		arrow := "↑ "
		if c.To < c.From {
			arrow = "↓ "
		}
		out = append(out, arrow+text)
	}
	return strings.Join(out, ", ")
}

func barRows(all []outcome) [][]string {
	rows := [][]string{{"scenario", "bar", "want", "got", "met"}}
	have := map[string]sim.Result{}
	for _, o := range all {
		have[o.scenario.Name] = o.results[0]
	}
	for _, b := range sim.Bars() {
		if _, ok := have[b.Scenario]; !ok {
			continue
		}
		complete := true
		got, ok := b.Met(func(name string) sim.Result {
			r, known := have[name]
			if !known {
				complete = false
				return sim.Result{Flows: make([]sim.FlowResult, 1)}
			}
			return r
		})
		if !complete {
			continue
		}
		met := "yes"
		if !ok {
			met = "**no**"
		}
		rows = append(rows, []string{b.Scenario, b.What, limits(b), number(got) + unit(b), met})
	}
	return rows
}

func limits(b sim.Bar) string {
	switch {
	case b.Min == b.Max:
		return number(b.Min) + unit(b)
	case b.Max >= sim.Never:
		return "≥ " + number(b.Min) + unit(b)
	case b.Min == 0:
		return "≤ " + number(b.Max) + unit(b)
	}
	return number(b.Min) + " – " + number(b.Max) + unit(b)
}

func unit(b sim.Bar) string {
	if b.Unit == "" {
		return ""
	}
	return " " + b.Unit
}

func number(x float64) string {
	if x >= sim.Never {
		return "never"
	}
	if math.Abs(x) >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
func seconds(d time.Duration) string      { return fmt.Sprintf("%.1f", d.Seconds()) }

// table writes rows as Markdown that is also readable as it is.
func table(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", width[i]-len([]rune(cell))))
		}
		fmt.Fprintln(w, "|")
		if n > 0 {
			continue
		}
		for i := range row {
			fmt.Fprint(w, "|", strings.Repeat("-", width[i]+2))
		}
		fmt.Fprintln(w, "|")
	}
}
