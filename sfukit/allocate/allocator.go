package allocate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
)

// ErrPolicy is returned by New, wrapped with the value, for a Policy that is none.
var ErrPolicy = errors.New("allocate: unknown policy")

// Policy says what decides how much video is sent.
type Policy uint8

// The policies.
const (
	// Measured fits the rates that publishers send into the budget.
	Measured Policy = iota
	// Tiers limits every track to the tier of a pacer.Pacer.
	Tiers
)

// String returns the policy's name.
func (p Policy) String() string { return name("policy", policyNames[:], uint8(p)) }

var policyNames = [...]string{"measured", "tiers"}

// Config configures an Allocator. The zero value is the default.
type Config struct {
	// Policy says what decides how much video is sent.
	Policy Policy
	// Pacer has the thresholds below which there is no video, and those of the
	// tiers.
	Pacer pacer.Config
}

// Allocator spreads the budget of one subscriber. It comes from New and is not safe
// for concurrent use.
type Allocator struct {
	policy Policy
	pacer  *pacer.Pacer

	tracks map[uint64]*state
	calls  uint64
	// arrivals counts tracks, by first appearance.
	arrivals uint64
	now      time.Time
	proof    proof
	link     link
	floor    link      // for lowest rungs
	tight    time.Time // since when what is shown has exceeded the target; zero if it does not
	mode     Mode
	since    time.Time

	items []item // one for each track, in the order given
	order []int  // indexes of video items, the most important first
	out   []Decision
	pass
}

// item is a track in the course of an allocation.
type item struct {
	*Track
	*state
	top    int // highest rung the client has a use for, -1 if less than the lowest
	ideal  int // highest live rung within that, else the lowest live; -1 for none
	before int // rung as of the last call
	kept   int // what of before can still be had
	cur    int // granted so far
	fresh  bool
}

// New returns an Allocator, ErrPolicy, or an error of pacer.Config.Validate.
func New(cfg Config) (*Allocator, error) {
	if int(cfg.Policy) >= len(policyNames) {
		return nil, fmt.Errorf("%w: Policy is %d", ErrPolicy, cfg.Policy)
	}
	p, err := pacer.New(cfg.Pacer)
	if err != nil {
		return nil, err
	}
	return &Allocator{policy: cfg.Policy, pacer: p, tracks: map[uint64]*state{}}, nil
}

// Update allocates the budget to tracks. Call it ten times a second, and whenever
// the target falls, or a track, its liveness or a wish changes; each call decides
// anew. A track that is not given is forgotten. The order of tracks does not matter,
// but for those that are new: the earlier one counts as the longer there. A now
// before that of the last call is taken for the latter.
//
// A track of which nothing is live gets Rung -1: its rewriter had better stay
// where it is, since that rung may go on.
//
// It takes time in proportion to the number of rungs times the rungs of a track,
// and allocates memory only for tracks and ladders it has not seen before.
func (a *Allocator) Update(now time.Time, budget Budget, tracks []Track) Result {
	if now.Before(a.now) {
		now = a.now
	}
	a.now = now
	budget.Target = min(max(budget.Target, 0), math.MaxInt64/4)
	budget.Drained = min(max(budget.Drained, budget.Target), math.MaxInt64/4)
	if budget.Known {
		a.pacer.Drive(now, budget.Target)
	}
	a.proof.take(now, budget)
	a.gather(now, budget, tracks)
	switch {
	case a.pacer.AudioOnly():
	case a.policy == Tiers:
		a.fitTier()
	default:
		a.fitBudget()
	}
	return a.decide(now, budget)
}

