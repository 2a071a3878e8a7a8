// Package demand finds out which encodings of a published track nobody has a use
// for, so that its publisher can stop sending them. What a subscriber would use is
// found by package allocate.
package demand

import (
	"errors"
	"fmt"
	"time"
)

// Patience is how long nobody must have wanted an encoding for it to be given up.
// It is taken up again at once.
const Patience = 5 * time.Second

// ErrEncodings is returned by New, wrapped with the number, for less than one.
var ErrEncodings = errors.New("demand: a track has at least one encoding")

// Track gathers what the subscribers of one published track want. It comes from
// New and is not safe for concurrent use.
//
// Encodings are counted from the lowest. Who wants one needs those below it too: it
// falls back to them at once when the link gets worse, and could not wait until the
// publisher has resumed them. So what is in demand is a number, how many of the
// lowest encodings the publisher should send.
type Track struct {
	wants map[uint64]int // number of encodings wanted, by subscriber
	count []int          // subscribers that want i encodings
	// unwanted is since when encoding i has not been wanted; meaningless while it is.
	unwanted []time.Time
	sent     int // encodings in demand, as of the last Update
}

// New returns a Track with the given number of encodings, all of them in demand:
// that is how a publisher begins. The time to give them up begins at now.
func New(now time.Time, encodings int) (*Track, error) {
	if encodings < 1 {
		return nil, fmt.Errorf("%w: %d", ErrEncodings, encodings)
	}
	t := &Track{
		wants: map[uint64]int{}, count: make([]int, encodings+1),
		unwanted: make([]time.Time, encodings), sent: encodings,
	}
	for i := range t.unwanted {
		t.unwanted[i] = now
	}
	return t, nil
}

// Want notes that a subscriber has a use for encodings up to highest, counted from
// 0; -1 for none. It should name the higher one of what is shown and what is wanted:
// until a switch has happened the old encoding is needed. More than the track has
// is all of them. It holds until the subscriber's next Want or its Leave.
func (t *Track) Want(now time.Time, subscriber uint64, highest int) {
	n := min(max(highest+1, 0), len(t.unwanted))
	before := t.wanted()
	if old, ok := t.wants[subscriber]; ok {
		t.count[old]--
	}
	t.wants[subscriber] = n
	t.count[n]++
	t.mark(now, before)
}

// Leave forgets a subscriber.
func (t *Track) Leave(now time.Time, subscriber uint64) {
	old, ok := t.wants[subscriber]
	if !ok {
		return
	}
	before := t.wanted()
	delete(t.wants, subscriber)
	t.count[old]--
	t.mark(now, before)
}

// mark notes that encodings below before are no longer wanted as of now.
func (t *Track) mark(now time.Time, before int) {
	for i := t.wanted(); i < before; i++ {
		t.unwanted[i] = now
	}
}

// wanted returns how many encodings somebody wants.
func (t *Track) wanted() int {
	for n := len(t.unwanted); n > 0; n-- {
		if t.count[n] > 0 {
			return n
		}
	}
	return 0
}

// Update returns how many of the lowest encodings the publisher should send, and
// true if that is another number than before. Call it a few times a second and
// after Want. A publisher that was told something else, or nothing, sends all.
func (t *Track) Update(now time.Time) (encodings int, changed bool) {
	wanted, n := t.wanted(), t.sent
	for n > wanted && now.Sub(t.unwanted[n-1]) >= Patience {
		n--
	}
	n = max(n, wanted)
	changed = n != t.sent
	t.sent = n
	return n, changed
}
