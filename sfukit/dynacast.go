package sfukit

import (
	"slices"
	"sync"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/demand"
)

// dynacast finds out which encodings of a simulcast track its publisher need not
// send (package demand). Its mutex may be taken under subscriber.mu and takes none.
type dynacast struct {
	mu    sync.Mutex
	track *demand.Track // nil if there is nothing to find out; guarded by mu
}

// init begins to find out, if there is simulcast and somebody to tell: to an
// application that does not listen, an encoding that is silent is just silent.
func (d *dynacast) init(now time.Time, encodings int, listens bool) {
	if encodings > 1 && listens {
		d.track, _ = demand.New(now, encodings) // more than one is valid
	}
}

// want notes what a line has a use for: the higher of what it shows and what it
// would like. None is -1.
func (d *dynacast) want(now time.Time, l *downLine, encoding int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.track != nil {
		d.track.Want(now, l.id(), encoding)
	}
}

// leave forgets a line.
func (d *dynacast) leave(now time.Time, l *downLine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.track != nil {
		d.track.Leave(now, l.id())
	}
}

// id names the line among all that may watch a track: peer ids are of a room.
func (l *downLine) id() uint64 { return uint64(l.peer.id) }

// updateDemand tells the publisher if the encodings that are wanted have changed.
func (t *track) updateDemand(now time.Time) {
	t.dynacast.mu.Lock()
	if t.dynacast.track == nil {
		t.dynacast.mu.Unlock()
		return
	}
	n, changed := t.dynacast.track.Update(now)
	t.dynacast.mu.Unlock()
	if changed {
		t.setWanted(now, max(n, 1))
	}
}

// setWanted notes that the n lowest encodings are wanted, and tells the publisher. A
// track that comes with a later offer begins with all of them, as every track does: what
// the m-line carried before may have had some switched off, and a browser's sender keeps
// them so (RTCRtpEncodingParameters.active, W3C webrtc).
func (t *track) setWanted(now time.Time, n int) {
	var lowest []SfuRid
	for _, r := range t.ladderNow(now) {
		if len(lowest) < n && !slices.Contains(lowest, r.RID) {
			lowest = append(lowest, r.RID)
		}
	}
	change := PublishLayers{MID: t.mid}
	for _, e := range t.encodings {
		wanted := slices.Contains(lowest, e.rid)
		e.unwanted.Store(!wanted)
		if wanted {
			change.RIDs = append(change.RIDs, e.rid)
		}
	}
	t.owner.emitPublishLayers(change)
}

// wantDemand tells the track what the line has a use for.
func (l *downLine) wantDemand(now time.Time, t *allocate.Track, d *allocate.Decision) {
	l.track.dynacast.want(now, l, place(t.Rungs, max(d.Want, d.Rung, t.Showing)))
}

// place returns which of a ladder's encodings a rung belongs to, counted from the
// lowest; -1 for none.
func place(rungs []allocate.Rung, rung int) int {
	n := -1
	for i := range rungs[:rung+1] {
		if i == 0 || rungs[i].RID != rungs[i-1].RID {
			n++
		}
	}
	return n
}
