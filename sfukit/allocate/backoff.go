package allocate

import (
	"math"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// holds are the times for which something that was lost stays away, by the number
// of losses before. The first is for what nobody here can help.
var holds = [...]time.Duration{0, 4 * time.Second, 16 * time.Second, 60 * time.Second}

const (
	// calm is how long nothing must be lost for the losses before to be forgotten.
	calm = 2 * time.Minute
	// stands is how long what was raised must stand for the raise to have been right:
	// if it is lost after that, the link has changed, and nothing was tried in vain.
	stands = 30 * time.Second
)

// backoff counts losses of one thing.
type backoff struct {
	losses int
	at     time.Time // of the last loss
	until  time.Time // it stays away
}

// lose notes a loss. The first one may pass at once if it is quick.
func (b *backoff) lose(now time.Time, quick bool) {
	if now.Sub(b.at) >= calm {
		b.losses = 0
	}
	n := b.losses
	if !quick {
		n++
	}
	b.losses++
	b.at, b.until = now, now.Add(holds[min(n, len(holds)-1)])
}

// link is what the link has failed to carry. There is one for lowest rungs, the loss
// of which is that of the whole picture, and one for all above.
type link struct {
	vain     backoff // of raises that did not stand, whatever the sum
	failures [4]failure
	raised   time.Time // the latest time that something was since the last loss, zero if nothing was
}

// failure is a sum that was too much, and those about as large.
type failure struct {
	at, until time.Time
	sum       units.Bitrate
	most      units.Bitrate // up to which may be raised until then
}

const (
	// below is the part of a sum that failed once by which another must be less to be
	// tried without waiting.
	below = 10
	// alike is within which factor sums fail as one, in tenths: encodings are further
	// apart, layers less.
	alike = 16
)

// fail notes that sum was more than the link carries, and left what it was lowered
// to. Only what was raised before can fail again: a target that sinks in steps is
// one loss.
func (l *link) fail(now time.Time, sum, left units.Bitrate) {
	f := l.of(sum)
	hold := holds[1]
	switch {
	case !l.raised.IsZero():
		if now.Sub(l.raised) >= stands {
			l.vain.losses = 0
		}
		l.vain.lose(now, false)
		hold = l.vain.until.Sub(now)
	case f.until.After(now): // it goes on
		hold = f.until.Sub(f.at)
		sum = min(sum, f.sum)
	}
	l.raised = time.Time{}
	*f = failure{at: now, until: now.Add(hold), sum: sum, most: sum - sum/below}
	if hold > holds[1] {
		f.most = max(left, sum*10/alike)
	}
}

// of returns the failure of sums like one, or else the one that ends first.
func (l *link) of(sum units.Bitrate) *failure {
	first := &l.failures[0]
	for i := range l.failures {
		f := &l.failures[i]
		if sum <= f.sum*alike/10 && f.sum <= sum*alike/10 {
			return f
		}
		if f.until.Before(first.until) {
			first = f
		}
	}
	return first
}

// ceiling returns the sum up to which may be raised, and until when that holds.
func (l *link) ceiling(now time.Time) (most units.Bitrate, until time.Time) {
	most = math.MaxInt64
	for i := range l.failures {
		if f := &l.failures[i]; f.until.After(now) && f.most < most {
			most, until = f.most, f.until
		}
	}
	return most, until
}
