package sfukit

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
)

// ladder is what a published track can be had in, lowest quality first, as it was
// at a moment. It never changes, so that all subscribers share it.
type ladder struct {
	at    time.Time
	rungs []allocate.Rung
}

// ladderAge is how old a ladder may be that is still used.
const ladderAge = 80 * time.Millisecond

// ladderNow returns the track's ladder, measured anew if it is old.
func (t *track) ladderNow(now time.Time) []allocate.Rung {
	if l := t.ladder.Load(); l != nil && now.Sub(l.at) < ladderAge {
		return l.rungs
	}
	order := make([]layer.Rung, len(t.encodings))
	for i, e := range t.encodings {
		order[i] = e.rung(now)
	}
	sorted := layer.NewLadder(order)
	l := &ladder{at: now}
	for i := range sorted.Len() {
		e := t.encoding(string(sorted.At(i).RID))
		l.rungs = e.rungs(now, i == 0, l.rungs)
	}
	t.ladder.Store(l)
	return l.rungs
}

// leastFPS is below what a picture stutters. A track's lowest encoding is offered
// with fewer frames all the same: that is better than none.
const leastFPS = 12

// rungs appends what the encoding can be had in: its layers as measured, as far as
// they are worth having. While it is silent they are those last known, and one
// without layers until anything is known.
func (e *encoding) rungs(now time.Time, lowest bool, dst []allocate.Rung) []allocate.Rung {
	e.mu.Lock()
	defer e.mu.Unlock()
	live := e.live.Live(now)
	if live {
		var buf [layer.MaxSpatial * layer.MaxTemporal]layer.LayerRate
		if rates := e.meter.Rates(now, buf[:0]); len(rates) > 0 {
			e.layers = append(e.layers[:0], rates...)
		}
	}
	first := len(dst)
	for i := range e.layers {
		r := &e.layers[i]
		full := i+1 == len(e.layers) || e.layers[i+1].Spatial != r.Spatial
		if !full && r.FPS < leastFPS && !(lowest && r.Spatial == e.layers[0].Spatial) {
			continue
		}
		w := e.widthOf(r.Spatial)
		dst = append(dst, allocate.Rung{
			RID: e.rid, Spatial: r.Spatial, Temporal: r.Temporal, Width: w,
			Rate: r.Bitrate,
		})
	}
	if len(dst) == first {
		dst = append(dst, allocate.Rung{RID: e.rid, Width: e.width})
	}
	for i := first; i < len(dst); i++ {
		dst[i].Live, dst[i].Began = live, e.began
		dst[i].Idle = !live && e.unwanted.Load()
	}
	return dst
}

// widthOf returns the picture width of a spatial layer: each is taken for half of the
// next above, as in every scalability mode without a factor in its name (W3C
// webrtc-svc).
func (e *encoding) widthOf(spatial uint8) int {
	top := e.layers[len(e.layers)-1].Spatial
	return e.width >> (top - spatial)
}