// gather fills items and order, and begins the pass with the audio.
func (a *Allocator) gather(now time.Time, budget Budget, tracks []Track) {
	a.calls++
	a.items, a.order = a.items[:0], a.order[:0]
	for i := range tracks {
		t := &tracks[i]
		s := a.tracks[t.ID]
		if s == nil || s.seen == a.calls { // new, or an ID that is not distinct
			s = &state{arrived: a.arrivals, rung: -1, since: now}
			a.arrivals++
			a.tracks[t.ID] = s
		}
		s.seen = a.calls
		s.follow(now, t)
		it := item{Track: t, state: s, before: s.rung, top: -1, ideal: -1, kept: -1, cur: -1}
		if !t.Paused {
			it.top = t.top()
			it.ideal = t.atMost(it.top)
			if it.ideal < 0 {
				it.ideal = t.above(it.top, true)
			}
			it.kept = t.atMost(min(it.before, it.ideal))
		}
		if it.ideal < 0 {
			s.denied, s.short = false, time.Time{}
		}
		it.fresh = !s.denied
		a.items = append(a.items, it)
		if !t.Audio {
			a.order = append(a.order, i)
		}
	}
	if len(a.tracks) > len(tracks) {
		for id, s := range a.tracks {
			if s.seen != a.calls {
				delete(a.tracks, id)
			}
		}
	}
	items := a.items
	slices.SortFunc(a.order, func(x, y int) int { return items[x].compare(&items[y]) })
	a.begin(now, budget)
}

// class compares by what one goes before the other altogether.
func (it *item) class(o *item) int {
	return cmp.Or(
		cmp.Compare(o.Priority, it.Priority), // the greater first
		first(it.Screen, o.Screen),
		first(it.Speaker, o.Speaker),
	)
}

// compare orders items: by class, the larger wish, the longer there.
func (it *item) compare(o *item) int {
	return cmp.Or(
		it.class(o),
		first(it.MaxWidth <= 0, o.MaxWidth <= 0),
		cmp.Compare(o.MaxWidth, it.MaxWidth),
		cmp.Compare(it.arrived, o.arrived),
	)
}

// first puts true before false.
func first(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// begin grants the audio and finds the limits for the rest.
func (a *Allocator) begin(now time.Time, b Budget) {
	a.pass = pass{now: now, keep: math.MaxInt64, start: math.MaxInt64, ceiling: math.MaxInt64, bottom: math.MaxInt64}
	for i := range a.items {
		if it := &a.items[i]; it.Audio && it.ideal >= 0 {
			it.cur = it.ideal
			a.total += it.costOf(it.cur)
		}
	}
	a.before = a.total
	for _, i := range a.order {
		a.before += a.items[i].costOf(a.items[i].kept)
	}
	if a.unknown = !b.Known; a.unknown {
		return
	}
	a.start = b.Target
	a.keep = b.Target + b.Target/keepShare
	a.grace = b.Drained + b.Drained/keepShare
	if !a.proof.falls(now, b) {
		a.grace = max(a.grace, b.Target+b.Target/graceShare)
	}
	a.ceiling, a.until = a.link.ceiling(now)
	a.bottom, a.bottomUntil = a.floor.ceiling(now)
	if a.squeezed = a.before > a.keep; a.squeezed {
		if a.tight.IsZero() {
			a.tight = now
		}
		if a.before <= b.Drained+b.Drained/slackShare && now.Sub(a.tight) < slackTime {
			a.keep = a.before
		}
		return
	}
	a.tight = time.Time{}
	room := a.proof.rate(now, b)
	room -= room / (raiseShare + 1)
	shown := min(a.before, a.start)
	a.resume, a.raise = max(shown, min(room, a.bottom)), max(shown, min(room, a.ceiling))
}

// fitTier gives every track the best rung within the pacer's tier, whatever the
// target.
func (a *Allocator) fitTier() {
	for _, i := range a.order {
		it := &a.items[i]
		if it.ideal < 0 {
			continue
		}
		limit := place(it.Rungs, a.pacer.Layer())
		it.cur = it.atMost(min(limit, it.top))
		if it.cur < 0 {
			it.cur = it.above(min(limit, it.top), true)
		}
		a.total += it.costOf(it.cur)
	}
}
