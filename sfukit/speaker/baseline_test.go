package speaker_test

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// elector is anything that says who has the floor.
type elector interface {
	Record(now time.Time, id uint64, level uint8)
	// floor is called every 20 ms and returns 0 for nobody.
	floor(now time.Time) uint64
}

// detector is the code under test.
type detector struct{ *speaker.Detector }

func (d detector) floor(now time.Time) uint64 {
	d.Tick(now)
	id, _ := d.Dominant()
	return id
}

// loudest is what one writes first: every 100 ms the floor goes to whoever was
// loudest over the last 400 ms, on average in dB, where 20 ms without a packet
// count as silence. With patience it goes only to one who was lead dB louder
// than its holder in so many elections in a row.
type loudest struct {
	lead, patience int

	now     [][20]int // by peer and slot of the window: volume
	slot    int
	holder  int // index plus one
	rival   int
	ahead   int // elections in a row that rival won
	pending []int
}

func newLoudest(peers, lead, patience int) *loudest {
	return &loudest{lead: lead, patience: patience, now: make([][20]int, peers), pending: make([]int, peers)}
}

func (l *loudest) Record(_ time.Time, id uint64, level uint8) {
	l.pending[id-1] = max(l.pending[id-1], 127-int(level))
}

func (l *loudest) floor(time.Time) uint64 {
	for i, v := range l.pending {
		l.now[i][l.slot%20], l.pending[i] = v, 0
	}
	if l.slot++; l.slot%5 != 0 {
		return uint64(l.holder)
	}
	sum := func(i int) (s int) {
		for _, v := range l.now[i] {
			s += v
		}
		return s
	}
	best := 0
	for i := range l.now {
		if sum(i) > sum(best) {
			best = i
		}
	}
	switch {
	case sum(best) == 0 || best+1 == l.holder || l.holder > 0 && sum(best) <= sum(l.holder-1)+20*l.lead:
		l.rival, l.ahead = 0, 0
		return uint64(l.holder)
	case best+1 == l.rival:
		l.ahead++
	default:
		l.rival, l.ahead = best+1, 1
	}
	if l.ahead >= l.patience || l.holder == 0 {
		l.holder, l.rival, l.ahead = best+1, 0, 0
	}
	return uint64(l.holder)
}
