package layer

import (
	"cmp"
	"slices"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Rung is what is known about one encoding of a published track.
type Rung struct {
	RID           RID           // name the publisher gave it; "" without simulcast
	Width, Height int           // picture size in pixels as last seen; 0 or less is unknown
	Bitrate       units.Bitrate // measured over a second or more; 0 or less is unknown
	Live          bool          // packets arrive now, see Liveness; false is never chosen
}

// area is the picture size in pixels, or 0 when it is not known.
func (r Rung) area() int64 {
	if r.Width <= 0 || r.Height <= 0 {
		return 0
	}
	return int64(r.Width) * int64(r.Height)
}

// Ladder is the encodings of one published track from lowest to highest,
// whatever the publisher calls them and in whatever order it declared them.
// A Ladder never changes after NewLadder: it may be copied, and used by
// several goroutines. The zero value is a ladder without rungs.
type Ladder struct {
	rungs []Rung
}

// NewLadder orders a copy of rungs, given in the order of declaration and with
// distinct RIDs. A criterion counts only if it is known for every rung, since
// mixing criteria pair by pair would not be an order. They are, first to last:
// picture area, the conventional names (Low, Medium, High), measured bitrate,
// and the order of declaration; a later one only separates rungs that are
// equal by all earlier ones. Rates come after names because they vary: an order
// that follows them alone changes with what is in the picture.
func NewLadder(rungs []Rung) Ladder {
	areas, rates, names := true, true, true
	for _, r := range rungs {
		areas = areas && r.area() > 0
		rates = rates && r.Bitrate > 0
		names = names && r.RID.conventional()
	}
	sorted := slices.Clone(rungs)
	slices.SortStableFunc(sorted, func(a, b Rung) int {
		c := 0
		if areas {
			c = cmp.Compare(a.area(), b.area())
		}
		if c == 0 && names {
			c = cmp.Compare(a.RID.Rank(), b.RID.Rank())
		}
		if c == 0 && rates {
			c = cmp.Compare(a.Bitrate, b.Bitrate)
		}
		return c
	})
	return Ladder{rungs: sorted}
}

// Len returns the number of rungs, live or not.
func (l Ladder) Len() int { return len(l.rungs) }

// At returns rung i, 0 being the lowest, or the zero Rung if there is no
// rung i.
func (l Ladder) At(i int) Rung {
	if i < 0 || i >= len(l.rungs) {
		return Rung{}
	}
	return l.rungs[i]
}

// Rank returns the position of r, 0 being the lowest, and false if the ladder
// has no such encoding.
func (l Ladder) Rank(r RID) (int, bool) {
	for i := range l.rungs {
		if l.rungs[i].RID == r {
			return i, true
		}
	}
	return 0, false
}

// BestFit returns the highest live rung that is not above limit, else the
// lowest live one, and false if none is live. An empty limit is no limit.
//
// A limit the ladder does not have is taken as a place on it: Low is the
// bottom, Medium the (lower) middle, any other name the top. On ladders with
// conventional names this agrees with the function BestFit over the live
// names, and it lets a tier of package pacer govern a publisher that calls
// its encodings something else.
func (l Ladder) BestFit(limit RID) (RID, bool) {
	highest := len(l.rungs) - 1
	if limit == "" {
		return l.atMost(highest)
	}
	top, ok := l.Rank(limit)
	if !ok {
		top = highest * limit.Rank() / 2
	}
	return l.atMost(top)
}

// FitWidth returns the highest live rung whose picture is at most maxWidth
// pixels wide, else the lowest live one, and false if none is live. A rung of
// unknown width does not fit. A maxWidth of 0 or less is no limit.
func (l Ladder) FitWidth(maxWidth int) (RID, bool) {
	if maxWidth <= 0 {
		return l.atMost(len(l.rungs) - 1)
	}
	for i := len(l.rungs) - 1; i >= 0; i-- {
		if r := &l.rungs[i]; r.Live && 0 < r.Width && r.Width <= maxWidth {
			return r.RID, true
		}
	}
	return l.atMost(0)
}

// atMost returns the highest live rung at or below position top, else the
// lowest above it. A top beyond the ladder is its highest rung.
func (l Ladder) atMost(top int) (RID, bool) {
	top = min(top, len(l.rungs)-1)
	for i := top; i >= 0; i-- {
		if l.rungs[i].Live {
			return l.rungs[i].RID, true
		}
	}
	for i := top + 1; i < len(l.rungs); i++ {
		if l.rungs[i].Live {
			return l.rungs[i].RID, true
		}
	}
	return "", false
}
