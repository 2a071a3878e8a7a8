package allocate

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Budget is what the link to a subscriber is believed to carry.
type Budget struct {
	// Target is the estimate, all streams together. Meaningless unless Known.
	Target units.Bitrate
	// Known is false while there is no estimate: then nothing is raised or lowered
	// for bandwidth, and new tracks begin at their lowest rung.
	Known bool
	// Drained is what Target would be if there were no queue to empty; less than
	// Target counts as Target. A lowest rung may take it while the queue empties.
	Drained units.Bitrate
	// Probed is the highest rate that the latest successful probe showed the link to
	// carry, and ProbedAt when; zero if there was none.
	Probed   units.Bitrate
	ProbedAt time.Time
}

// Track is one track that a subscriber watches. The zero values of its wishes ask
// for the best there is.
type Track struct {
	// ID names the track; distinct among the tracks of a subscriber. What the
	// Allocator remembers of a track goes by it.
	ID uint64
	// Audio tracks have one rung, the rate of which is set aside first.
	Audio bool
	// Priority is the client's wish, the greater the more important. It comes before
	// Screen and Speaker.
	Priority int
	// Screen marks a screen share, Speaker the active speaker's camera.
	Screen, Speaker bool
	// MaxRID is the highest encoding wanted, "" for no limit. A name that no rung
	// has is taken as a place in the ladder, as by layer.Ladder.
	MaxRID layer.RID
	// MaxWidth is the widest picture of use, in pixels; 0 for no limit. If all are
	// wider, the lowest rung is still wanted.
	MaxWidth int
	// Paused is true if the client does not want the track now.
	Paused bool
	// Showing is the index of the rung that flows now, -1 for none. It lags behind
	// what was decided while a keyframe is awaited.
	Showing int
	// Rungs is what the publisher offers, from lowest to highest quality, the rungs
	// of one encoding in succession. Borrowed until the call returns.
	Rungs []Rung
}

// Rung is one quality a track can be had in: an encoding, up to a spatial and a
// temporal layer.
type Rung struct {
	// RID is the encoding, "" without simulcast. With Spatial and Temporal, the
	// highest layers included, it names the rung.
	RID               layer.RID
	Spatial, Temporal uint8
	// Width is that of the picture in pixels; 0 is unknown.
	Width int
	// Rate is measured over a second or so, all layers below included; 0 is
	// unknown. While the rung is not live it is the last one known.
	Rate units.Bitrate
	// Began is when the encoding was first sent: for four seconds its rate is expected
	// to grow. The zero value is long ago.
	Began time.Time
	// Live is true while packets of it arrive (layer.Liveness). Only live rungs are
	// chosen.
	Live bool
	// Idle is true if it is not live because the publisher was told that nobody
	// wants it (package demand). It counts as what more bandwidth could buy.
	Idle bool
}

// same reports whether two rungs have one name.
func (r *Rung) same(o *rungState) bool {
	return r.RID == o.rid && r.Spatial == o.spatial && r.Temporal == o.temporal
}

// place returns the index of the highest rung of the encoding that limit names, or
// of its place in the ladder if it names none: see layer.Ladder.BestFit.
func place(rungs []Rung, limit layer.RID) int {
	if limit == "" {
		return len(rungs) - 1
	}
	encodings := 0
	for i := len(rungs) - 1; i >= 0; i-- {
		if rungs[i].RID == limit {
			return i
		}
		if i == 0 || rungs[i].RID != rungs[i-1].RID {
			encodings++
		}
	}
	top := (encodings - 1) * limit.Rank() / 2 // the number of an encoding
	for i := range rungs {
		if i > 0 && rungs[i].RID != rungs[i-1].RID {
			top--
		}
		if top < 0 {
			return i - 1
		}
	}
	return len(rungs) - 1
}

// top returns the index of the highest rung the client has a use for, or -1 if
// that is less than the lowest.
func (t *Track) top() int {
	top := place(t.Rungs, t.MaxRID)
	if t.MaxWidth > 0 {
		for top >= 0 && !t.fits(top) {
			top--
		}
	}
	return top
}

// fits reports whether the picture of a rung is known to be no wider than MaxWidth.
// One that was never sent for want of demand would never be if that were to be
// known: it is taken for twice as wide as the one below, as in browsers' ladders.
func (t *Track) fits(i int) bool {
	width, times := t.Rungs[i].Width, 1
	for ; width <= 0 && t.Rungs[i].Idle && i > 0; width = t.Rungs[i].Width {
		i--
		if t.Rungs[i].RID != t.Rungs[i+1].RID {
			times *= 2
		}
	}
	return width > 0 && width <= t.MaxWidth/times
}

// atMost returns the highest live rung up to top, or -1.
func (t *Track) atMost(top int) int {
	for i := min(top, len(t.Rungs)-1); i >= 0; i-- {
		if t.Rungs[i].Live {
			return i
		}
	}
	return -1
}

// above returns the lowest rung over i that can be had, live ones only if live is
// set, or -1.
func (t *Track) above(i int, live bool) int {
	for i++; i < len(t.Rungs); i++ {
		if r := &t.Rungs[i]; r.Live || !live && r.Idle {
			return i
		}
	}
	return -1
}
