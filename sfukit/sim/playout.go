package sim

import "time"

// What libwebrtc counts as a freeze (video_quality_observer, as constants; W3C
// webrtc-stats, freezeCount): a picture that stands for longer than three times the
// mean of the 30 intervals before it, and for longer than that mean and 150 ms; not
// before five pictures have been seen.
const (
	freezeWindow   = 30
	freezeSamples  = 5
	freezeIncrease = 150 * time.Millisecond
)

// A Freeze is a picture that stood still on a subscriber's screen.
type Freeze struct {
	// At is when the picture was shown, Lasted how long it stood.
	At, Lasted time.Duration
	// Cause is what it is put down to.
	Cause Cause
}

// Cause is what a freeze is put down to.
type Cause uint8

// The causes.
const (
	// CauseNetwork: something of the track was lost, or waited, shortly before.
	CauseNetwork Cause = iota
	// CauseSource: the publisher took fewer pictures, or stopped sending the encoding
	// that was shown.
	CauseSource
	// CauseRoom: neither. The room has changed the encoding and should not have let
	// the subscriber notice, or has not forwarded what it had.
	CauseRoom
)

var causeNames = [...]string{"network", "source", "room"}

// String returns the cause's name in lower case.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "unknown"
}

// playout is a jitter buffer and the screen behind it. It adapts as libwebrtc's
// does, in outline: it delays pictures by as much as their way varied lately, and
// shows a late one as soon as it can.
type playout struct {
	begun     bool
	base      time.Duration // the shortest way of a frame, from capture to complete
	jitter    time.Duration // how much longer it was lately
	shown     time.Duration // the last picture
	intervals []time.Duration
	pictures  int
}

const (
	// The buffer forgets jitter by half in about 7 s at 30 frames per second, and
	// its least delay by a millisecond in a second, for clocks that drift.
	jitterDecay = 0.997
	baseDrift   = 33 * time.Microsecond
	maxJitter   = time.Second
)

// show takes a picture that was captured at one time and can be decoded at another,
// and returns the freeze that it ends, if it ends one.
func (p *playout) show(captured, ready time.Duration) (Freeze, bool) {
	way := ready - captured
	if !p.begun || way < p.base {
		p.base = way
	}
	p.base += baseDrift
	p.jitter = min(maxJitter, max(time.Duration(jitterDecay*float64(p.jitter)), way-p.base))
	at := max(ready, captured+p.base+p.jitter, p.shown)
	if !p.begun {
		p.begun, p.shown = true, at
		return Freeze{}, false
	}
	p.pictures++
	gap := at - p.shown
	f := Freeze{At: p.shown, Lasted: gap}
	p.shown = at
	froze := p.stands(gap)
	if p.intervals = append(p.intervals, gap); len(p.intervals) > freezeWindow {
		p.intervals = p.intervals[1:]
	}
	return f, froze
}

// stands reports whether an interval is a freeze.
func (p *playout) stands(gap time.Duration) bool {
	if len(p.intervals) < freezeSamples {
		return false
	}
	var sum time.Duration
	for _, i := range p.intervals {
		sum += i
	}
	avg := sum / time.Duration(len(p.intervals))
	return gap >= max(3*avg, avg+freezeIncrease)
}

// forget starts over: what comes next follows a pause that was meant.
func (p *playout) forget() {
	p.begun, p.intervals = false, p.intervals[:0]
}
