package allocate

import (
	"cmp"
	"slices"
	"time"
)

// Candidate is a video track that a subscriber could get.
type Candidate struct {
	// ID names the track.
	ID uint64
	// Joined orders tracks by arrival; distinct.
	Joined uint64
	// Screen marks a screen share.
	Screen bool
	// Spoke is when the track's peer was last the dominant speaker; zero for never.
	Spoke time.Time
	// In is true if the track is forwarded. LastN reads and sets it.
	In bool
}

// LastN chooses the n video tracks to forward: screen shares, then
// those who spoke last, then those forwarded already, then the first to join.
// An n of 0 or less is no limit. It orders tracks by this, sets In of each, and
// returns those that are in, a part of tracks.
//
// A track leaves only when another takes its place, and that happens only when a
// peer is elected speaker, or a share appears. So the last n speakers
// stay, and the changes are no more than the elections. It does not allocate.
func LastN(n int, tracks []Candidate) []Candidate {
	slices.SortFunc(tracks, compareCandidates)
	if n <= 0 || n > len(tracks) {
		n = len(tracks)
	}
	for i := range tracks {
		tracks[i].In = i < n
	}
	return tracks[:n]
}

func compareCandidates(x, y Candidate) int {
	return cmp.Or(
		first(x.Screen, y.Screen),
		y.Spoke.Compare(x.Spoke), // the later first
		first(x.In, y.In),
		cmp.Compare(x.Joined, y.Joined),
	)
}
