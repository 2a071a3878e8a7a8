// Package nack decides which lost packets of one inbound encoding to ask its
// publisher for, when to ask again and when to stop. The other direction, packets
// that a subscriber asks for, is served from package history.
package nack

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Defaults of [Config] and constants of the algorithm.
const (
	// What WebRTC senders keep for retransmission covers about a second, and a
	// decoder that has waited that long is helped sooner by a keyframe.
	defaultMaxAge = time.Second
	// As many as libwebrtc asks before it gives a packet up.
	defaultMaxRetries = 10
	// A quarter second of 10 Mbit/s. With more than this missing the link does
	// not carry the stream, and retransmissions would only add to the load.
	defaultMaxList = 250

	// A single packet overtaken by its successor is the usual reordering; a
	// request for it would cost a retransmission for nothing. A frame's packets
	// follow each other faster than this, so for a real loss it costs little.
	reorderDelay = 5 * time.Millisecond
	// Assumed while no round trip is measured, as in libwebrtc.
	unknownRTT = 100 * time.Millisecond
	// Weight of one repair in the smoothed time that they take, as of a sample in the
	// smoothed round trip of RFC 6298 section 2.
	answerWeight = 8
	// Least time between two requests for a packet: publishers answer a request
	// once they get to it, not at once.
	minRetry = 20 * time.Millisecond
	// Packets this far below the newest are no reordering, and no repairs below
	// 30 Mbit/s. Two in sequence mean that the sender started over (the proof that
	// RFC 3550 appendix A.1 asks for).
	maxMisorder = 3000
	noRestart   = math.MinInt64
)

// ErrConfig is returned by [New], wrapped with the field and its value, when a
// [Config] is impossible.
var ErrConfig = errors.New("nack: invalid config")

// Config limits how hard a [Generator] tries. The zero value is a good
// configuration; negative values are errors.
type Config struct {
	// MaxAge is how long a packet is asked for, counted from when it was found
	// missing. Default 1 s.
	MaxAge time.Duration
	// MaxRetries is how often one packet is asked for. Default 10.
	MaxRetries int
	// MaxList is how many packets may be missing at a time; with one more, all
	// are given up. Default 250.
	MaxList int
}

// A Generator watches the sequence numbers of one inbound encoding. It asks for a
// gap of several packets at once; a gap of one packet only when a second newer
// packet has arrived or after 5 ms, since reordering mostly looks like that.
// A packet without answer is asked for again after 1.25 round trips. Make one with
// [New]. A Generator is not safe for concurrent use.
type Generator struct {
	maxAge     time.Duration
	maxRetries int
	maxList    int

	started  bool
	highest  int64
	restart  int64         // the number that would prove a restart
	missing  []lost        // ascending by seq
	unasked  bool          // the last of missing waits for reorderDelay
	forsaken int           // given up and not yet reported by Due
	answer   time.Duration // smoothed time from a request to its repair
}

// lost is one packet that should have arrived.
type lost struct {
	seq   int64
	since time.Time
	asked time.Time
	tries int
}

// New returns a Generator, or an error wrapping [ErrConfig].
func New(c Config) (*Generator, error) {
	switch {
	case c.MaxAge < 0:
		return nil, fmt.Errorf("%w: MaxAge %v, want 0 or more", ErrConfig, c.MaxAge)
	case c.MaxRetries < 0:
		return nil, fmt.Errorf("%w: MaxRetries %d, want 0 or more", ErrConfig, c.MaxRetries)
	case c.MaxList < 0:
		return nil, fmt.Errorf("%w: MaxList %d, want 0 or more", ErrConfig, c.MaxList)
	}
	return &Generator{
		maxAge:     cmp.Or(c.MaxAge, defaultMaxAge),
		maxRetries: cmp.Or(c.MaxRetries, defaultMaxRetries),
		maxList:    cmp.Or(c.MaxList, defaultMaxList),
	}, nil
}

