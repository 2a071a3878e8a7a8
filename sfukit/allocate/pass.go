package allocate

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	keepShare  = 20 // what is kept may exceed the target by this part of it
	slackShare = 5  // and by so much for slackTime
	slackTime  = time.Second
	graceShare = 2 // and so may lowest rungs, for graceTime
	graceTime  = 2 * time.Second
	raiseShare = 10 // what is raised must leave room for this part of the sum
)

// pass is the budget in the course of an allocation.
type pass struct {
	now         time.Time
	total       units.Bitrate // granted so far
	growth      units.Bitrate // that total is expected to have
	before      units.Bitrate // the sum as it would be if nothing changed
	unknown     bool          // there is no target
	squeezed    bool          // that is too much
	keep        units.Bitrate // limit for what is shown already
	grace       units.Bitrate // limit for lowest rungs, for a while
	start       units.Bitrate // limit for the first rung of a new track
	resume      units.Bitrate // limit for lowest rungs that were given up
	raise       units.Bitrate // limit for what is more than before
	ceiling     units.Bitrate // limit for all that is more than what failed not long ago
	until       time.Time     // the ceiling holds
	bottom      units.Bitrate // the same for lowest rungs
	bottomUntil time.Time
}

// fitBudget grants rungs to video tracks.
func (a *Allocator) fitBudget() {
	for _, bottom := range []bool{true, false} {
		for from := 0; from < len(a.order); {
			to := from + 1
			for to < len(a.order) && a.items[a.order[from]].class(&a.items[a.order[to]]) == 0 {
				to++
			}
			class := a.order[from:to]
			if bottom {
				a.bottoms(class)
			} else {
				a.rounds(class, (*Allocator).keeps)
				a.rounds(class, (*Allocator).raises)
			}
			from = to
		}
	}
}

// bottoms gives the tracks of a class their lowest rungs: first those that have
// one already.
func (a *Allocator) bottoms(class []int) {
	for _, i := range class {
		it := &a.items[i]
		if it.kept < 0 {
			continue
		}
		low := it.above(-1, true)
		switch fits := a.total+it.costOf(low) <= a.keep; {
		case fits:
			it.short = time.Time{}
		case it.short.IsZero() && !a.tight.IsZero():
			it.short = a.tight
		case it.short.IsZero():
			it.short = a.now
		}
		over := !it.short.IsZero()
		if over && (a.total+it.costOf(low) > a.grace || a.now.Sub(it.short) >= graceTime) {
			it.short = time.Time{}
			continue
		}
		a.grant(it, low)
	}
	for _, i := range class {
		it := &a.items[i]
		if it.ideal < 0 || it.kept >= 0 {
			continue
		}
		low := it.above(-1, true)
		sum := a.total + it.costOf(low)
		limit := a.resume
		if it.fresh {
			limit = max(limit, a.start)
		}
		if sum <= limit {
			a.more(it, low, limit, &a.floor)
		}
	}
}

// rounds raises the tracks of a class in turn until step does nothing more.
func (a *Allocator) rounds(class []int, step func(*Allocator, *item) bool) {
	for more := true; more; {
		more = false
		for _, i := range class {
			if it := &a.items[i]; it.cur >= 0 && step(a, it) {
				more = true
			}
		}
	}
}

// keeps takes a track one rung further towards what it had.
func (a *Allocator) keeps(it *item) bool {
	for next := it.above(it.cur, true); next >= 0 && next <= it.kept; next = it.above(next, true) {
		if a.total-it.costOf(it.cur)+it.costOf(next) <= a.keep {
			a.grant(it, next)
			return true
		}
	}
	return false
}

// raises takes a track one rung further than it had.
func (a *Allocator) raises(it *item) bool {
	for next := it.above(it.cur, true); next >= 0 && next <= it.ideal; next = it.above(next, true) {
		sum := a.total + a.growth - it.priceOf(it.cur) + it.priceOf(next)
		limit := a.raise
		if (a.unknown || it.fresh && it.before < 0) && it.Rungs[next].RID == it.Rungs[it.above(-1, true)].RID {
			limit = max(limit, a.start) // a new track begins with the whole of its lowest encoding
		}
		if sum <= limit && !it.avoids(a.now, next) {
			a.more(it, next, limit, &a.link)
			return true
		}
	}
	return false
}

// more grants rung i, which is more than before. The tolerance of what is kept is
// for rates that vary, so it ends here.
func (a *Allocator) more(it *item, i int, limit units.Bitrate, l *link) {
	a.grant(it, i)
	a.keep = min(a.keep, limit)
	l.raised = a.now
}

// grant sets rung i aside for a track.
func (a *Allocator) grant(it *item, i int) {
	cost := it.costOf(i) - it.costOf(it.cur)
	a.total += cost
	a.growth += it.priceOf(i) - it.priceOf(it.cur) - cost
	it.cur = i
}
