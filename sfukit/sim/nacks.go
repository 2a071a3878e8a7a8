package sim

import (
	"maps"
	"slices"
	"time"
)

// What libwebrtc's video receivers do about loss (modules/video_coding, as
// constants): they ask at once for every packet of a gap, again each round trip
// when the 20 ms timer looks, ten times in all, and start over with a keyframe when
// more than 1000 are missing. A receiver that only watches does not learn its round
// trip and takes it for 100 ms.
const (
	nackInterval   = 20 * time.Millisecond
	nackRTT        = 100 * time.Millisecond
	maxNackRetries = 10
	maxNacks       = 1000
)

// nacks is what a receiver knows to be missing.
type nacks struct {
	begun   bool
	highest int64
	missing map[int64]request
}

type request struct {
	asked time.Time
	tries int
}

// received notes a packet and returns what must be asked for at once, and whether
// so much is missing that only a keyframe helps.
func (n *nacks) received(now time.Time, seq int64) (ask []int64, overflow bool) {
	if !n.begun {
		n.begun, n.highest, n.missing = true, seq, map[int64]request{}
		return nil, false
	}
	delete(n.missing, seq)
	if seq <= n.highest {
		return nil, false
	}
	if int(seq-n.highest)+len(n.missing) > maxNacks {
		clear(n.missing)
		n.highest = seq
		return nil, true
	}
	for m := n.highest + 1; m < seq; m++ {
		n.missing[m] = request{now, 1}
		ask = append(ask, m)
	}
	n.highest = seq
	return ask, false
}

// due returns what must be asked for again, in order.
func (n *nacks) due(now time.Time) (ask []int64) {
	for _, seq := range slices.Sorted(maps.Keys(n.missing)) {
		r := n.missing[seq]
		if now.Sub(r.asked) < nackRTT {
			continue
		}
		if r.tries == maxNackRetries {
			delete(n.missing, seq)
			continue
		}
		n.missing[seq] = request{now, r.tries + 1}
		ask = append(ask, seq)
	}
	return ask
}

// passed forgets what came before a frame that has been decoded.
func (n *nacks) passed(seq int64) {
	for m := range n.missing {
		if m < seq {
			delete(n.missing, m)
		}
	}
}
