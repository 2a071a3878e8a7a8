package allocate_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// lowest is what audio and the lowest live rung of each wanted video track take.
func lowest(tracks []allocate.Track) units.Bitrate {
	var sum units.Bitrate
	for _, t := range tracks {
		if t.Paused {
			continue
		}
		for _, r := range t.Rungs {
			if r.Live {
				sum += r.Rate
				break
			}
		}
	}
	return sum
}

// TestProperties runs rooms in which everything changes, and checks at each step
// that the sum stays within the target, that nobody starves, and that the same
// input gives the same result.
func TestProperties(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(3, seed))
		s := newScene(t, allocate.Config{}, voice(1000))
		for id := range uint64(1 + r.IntN(12)) {
			s.tracks = append(s.tracks, allocate.Track{ID: id, Rungs: [](func() []allocate.Rung){usual, layered}[r.IntN(2)](), Showing: -1})
		}
		twin, err := allocate.New(allocate.Config{})
		if err != nil {
			t.Fatal(err)
		}
		target, over := 3_000.0, 0
		for range 600 {
			switch k := 1 + r.IntN(len(s.tracks)-1); r.IntN(12) {
			case 0, 1:
				s.tracks[k].Paused = !s.tracks[k].Paused
			case 2:
				s.tracks[k].Speaker = !s.tracks[k].Speaker
			case 3:
				s.tracks[k].Screen = !s.tracks[k].Screen
			case 4:
				s.tracks[k].Priority = r.IntN(3)
			case 5:
				s.tracks[k].MaxWidth = []int{0, 100, 320, 640, 1280}[r.IntN(5)]
			case 6:
				s.tracks[k].MaxRID = []layer.RID{"", "q", "h", "f", "x"}[r.IntN(5)]
			case 7, 8:
				rung := &s.tracks[k].Rungs[r.IntN(len(s.tracks[k].Rungs))]
				rung.Live, rung.Idle = !rung.Live, r.IntN(2) == 0
			case 9:
				target = min(max(target*math.Exp(r.NormFloat64()), 30), 20_000)
			}
			b := units.Bitrate(target * 1e3)
			if r.IntN(10) == 0 {
				s.probed(units.Bitrate(target * 1e3 * 2 * r.Float64()))
			}
			was := slices.Clone(s.tracks)
			res := s.step(b)
			if over++; res.Allocated <= b+b/20 {
				over = 0
			}
			if floor := lowest(s.tracks); floor <= b && (res.Allocated > b+b/5 || over > 10) {
				t.Errorf("seed %d: lowest rungs take %v, target %v, but %v allocated, too much for %d steps", seed, floor, b, res.Allocated, over)
			}
			again := twin.Update(s.now, s.budget, was)
			if again.Mode != res.Mode || again.Wanted != res.Wanted || !slices.Equal(again.Tracks, res.Tracks) {
				t.Fatalf("seed %d: the same input gives %+v and %+v", seed, res, again)
			}
		}
		// Calm: everybody gets something while the lowest rungs fit.
		floor := lowest(s.tracks)
		s.run(3*time.Minute, max(floor+floor/5, 200*kbps))
		for i, d := range s.last.Tracks {
			tr := &s.tracks[i]
			live := slices.ContainsFunc(tr.Rungs, func(r allocate.Rung) bool { return r.Live })
			if live && !tr.Paused && d.Rung < 0 {
				t.Errorf("seed %d: track %d starves: %+v of target %v, lowest rungs %v", seed, tr.ID, d, s.budget.Target, floor)
			}
			for k, o := range s.last.Tracks { // of two alike, the more important has no less
				u := &s.tracks[k]
				alike := !tr.Audio && !u.Audio && tr.MaxWidth == u.MaxWidth && tr.MaxRID == u.MaxRID &&
					tr.Paused == u.Paused && slices.Equal(tr.Rungs, u.Rungs)
				if alike && tr.Screen == u.Screen && tr.Speaker == u.Speaker && tr.Priority > u.Priority && d.Rung < o.Rung {
					t.Errorf("seed %d: priority %d gets rung %d, priority %d gets %d", seed, tr.Priority, d.Rung, u.Priority, o.Rung)
				}
			}
		}
	}
}