// Received records that the packet with the unwrapped sequence number seq
// arrived, by whatever way: first transmission, retransmission (RFC 4588, after
// its original number is restored) or duplicate. It appends to dst the numbers
// that must be asked for at once, in ascending order, and returns it.
//
// A gap wider than MaxList is not asked for; [Generator.Due] reports it as given
// up. Two packets in sequence from more than 3000 below the highest number are
// taken for a sender that started over, as if by [Generator.Reset].
func (g *Generator) Received(now time.Time, seq int64, dst []uint16) []uint16 {
	if !g.started {
		g.Reset(seq)
		return dst
	}
	if seq <= g.highest {
		g.late(now, seq)
		return dst
	}
	gap := seq - g.highest - 1
	if gap+int64(len(g.missing)) > int64(g.maxList) {
		g.forsaken += len(g.missing) + int(min(gap, 1<<16))
		g.missing, g.unasked = g.missing[:0], false
		g.highest = seq
		return dst
	}
	if g.unasked {
		g.unasked = false
		dst = g.missing[len(g.missing)-1].ask(now, dst)
	}
	for n := g.highest + 1; n < seq; n++ {
		g.missing = append(g.missing, lost{seq: n, since: now})
		if gap > 1 {
			dst = g.missing[len(g.missing)-1].ask(now, dst)
		}
	}
	g.unasked = gap == 1
	g.highest = seq
	return dst
}

// late handles a packet that is not newer than all others.
func (g *Generator) late(now time.Time, seq int64) {
	if seq < g.highest-maxMisorder {
		if seq == g.restart {
			g.Reset(seq)
			return
		}
		g.restart = seq + 1
	}
	i, found := slices.BinarySearchFunc(g.missing, seq, bySeq)
	if !found {
		return
	}
	if i == len(g.missing)-1 {
		g.unasked = false
	}
	if l := &g.missing[i]; l.tries == 1 { // of several it cannot be told which was answered
		took := max(0, now.Sub(l.asked))
		if g.answer == 0 {
			g.answer = took
		}
		g.answer += (took - g.answer) / answerWeight
	}
	g.missing = slices.Delete(g.missing, i, i+1)
}

// Due appends to dst the numbers that must be asked for now, in ascending order,
// and returns it with how many packets were given up since the previous call: too
// old, asked for too often, or too many at once. If any were, only a keyframe
// helps. rtt is the round trip to the publisher, 0 if not known: then it is taken
// from the time that repairs took, and before the first of them to be 100 ms. Call
// Due every 5 to 20 ms while [Generator.Pending] is not 0.
func (g *Generator) Due(now time.Time, rtt time.Duration, dst []uint16) (seqs []uint16, gaveUp int) {
	if rtt <= 0 {
		rtt = cmp.Or(g.answer, unknownRTT)
	}
	retry := max(minRetry, rtt+rtt/4) // a repair queues behind live packets
	keep := g.missing[:0]
	for _, l := range g.missing {
		switch {
		case now.Sub(l.since) > g.maxAge,
			l.tries >= g.maxRetries && now.Sub(l.asked) >= retry:
			g.forsaken++
			continue
		case l.tries == 0 && now.Sub(l.since) >= reorderDelay:
			g.unasked = false
			dst = l.ask(now, dst)
		case l.tries > 0 && now.Sub(l.asked) >= retry:
			dst = l.ask(now, dst)
		}
		keep = append(keep, l)
	}
	g.missing = keep
	if len(keep) == 0 {
		g.unasked = false
	}
	gaveUp, g.forsaken = g.forsaken, 0
	return dst, gaveUp
}

// Pending returns how many packets are missing and not given up.
func (g *Generator) Pending() int { return len(g.missing) }

// Reset forgets everything that is missing and goes on from seq as the highest
// number received: for a source that started over. It does not count as giving up.
func (g *Generator) Reset(seq int64) {
	g.started = true
	g.highest = seq
	g.restart = noRestart
	g.missing, g.unasked, g.forsaken = g.missing[:0], false, 0
}

func bySeq(l lost, seq int64) int { return cmp.Compare(l.seq, seq) }

func (l *lost) ask(now time.Time, dst []uint16) []uint16 {
	l.asked = now
	l.tries++
	return append(dst, uint16(l.seq))
}
