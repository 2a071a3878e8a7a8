package speaker_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	slot    = 20 * ms // of a packet
	second  = int(time.Second / slot)
	noLevel = 0xff // no packet in this slot
)

// span is what a peer does in some slots, to exclusive.
type span struct {
	what     string
	peer     uint64
	from, to int
}

// scene is a trace of testdata/scenes, see the README there.
type scene struct {
	name   string
	tuned  bool // constants may be chosen by it; otherwise it judges them
	peers  int
	turns  []span
	others []span
	levels [][]byte // of peer id-1, by slot

	alone   []int     // by slot: index into turns, or -1 where nobody or several have the floor
	packets []arrival // by time
}

func (s *scene) slots() int { return len(s.levels[0]) }

// holder returns the turn of who alone has the floor, or false if nobody or
// several have it.
func (s *scene) holder(i int) (turn span, ok bool) {
	if s.alone[i] < 0 {
		return span{}, false
	}
	return s.turns[s.alone[i]], true
}

// split is the half of the scenes that s belongs to.
func (s *scene) split() string {
	if s.tuned {
		return "tune"
	}
	return "judge"
}

// loadScenes reads every trace, and fails for one that its script did not make.
func loadScenes(t testing.TB) []*scene {
	t.Helper()
	scripts, err := filepath.Glob("testdata/scenes/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts: %v, %v", scripts, err)
	}
	var scenes []*scene
	for _, script := range scripts {
		s, err := loadScene(script)
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		scenes = append(scenes, s)
	}
	return scenes
}

func loadScene(script string) (*scene, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(strings.TrimSuffix(script, ".txt") + ".trace.gz")
	if err != nil {
		return nil, fmt.Errorf("%w: make scenes", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	s := &scene{name: strings.TrimSuffix(filepath.Base(script), ".txt")}
	made := ""
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch f[0] {
		case "script":
			made = f[1]
		case "split":
			s.tuned = f[1] == "tune"
		case "peer":
			s.peers++
		case "levels":
			b, err := hex.DecodeString(f[2])
			if err != nil {
				return nil, err
			}
			s.levels = append(s.levels, b)
		default:
			sp := span{what: f[0]}
			if _, err := fmt.Sscan(strings.Join(f[1:], " "), &sp.peer, &sp.from, &sp.to); err != nil {
				return nil, err
			}
			if sp.what == "says" {
				s.turns = append(s.turns, sp)
			} else {
				s.others = append(s.others, sp)
			}
		}
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(text)); made != want {
		return nil, fmt.Errorf("the trace was made from script %.8s, this is %.8s: make scenes", made, want)
	}
	s.prepare()
	return s, lines.Err()
}

// prepare fills alone and packets.
func (s *scene) prepare() {
	holders := make([]int, s.slots())
	s.alone = make([]int, s.slots())
	for n, t := range s.turns {
		for i := t.from; i < t.to; i++ {
			holders[i]++
			s.alone[i] = n
		}
	}
	for i, n := range holders {
		if n != 1 {
			s.alone[i] = -1
		}
	}
	s.packets = s.arrivals()
}

// arrival is a packet at the server.
type arrival struct {
	at    time.Duration
	id    uint64
	level uint8
}

// arrivals is the scene as a network delivers it: a packet is there 20 to 40 ms
// after the sound in it began, and one in a hundred never.
func (s *scene) arrivals() []arrival {
	var all []arrival
	for i, levels := range s.levels {
		chance := rand.New(rand.NewPCG(1, uint64(i)))
		for n, level := range levels {
			delay, lost := time.Duration(chance.IntN(20))*ms, chance.IntN(100) == 0
			if level != noLevel && !lost {
				all = append(all, arrival{time.Duration(n+1)*slot + delay, uint64(i + 1), level})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return all
}

// play gives every packet to record, and calls step at the end of each slot.
func (s *scene) play(record func(now time.Time, id uint64, level uint8), step func(now time.Time, i int)) {
	rest := s.packets
	for i := range s.slots() {
		end := time.Duration(i+1) * slot
		for len(rest) > 0 && rest[0].at <= end {
			record(at(rest[0].at), rest[0].id, rest[0].level)
			rest = rest[1:]
		}
		step(at(end), i)
	}
}

// The traces are as large as they were promised to be and have what a judge
// needs: turns of 2 to 15 s, and a level or none for every slot.
func TestTraces(t *testing.T) {
	for _, s := range loadScenes(t) {
		if len(s.turns) < 10 || len(s.levels) != s.peers {
			t.Errorf("%s: %d turns, levels of %d of %d peers", s.name, len(s.turns), len(s.levels), s.peers)
		}
		for _, turn := range s.turns {
			if n := turn.to - turn.from; n < second || n > 15*second || turn.to > s.slots() {
				t.Errorf("%s: peer %d has a turn of %v at %v", s.name, turn.peer, time.Duration(n)*slot, time.Duration(turn.from)*slot)
			}
		}
		for i, levels := range s.levels {
			if len(levels) != s.slots() {
				t.Errorf("%s: peer %d has %d levels, want %d", s.name, i+1, len(levels), s.slots())
			}
		}
	}
}
