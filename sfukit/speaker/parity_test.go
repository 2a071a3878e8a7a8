package speaker_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

var updateParity = flag.Bool("update-parity", false, "write the results of the reference into testdata/parity.txt")

// TestParityTable replays the level sequences of testdata/parity.txt. What is
// expected there was computed by the reference, not by the package.
func TestParityTable(t *testing.T) {
	const name = "testdata/parity.txt"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want, got bytes.Buffer
	levels := map[uint64][]int{}
	flush := func() {
		if len(levels) > 0 {
			ref, d := &reference{}, mustNew(t, speaker.Config{Parity: true})
			tabulate(&want, levels, func(now int64, id uint64, level int) { ref.record(now, id, level) },
				func(now int64) (uint64, float64, []speaker.Score) {
					id, margin := ref.tick(now)
					return id, margin, ref.table()
				})
			tabulate(&got, levels, func(now int64, id uint64, level int) {
				d.Record(at(time.Duration(now)*ms), id, uint8(level))
			}, func(now int64) (uint64, float64, []speaker.Score) {
				c, _ := d.Tick(at(time.Duration(now) * ms))
				return c.Speaker, c.Margin, d.Scores(nil)
			})
			clear(levels)
		}
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		switch f := strings.Fields(line); {
		case len(f) > 0 && f[0] == "levels":
			id, err := strconv.ParseUint(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			levels[id] = runs(t, f[2:])
		case len(f) > 0 && f[0] == "at":
			continue
		case len(f) == 0:
			flush()
		}
		fmt.Fprintln(&want, line)
		fmt.Fprintln(&got, line)
	}
	flush()
	if *updateParity {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(text, want.Bytes()) {
		t.Errorf("%s is not what the reference makes of its levels", name)
	}
	w, g := strings.Split(want.String(), "\n"), strings.Split(got.String(), "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
}

// runs expands LEVEL*COUNT, where "-" is no packet.
func runs(t *testing.T, fields []string) (levels []int) {
	t.Helper()
	for _, f := range fields {
		level, count, _ := strings.Cut(f, "*")
		n, err := strconv.Atoi(count)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		v, err := strconv.Atoi(level)
		if level == "-" {
			v, err = -1, nil
		}
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for range n {
			levels = append(levels, v)
		}
	}
	return levels
}

// tabulate plays levels, one per 20 ms, and writes a line for every tick.
func tabulate(out *bytes.Buffer, levels map[uint64][]int, record func(int64, uint64, int), tick func(int64) (uint64, float64, []speaker.Score)) {
	n := 0
	for _, l := range levels {
		n = max(n, len(l))
	}
	for i := range n {
		now := int64(i) * 20
		for id := range uint64(10) {
			if l := levels[id]; i < len(l) && l[i] >= 0 {
				record(now, id, l[i])
			}
		}
		if now%300 != 0 {
			continue
		}
		id, margin, scores := tick(now)
		fmt.Fprintf(out, "at %5d elects %d by %8.5f;", now, id, margin)
		for _, s := range scores {
			fmt.Fprintf(out, " %d: %.7g %.7g %.7g", s.ID, s.Immediate, s.Medium, s.Long)
		}
		fmt.Fprintln(out)
	}
}

func (r *reference) table() (scores []speaker.Score) {
	for _, s := range r.speakers {
		scores = append(scores, speaker.Score{ID: s.id, Immediate: s.scores[0], Medium: s.scores[1], Long: s.scores[2]})
	}
	return scores
}

// TestParityRandom compares with the reference in calls that nobody thought of.
func TestParityRandom(t *testing.T) {
	for seed := range uint64(60) {
		chance := rand.New(rand.NewPCG(seed, 3))
		ref, d := &reference{}, mustNew(t, speaker.Config{Parity: true})
		ref.tick(0)
		d.Tick(at(0))
		peers := 1 + chance.IntN(5)
		base, spread, left := make([]int, peers), make([]int, peers), make([]int, peers)
		switches := 0
		for now := int64(1); now < 60_000; now++ {
			for i := range peers {
				if now%20 != int64(i) && chance.IntN(200) > 0 { // now and then out of step
					continue
				}
				if left[i]--; left[i] < 0 {
					left[i] = chance.IntN(200)
					base[i], spread[i] = chance.IntN(140), 1+chance.IntN(30) // from 128 on: no packets
				}
				if level := base[i] + chance.IntN(spread[i]); level < 128 {
					ref.record(now, uint64(i), level)
					d.Record(at(time.Duration(now)*ms), uint64(i), uint8(level))
				}
			}
			if now%300 != 0 {
				continue
			}
			id, margin := ref.tick(now)
			c, changed := d.Tick(at(time.Duration(now) * ms))
			if changed {
				switches++
			}
			if ok := c.Speaker == id && math.Abs(c.Margin-margin) < 1e-9; !ok {
				t.Fatalf("seed %d at %d: elected %+v, want %d by %v", seed, now, c, id, margin)
			}
			for i, want := range ref.table() {
				if got := d.Scores(nil)[i]; got.ID != want.ID || math.Abs(got.Immediate-want.Immediate) > 1e-9 ||
					math.Abs(got.Medium-want.Medium) > 1e-9 || math.Abs(got.Long-want.Long) > 1e-9 {
					t.Fatalf("seed %d at %d: scores %+v, want %+v", seed, now, got, want)
				}
			}
		}
		if peers > 2 && switches < 3 {
			t.Errorf("seed %d: %d switches among %d peers: nothing was compared", seed, switches, peers)
		}
	}
}
