package allocate

import (
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// decide turns what was granted into decisions.
func (a *Allocator) decide(now time.Time, b Budget) Result {
	if a.policy == Measured && a.before > a.total && (a.squeezed || a.pacer.AudioOnly()) {
		a.failed(now)
	}
	a.out = a.out[:0]
	for i := range a.items {
		a.out = append(a.out, a.settle(&a.items[i], b))
	}
	if mode := a.modeNow(); mode != a.mode || a.since.IsZero() {
		a.mode, a.since = mode, now
	}
	r := Result{Mode: a.mode, Since: a.since, Allocated: a.total, Wanted: a.wanted(b), Tracks: a.out}
	clear(a.items) // the tracks were borrowed
	return r
}

// failed notes what the link has failed to carry.
func (a *Allocator) failed(now time.Time) {
	gone, lowered := false, false
	for _, i := range a.order {
		it := &a.items[i]
		gone = gone || it.kept >= 0 && it.cur < 0
		lowered = lowered || it.cur < it.kept && it.kept > it.above(-1, true)
	}
	if gone {
		a.floor.fail(now, a.before, a.total)
	}
	if lowered {
		a.link.fail(now, a.before, a.total)
	}
}

// modeNow returns the mode that follows from what was granted.
func (a *Allocator) modeNow() Mode {
	switch {
	case a.pacer.Suspended():
		return ModeSuspended
	case a.pacer.AudioOnly():
		return ModeAudioOnly
	}
	mode := ModeVideo
	for _, i := range a.order {
		switch it := &a.items[i]; {
		case it.cur >= 0:
			return ModeVideo
		case it.ideal >= 0:
			mode = ModeAudioOnly
		}
	}
	return mode
}

// settle remembers what a track was granted and describes it.
func (a *Allocator) settle(it *item, b Budget) Decision {
	s := it.state
	s.denied = it.ideal >= 0 && it.cur < 0
	binding := a.binding(it)
	if it.cur != it.before {
		a.change(it, binding)
	}
	s.binding = binding
	d := Decision{
		ID: it.ID, Rung: it.cur, Changed: it.cur != it.before, Reason: s.reason, Since: s.since,
		Share: s.costOf(it.cur), Wish: -1, Want: it.cur, Binding: binding, Next: it.next(),
	}
	if !it.Paused && len(it.Rungs) > 0 {
		d.Wish = max(it.top, 0)
		d.Want = a.want(it)
	}
	a.explain(it, &d, b)
	return d
}

// binding says what keeps a track from more.
func (a *Allocator) binding(it *item) Reason {
	switch {
	case it.Paused:
		return ReasonClient
	case it.ideal < 0 && it.binding == ReasonStart && it.before < 0:
		return ReasonStart
	case it.ideal < 0:
		return ReasonLive
	case it.Audio:
		return ReasonStart
	case a.pacer.AudioOnly():
		return ReasonSuspend
	case it.cur < it.ideal && it.cur < it.kept && !a.squeezed:
		return ReasonPriority
	case it.cur < it.ideal && it.binding == ReasonPriority:
		return ReasonPriority
	case it.cur < it.ideal && it.avoids(a.now, it.next()):
		return ReasonLive
	case it.cur < it.ideal:
		return ReasonBandwidth
	case it.ideal < it.top:
		return ReasonLive
	case it.above(max(it.top, it.cur), false) >= 0:
		return ReasonClient
	}
	return ReasonStart
}

// change notes that a track gets another rung than before. A raise happens for
// the reason that stood in its way, a loss for the reason that stands there now.
func (a *Allocator) change(it *item, binding Reason) {
	s := it.state
	silent := it.before >= 0 && !it.Rungs[it.before].Live
	switch {
	case it.cur > it.before:
		s.reason = s.binding
	case it.cur < it.kept || it.Paused:
		s.reason = binding
	case silent:
		s.reason = ReasonLive
	default: // a lower limit
		s.reason = ReasonClient
	}
	if silent {
		s.rungs[it.before].silent.lose(a.now, true)
	}
	s.rung, s.since = it.cur, a.now
}

// next returns the rung above the one granted that the wish allows and that can be
// had, or -1.
func (it *item) next() int {
	if it.Paused {
		return -1
	}
	next := it.above(it.cur, false)
	if next > it.top && it.cur >= 0 {
		return -1
	}
	return next
}

// want returns the rung to ask the publisher for, live or not: the highest within
// the wish that fits the target, if need be in the place of what less important
// tracks have above their lowest rungs.
func (a *Allocator) want(it *item) int {
	switch {
	case it.Audio:
		return max(it.cur, it.top)
	case a.pacer.AudioOnly():
		return it.cur
	case a.policy == Tiers:
		return max(it.cur, min(it.top, place(it.Rungs, a.pacer.Layer())), 0)
	}
	want := it.cur
	yields := units.Bitrate(-1)
	for i := it.cur + 1; i <= max(it.top, 0); i++ {
		sum := a.total - it.costOf(it.cur) + it.costOf(i)
		if sum > a.start && it.Rungs[i].Idle {
			if yields < 0 {
				yields = a.yields(it)
			}
			sum -= yields
		}
		ceiling := a.ceiling
		if it.cur < 0 && i == 0 {
			ceiling = a.bottom
		}
		if sum <= a.start && sum <= ceiling {
			want = i
		}
	}
	return want
}

// yields returns how much tracks of less important classes would give up to it.
func (a *Allocator) yields(it *item) (sum units.Bitrate) {
	for _, i := range slices.Backward(a.order) {
		o := &a.items[i]
		if it.class(o) >= 0 {
			break
		}
		if o.cur >= 0 {
			sum += o.costOf(o.cur) - o.costOf(o.above(-1, true))
		}
	}
	return sum
}

// explain fills in what the track waits for, and what is missing.
func (a *Allocator) explain(it *item, d *Decision, b Budget) {
	sum, need := a.need(it, d)
	d.Missing = max(need-a.start, 0)
	switch {
	case it.Paused:
		d.Waiting = WaitClient
	case d.Rung >= 0 && d.Rung != it.Showing:
		d.Waiting = WaitKeyframe
	case d.Next < 0 && d.Binding == ReasonClient:
		d.Waiting = WaitClient
	case d.Next < 0 && (d.Binding == ReasonLive || d.Rung < 0):
		d.Waiting = WaitLive
	case d.Next < 0:
		d.Waiting = WaitNothing
	case !b.Known:
		d.Waiting = WaitEstimate
	case d.Missing > 0:
		d.Waiting = WaitRate
	case d.Rung < 0 && sum > a.bottom:
		d.Waiting, d.Until = WaitBackoff, a.bottomUntil
	case d.Rung >= 0 && sum > a.ceiling:
		d.Waiting, d.Until = WaitBackoff, a.until
	case it.avoids(a.now, d.Next):
		d.Waiting, d.Until = WaitBackoff, it.rungs[d.Next].silent.until
	case !it.Rungs[d.Next].Live:
		d.Waiting = WaitLive
	default:
		d.Waiting = WaitProof
	}
}

// need returns the sum of all rates with Next, and the target which that takes; 0
// if there is no Next.
func (a *Allocator) need(it *item, d *Decision) (sum, target units.Bitrate) {
	if d.Next < 0 {
		return 0, 0
	}
	sum = a.total + a.growth - it.priceOf(d.Rung) + it.priceOf(d.Next)
	if !it.Audio && (a.policy == Tiers || a.pacer.AudioOnly()) {
		return sum, a.pacer.NextMin()
	}
	return sum, sum + sum/raiseShare
}

// wanted returns the target at which the first class that lacks something could
// have one rung more for each of its tracks. It asks for at most twice the target,
// unless a single step takes more.
func (a *Allocator) wanted(b Budget) units.Bitrate {
	if a.pacer.AudioOnly() || a.policy == Tiers {
		for _, i := range a.order {
			if a.items[i].next() >= 0 {
				return a.pacer.NextMin()
			}
		}
		return 0
	}
	var all, least units.Bitrate // more than total
	for at, i := range a.order {
		it := &a.items[i]
		if all > 0 && a.items[a.order[at-1]].class(it) != 0 {
			break
		}
		next := it.next()
		if next < 0 || it.avoids(a.now, next) {
			continue
		}
		for next+1 <= it.top && it.Rungs[next+1].RID == it.Rungs[next].RID {
			next++ // with all layers, which are small steps
		}
		more := max(it.priceOf(next)-it.priceOf(it.cur), 1)
		all += more
		if least == 0 || more < least {
			least = more
		}
	}
	if all == 0 {
		return 0
	}
	total := a.total + a.growth
	all, least = total+all, total+least
	all, least = all+all/raiseShare, least+least/raiseShare
	return max(min(all, 2*b.Target), least)
}
