package sim

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// epoch is when every simulation begins. The date means nothing; it is not zero
// so that a zero time.Time still says "never".
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// An Engine is the clock of a simulation, and what is going to happen. Events at
// the same time happen in the order in which they were planned, so a simulation is
// a function of its inputs and of the seed. Make one with [NewEngine].
type Engine struct {
	now    time.Time
	seed   uint64
	order  uint64
	events events
}

// NewEngine returns an Engine at the start of time. The seed decides all that is
// random in the simulation; see [Engine.Rand].
func NewEngine(seed uint64) *Engine { return &Engine{now: epoch, seed: seed} }

// Now returns the virtual time, to be given to what takes time as an argument.
func (e *Engine) Now() time.Time { return e.now }

// Elapsed returns the virtual time since the start.
func (e *Engine) Elapsed() time.Duration { return e.now.Sub(epoch) }

// Rand returns a source of randomness for one actor. Sources of different names
// are independent of each other, so that one more actor does not change what
// the others do.
func (e *Engine) Rand(name string) *rand.Rand {
	h := fnvOffset
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * fnvPrime
	}
	return rand.New(rand.NewPCG(e.seed, h))
}

// At has f called at time t, or at once after what is planned for now if t is past.
func (e *Engine) At(t time.Time, f func()) {
	if t.Before(e.now) {
		t = e.now
	}
	e.order++
	heap.Push(&e.events, event{at: t, order: e.order, f: f})
}

// After has f called in d.
func (e *Engine) After(d time.Duration, f func()) { e.At(e.now.Add(d), f) }

// Every has f called in d and from then on every d, until it returns false. A d
// that is not positive counts as a millisecond.
func (e *Engine) Every(d time.Duration, f func() bool) {
	if d <= 0 {
		d = time.Millisecond
	}
	var again func()
	again = func() {
		if f() {
			e.After(d, again)
		}
	}
	e.After(d, again)
}

// Run lets d pass: what is planned within it happens, and then it is d later.
func (e *Engine) Run(d time.Duration) {
	end := e.now.Add(d)
	for len(e.events) > 0 && !e.events[0].at.After(end) {
		next := heap.Pop(&e.events).(event) //nolint:forcetypeassert // events holds nothing else
		e.now = next.at
		next.f()
	}
	e.now = end
}

type event struct {
	at    time.Time
	order uint64
	f     func()
}

// events is a heap of what is planned, the next on top.
type events []event

func (h events) Len() int      { return len(h) }
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h events) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].order < h[j].order
}
func (h *events) Push(x any) { *h = append(*h, x.(event)) } //nolint:forcetypeassert // only At pushes

func (h *events) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	(*h)[last] = event{}
	*h = (*h)[:last]
	return x
}
