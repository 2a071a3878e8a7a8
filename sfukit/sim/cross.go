package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// CrossConfig describes traffic of others on the bottleneck.
type CrossConfig struct {
	// Start and Stop are when it sends. A Stop of 0 means until the end.
	Start, Stop time.Duration
	// Rate makes it a stream of datagrams at this rate that heeds nothing. 0 makes
	// it a TCP transfer.
	Rate units.Bitrate
	// Cubic has the transfer grow as RFC 9438 says instead of RFC 5681.
	Cubic bool
	// On and Off are the mean times, exponentially distributed, that it sends and
	// pauses. Both 0 means that it never pauses.
	On, Off time.Duration
}

const (
	segmentSize = 1500 // bytes
	minWindow   = 2.0  // segments
	firstWindow = 10.0 // RFC 6928
	duplicates  = 3    // RFC 5681 section 3.2
	minRTO      = time.Second
)

// cross is a running CrossConfig.
type cross struct {
	engine   *Engine
	id       int
	c        CrossConfig
	down, up *Link
	random   *rand.Rand
	on       bool
	received int // bytes since the last sample

	// Of a transfer. Segments are numbered for ever; what is lost is not repeated,
	// since nobody reads it: only the pace matters.
	next, highest int64 // the next to send; after the highest acknowledged
	recovery      int64 // losses before this belong to one that has been acted on
	flight        map[int64]time.Time
	window, limit float64 // segments; limit ends slow start
	srtt          time.Duration
	lastAck       time.Time
	before        float64   // the window when it was last cut
	cut           time.Time // when that was
}

func newCross(e *Engine, id int, c CrossConfig, down, up *Link) *cross {
	x := &cross{
		engine: e, id: id, c: c, down: down, up: up, random: e.Rand(fmt.Sprintf("cross %d", id)),
		flight: map[int64]time.Time{},
	}
	e.After(c.Start, func() {
		x.turn(true)
		if c.Rate > 0 {
			x.stream()
		} else {
			e.Every(100*time.Millisecond, x.timeout)
		}
	})
	return x
}

func (x *cross) done() bool { return x.c.Stop > 0 && x.engine.Elapsed() >= x.c.Stop }

// turn switches between sending and pausing.
func (x *cross) turn(on bool) {
	x.on = on
	if on && x.c.Rate == 0 {
		x.window, x.limit, x.recovery = firstWindow, math.Inf(1), x.next
		x.cut = time.Time{}
		x.lastAck = x.engine.Now()
		clear(x.flight)
		x.fill()
	}
	if x.c.On == 0 && x.c.Off == 0 || x.done() {
		return
	}
	mean := x.c.Off
	if on {
		mean = x.c.On
	}
	x.engine.After(time.Duration(x.random.ExpFloat64()*float64(mean)), func() { x.turn(!on) })
}

// stream sends datagrams evenly.
func (x *cross) stream() {
	if x.done() {
		return
	}
	if x.on {
		x.send(0)
	}
	x.engine.After(time.Duration(8*segmentSize/float64(x.c.Rate)*float64(time.Second)), x.stream)
}

func (x *cross) send(n int64) {
	x.down.Send(&Packet{Flow: x.id, Size: segmentSize, Number: n, Sent: x.engine.Now(), To: x.arrive})
}

func (x *cross) arrive(p *Packet) {
	x.received += p.Size
	if x.c.Rate == 0 {
		x.up.Send(&Packet{Flow: x.id, Size: 40, Number: p.Number, To: x.acknowledge})
	}
}

// fill sends what the window allows.
func (x *cross) fill() {
	for x.on && !x.done() && float64(len(x.flight)) < x.window {
		x.flight[x.next] = x.engine.Now()
		x.send(x.next)
		x.next++
	}
}

func (x *cross) acknowledge(p *Packet) {
	now := x.engine.Now()
	sent, waiting := x.flight[p.Number]
	if !waiting {
		return
	}
	delete(x.flight, p.Number)
	x.lastAck = now
	rtt := now.Sub(sent)
	if x.srtt == 0 {
		x.srtt = rtt
	}
	x.srtt += (rtt - x.srtt) / 8 // RFC 6298 section 2.3
	x.highest = max(x.highest, p.Number+1)
	lost := false
	for n := range x.flight {
		if n < x.highest-duplicates {
			delete(x.flight, n)
			lost = lost || n >= x.recovery
		}
	}
	switch {
	case lost:
		x.shrink(now)
	case x.window < x.limit:
		x.window++
	case x.c.Cubic:
		x.cubic(now)
	default:
		x.window += 1 / x.window
	}
	x.fill()
}

// shrink answers a loss, once per window.
func (x *cross) shrink(now time.Time) {
	factor := 0.5
	if x.c.Cubic {
		factor = 0.7 // RFC 9438 section 4.6
	}
	x.before, x.cut = x.window, now
	x.window = max(minWindow, x.window*factor)
	x.limit = x.window
	x.recovery = x.next
}

// cubic grows the window along RFC 9438 section 4.2, and no slower than section
// 4.3 says Reno would.
func (x *cross) cubic(now time.Time) {
	const c = 0.4
	t := (now.Sub(x.cut) + x.srtt).Seconds()
	k := math.Cbrt(x.before * (1 - 0.7) / c)
	target := c*math.Pow(t-k, 3) + x.before
	reno := x.before*0.7 + 3*(1-0.7)/(1+0.7)*t/max(x.srtt.Seconds(), 0.001)
	if goal := max(target, reno); goal > x.window {
		x.window += min((goal-x.window)/x.window, 0.5)
	}
}

// timeout starts again when nothing comes back (RFC 6298 section 5).
func (x *cross) timeout() bool {
	now := x.engine.Now()
	if len(x.flight) > 0 && now.Sub(x.lastAck) > max(minRTO, 2*x.srtt) {
		x.limit = max(minWindow, x.window/2)
		x.window, x.recovery, x.lastAck = minWindow, x.next, now
		clear(x.flight)
		x.fill()
	}
	return !x.done()
}
