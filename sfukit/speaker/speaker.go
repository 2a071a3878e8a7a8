// Package speaker elects the dominant speaker of a conversation from the audio
// levels that packets carry (RFC 6464), without decoding audio. It implements
// the algorithm of Volfin and Cohen, which compares speech activity over three
// intervals so that a cough, a slammed door or steady noise does not take the
// floor.
package speaker

import (
	"cmp"
	"slices"
	"time"
)

// Detector elects among the peers of one room. Levels go in with Record, an
// election is held by Tick. What it answers depends on the levels and their
// times alone: peers recorded in any order give the same result, and the
// lowest id wins what is otherwise equal.
//
// Its memory grows with the number of peers only. A Detector comes from New
// and is not safe for concurrent use.
type Detector struct {
	cfg  Config
	rule scorer

	byID     map[uint64]*peer
	peers    []*peer // by ascending id
	dominant *peer   // nil before the first election or after its removal
	ranked   []*peer // scratch of first

	ticked bool
	last   time.Time // of the last effective Tick; meaningful if ticked
}

// Change says who became the dominant speaker.
type Change struct {
	Speaker uint64
	// Margin is by how much the winner exceeded what was asked of it over the
	// medium interval: the logarithm of the ratio of scores, less C2. It is 0
	// when there was nobody to replace.
	Margin float64
}

// Score is the activity of one peer as of the last Tick, over the newest level,
// the medium and the long interval. Scores are positive; only ratios mean
// anything, and only between peers over the same interval.
type Score struct {
	ID                      uint64
	Immediate, Medium, Long float64
}

// New returns a Detector without peers, or an ErrConfig naming the field.
func New(cfg Config) (*Detector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Detector{cfg: cfg, rule: newScorer(cfg), byID: make(map[uint64]*peer)}, nil
}

// Interval is the period with which Tick is to be called: Config.Interval or its
// default.
func (d *Detector) Interval() time.Duration { return d.cfg.Interval }

// Add makes id a candidate that stays until Remove, even if it never sends a
// level. Adding a peer twice changes nothing.
func (d *Detector) Add(id uint64) { d.peer(id).added = true }

// Remove forgets id. If it was the dominant speaker there is none until the
// next election. A level recorded later would bring it back.
func (d *Detector) Remove(id uint64) {
	p, ok := d.byID[id]
	if !ok {
		return
	}
	delete(d.byID, id)
	d.peers = slices.DeleteFunc(d.peers, func(q *peer) bool { return q == p })
	if d.dominant == p {
		d.dominant = nil
	}
}

// Record notes that id sent a packet with the given audio level at now. Level
// is as on the wire (RFC 6464 section 3, without the V bit): 0 to 127 -dBov, 0
// the loudest and 127 silence. A level older than the newest of that peer is
// ignored. An unknown id becomes a candidate that is forgotten again after
// SpeakerIdleTimeout without a level; for a known one nothing is allocated.
func (d *Detector) Record(now time.Time, id uint64, level uint8) {
	d.peer(id).record(now, volume(level), &d.rule)
}

// peer returns the state of id, creating it if need be.
func (d *Detector) peer(id uint64) *peer {
	if p, ok := d.byID[id]; ok {
		return p
	}
	p := &peer{
		id:        id,
		levels:    history{ring: make([]uint8, d.cfg.N2*d.cfg.N3)},
		immediate: minScore, medium: minScore, long: minScore,
	}
	d.byID[id] = p
	at, _ := slices.BinarySearchFunc(d.peers, id, func(q *peer, id uint64) int { return cmp.Compare(q.id, id) })
	d.peers = slices.Insert(d.peers, at, p)
	return p
}

// Dominant returns the dominant speaker, or false if there is none.
func (d *Detector) Dominant() (uint64, bool) {
	if d.dominant == nil {
		return 0, false
	}
	return d.dominant.id, true
}

// Top appends to dst the ids of at most k candidates, the most active over the
// medium interval first as of the last Tick, then the loudest, then the lowest
// id. Silent peers count too, so k candidates yield k ids; the dominant speaker
// need not be the first. For what to forward see Loudest. It allocates only to
// grow dst.
func (d *Detector) Top(k int, dst []uint64) []uint64 { return d.first(k, dst, compare) }

// Scores appends to dst the scores of all known peers by ascending id. It
// allocates only to grow dst.
func (d *Detector) Scores(dst []Score) []Score {
	for _, p := range d.peers {
		dst = append(dst, Score{ID: p.id, Immediate: p.immediate, Medium: p.medium, Long: p.long})
	}
	return dst
}