// TestAnyBudget bounds what any budget can do: one that undoes every raise a moment
// after it, and proves the opposite with probes at all other times.
func TestAnyBudget(t *testing.T) {
	for name, rungs := range map[string]func() []allocate.Rung{"simulcast": usual, "layered": layered} {
		for _, after := range []time.Duration{100, 500, 3_000, 10_000, 20_000, 30_000, 40_000} {
			after *= time.Millisecond
			s := newScene(t, allocate.Config{}, allocate.Track{ID: 1, Rungs: rungs(), Showing: -1})
			var raised time.Time
			for i := range 6_000 { // ten minutes, of which the first does not count
				target := 10_000 * kbps
				if ago := s.now.Sub(raised); ago >= after && ago < after+time.Second {
					target = 160 * kbps
				}
				s.probed(target)
				s.step(target)
				if r := s.raises[1]; len(r) > 0 {
					raised = r[len(r)-1]
				}
				if i == 600 {
					s.forget()
				}
			}
			changes, jumps, raises := most(s.changes[1]), most(s.jumps[1]), most(s.raises[1])
			t.Logf("%s, undone after %v: at most %d changes in a minute, %d of encoding, %d up", name, after, changes, jumps, raises)
			if jumps > 8 || changes > 12 {
				t.Errorf("%s, undone after %v: %d changes in a minute, %d of encoding; want at most 12, 8", name, after, changes, jumps)
			}
		}
	}
}

// FuzzUpdate feeds arbitrary tracks and budgets; scene.check holds throughout.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789"), false)
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127, 1, 2, 3}, true)
	f.Fuzz(func(t *testing.T, data []byte, tiers bool) {
		cfg := allocate.Config{}
		if tiers {
			cfg.Policy = allocate.Tiers
		}
		s := newScene(t, cfg)
		next := func() int64 {
			var b [8]byte
			n := copy(b[:], data)
			data = data[n:]
			return int64(binary.LittleEndian.Uint64(b[:]))
		}
		for calls := 0; len(data) > 0 && calls < 200; calls++ {
			flags := next()
			s.tracks = nil
			for id := range uint64(flags & 7) {
				x := next()
				if flags&8 != 0 {
					id = 1 // not distinct
				}
				tr := allocate.Track{
					ID: id, Audio: x&1 != 0, Paused: x&2 != 0, Screen: x&8 != 0, Speaker: x&16 != 0,
					Priority: int(int8(x >> 8)), MaxWidth: int(int16(x >> 16)), Showing: int(int8(x >> 32)),
					MaxRID: layer.RID([]string{"", "q", "h", "f", "\xff"}[uint8(x>>40)%5]),
				}
				for range uint8(x>>48) % 10 {
					y := next()
					tr.Rungs = append(tr.Rungs, allocate.Rung{
						RID: layer.RID([]string{"", "q", "h", "f"}[y&3]), Spatial: uint8(y>>2) & 3, Temporal: uint8(y>>4) & 3,
						Width: int(int16(y >> 8)), Rate: units.Bitrate(y >> uint(y&63)), Live: y&64 != 0, Idle: y&128 != 0,
					})
				}
				s.tracks = append(s.tracks, tr)
			}
			s.now = s.now.Add(time.Duration(next() >> 20))
			s.budget = allocate.Budget{Probed: units.Bitrate(next()), ProbedAt: s.now.Add(-time.Duration(next() >> 16))}
			if flags&16 != 0 {
				s.last = s.a.Update(s.now, s.budget, s.tracks)
				s.check()
				continue
			}
			s.step(units.Bitrate(next()))
		}
	})
}

func room(tracks int) (*allocate.Allocator, []allocate.Track) {
	a, err := allocate.New(allocate.Config{})
	if err != nil {
		panic(err)
	}
	var ts []allocate.Track
	for id := range tracks {
		ts = append(ts, allocate.Track{ID: uint64(id), Rungs: layered(), Speaker: id == 7, Showing: -1})
	}
	return a, ts
}

func TestUpdateDoesNotAllocate(t *testing.T) {
	a, tracks := room(50)
	now, i := time.Unix(0, 0), 0
	update := func() {
		now = now.Add(tick)
		i++
		tracks[i%50].Speaker = !tracks[i%50].Speaker
		target := units.Bitrate(5_000+10_000*(i/20%2)) * kbps
		a.Update(now, allocate.Budget{Target: target, Known: true, Probed: target, ProbedAt: now}, tracks)
	}
	update()
	if n := testing.AllocsPerRun(500, update); n != 0 {
		t.Errorf("Update: %v allocs, want 0", n)
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, bm := range []struct {
		name   string
		target units.Bitrate
	}{{"tracks=50/rungs=9/target=5M", 5_000 * kbps}, {"tracks=50/rungs=9/target=40M", 40_000 * kbps}} {
		b.Run(bm.name, func(b *testing.B) {
			a, tracks := room(50)
			now := time.Unix(0, 0)
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(tick)
				a.Update(now, allocate.Budget{Target: bm.target, Known: true}, tracks)
			}
		})
	}
}
