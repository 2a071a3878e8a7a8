package layer

import "time"

// An encoding is dead after livenessFrames of its own frame intervals without
// a frame, but never before livenessFloor nor after livenessCeiling.
//
// Six intervals: a sender that skips a few frames (encoder overshoot, a lost
// burst awaiting retransmission) is still alive. Half a second: at 15 frames/s
// and more, six intervals are shorter than ordinary recovery from loss, so the
// floor decides there, and a viewer has noticed by then. Five seconds: beyond,
// a viewer would rather see a lower encoding than wait. Two seconds while only
// one frame has been seen: a still screen repeats its picture once a second.
const (
	livenessFrames  = 6
	livenessFloor   = 500 * time.Millisecond
	livenessCeiling = 5 * time.Second
	livenessUnknown = 2 * time.Second
)

// Liveness tells whether an encoding is still being sent, by the measure of
// its own frame rate: a fixed timeout that suits a camera declares a screen
// shared at 4 frames/s dead between any two frames.
//
// The zero value is an encoding of which nothing has been seen. A Liveness is
// not safe for concurrent use.
type Liveness struct {
	last     time.Time     // start of the newest frame; meaningful if seen
	interval time.Duration // smoothed; 0 until two frames were seen
	seen     bool
}

// Frame notes that a frame of the encoding began to arrive at now. Call it
// once per picture, not per packet. Time before the previous frame is ignored.
//
// The interval follows a slowing sender faster (by a quarter of the
// difference) than one that speeds up (a sixteenth): a wrong death costs a
// visible switch, a late one only some patience. A gap longer than any limit
// is a pause, not an interval, and starts the measurement anew.
func (l *Liveness) Frame(now time.Time) {
	gap := now.Sub(l.last)
	switch {
	case !l.seen || gap > livenessCeiling:
		l.interval = 0
	case gap < 0:
		return
	case l.interval == 0:
		l.interval = gap
	case gap > l.interval:
		l.interval += (gap - l.interval) / 4
	default:
		l.interval -= (l.interval - gap) / 16
	}
	l.last, l.seen = now, true
}

// Live reports whether the encoding is being sent as of now: a frame was seen,
// and the silence since the newest is no longer than six smoothed frame
// intervals, bounded to between 0.5 s and 5 s (2 s while the interval is
// unknown).
func (l *Liveness) Live(now time.Time) bool {
	return l.seen && now.Sub(l.last) <= l.limit()
}

// Interval returns the smoothed time between frames, or 0 until two frames
// have been seen since the start or the last pause. It leans to the longer of
// the recent intervals.
func (l *Liveness) Interval() time.Duration { return l.interval }

// limit is the longest silence of a live encoding.
func (l *Liveness) limit() time.Duration {
	if l.interval == 0 {
		return livenessUnknown
	}
	return min(max(livenessFrames*l.interval, livenessFloor), livenessCeiling)
}
