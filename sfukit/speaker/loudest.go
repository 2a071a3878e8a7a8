package speaker

import (
	"cmp"
	"slices"
	"time"
)

// LoudestRelease is how long a decibel of loudness lasts after it was heard,
// for Loudest: speech 30 dB above a rival's noise stays ahead of it through
// pauses of 3 s.
const LoudestRelease = 100 * time.Millisecond

// Loudest appends to dst the ids of at most k candidates as they stand at now,
// the loudest first. Unlike Top it knows nothing of elections: it follows every
// packet, so a peer that begins to speak is in with its second one, and whoever
// it pushes out is the one that has been quiet for longest. It is what to
// forward when not everything can be; the dominant speaker need not be in it.
//
// A peer is as loud as its loudest packet, less a decibel per LoudestRelease
// since; packets within a band of its noise floor do not count. What is equal,
// silence above all, goes to whom was heard last, then to the lowest id. Silent
// peers count too, so k candidates yield k ids. It allocates only to grow dst.
func (d *Detector) Loudest(now time.Time, k int, dst []uint64) []uint64 {
	for _, p := range d.peers {
		p.loudness = p.peak.at(now)
	}
	return d.first(k, dst, louder)
}

// louder orders peers by loudness, the loudest first.
func louder(a, b *peer) int {
	if a.loudness == b.loudness && !a.peak.heard.Equal(b.peak.heard) {
		return b.peak.heard.Compare(a.peak.heard)
	}
	return cmp.Or(cmp.Compare(b.loudness, a.loudness), cmp.Compare(a.id, b.id))
}

// first appends to dst the ids of the k candidates that come first in order.
func (d *Detector) first(k int, dst []uint64, order func(a, b *peer) int) []uint64 {
	d.ranked = d.ranked[:0]
	for _, p := range d.peers {
		if !p.paused {
			d.ranked = append(d.ranked, p)
		}
	}
	slices.SortFunc(d.ranked, order)
	for _, p := range d.ranked[:min(max(k, 0), len(d.ranked))] {
		dst = append(dst, p.id)
	}
	clear(d.ranked) // keep no removed peer alive
	return dst
}

// peak is a loudness that rises at once and falls with time.
type peak struct {
	volume int       // when last raised
	heard  time.Time // then
}

// at returns what is left of the peak.
func (p peak) at(now time.Time) int {
	gone := max(now.Sub(p.heard)/LoudestRelease, 0)
	return p.volume - int(min(gone, time.Duration(p.volume)))
}

// raise notes a volume above the noise floor.
func (p *peak) raise(now time.Time, v int) {
	if v >= p.at(now) {
		*p = peak{v, now}
	}
}
