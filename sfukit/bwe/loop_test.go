package bwe_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// world is a bottleneck with senders before it and receivers behind it, in steps
// of 1 ms of virtual time.
type world struct {
	capacity func(t time.Duration) units.Bitrate
	bucket   float64       // bits that are saved up when idle, as by a token bucket
	limit    time.Duration // drop-tail queue, as time at the first capacity; 200 ms if 0
	delay    time.Duration // each way; 20 ms if 0
	jitter   func(r *rand.Rand, t time.Duration) time.Duration
	lose     func(r *rand.Rand) bool             // after the bottleneck
	deaf     func(t time.Duration) bool          // feedback sent then is lost
	dead     func(t time.Duration) bool          // packets that arrive then are lost
	hold     func(t time.Duration) time.Duration // until when packets are held up at t
	drift    float64                             // of the receivers' clocks
	noise    func(t time.Duration) units.Bitrate // traffic that does not adapt
	feedback time.Duration                       // interval; 50 ms if 0
	until    time.Duration
	flows    []*flow

	random *rand.Rand
	queue  []queued
	bytes  int
	free   float64 // bits that the link may pass
	noisy  float64
	now    time.Duration
}

type queued struct {
	f    *flow // nil for noise
	seq  uint16
	size int
	at   time.Duration
}

// flow is a sender that follows an estimator.
type flow struct {
	e      bwe.Estimator
	from   time.Duration
	media  func(t time.Duration) units.Bitrate // what there is to send; nil for any
	rungs  []units.Bitrate                     // if set, the highest that fits is sent, and nothing if none does
	warm   time.Duration                       // until when any rate is sent, rungs or not
	rigid  bool                                // media is sent whether or not it fits
	jitter func(t time.Duration) bool          // when the world's jitter applies; nil for always

	h        bwe.History
	pending  []arrival
	last     time.Duration // latest arrival
	next     uint16        // first not reported
	inflight []report
	budget   float64
	probe    bwe.Cluster
	probeIn  float64
	results  []bwe.Packet

	samples    []sample
	waits      []wait
	sent, lost []time.Duration // when the packets were sent
	probes     int
}

type arrival struct {
	seq uint16
	at  time.Duration
}

type report struct {
	at        time.Duration
	first     uint16
	reference uint32
	symbols   []bwe.Symbol
}

type sample struct {
	at       time.Duration
	e        bwe.Estimate
	received int
}

type wait struct{ at, wait time.Duration }

func (w *world) run() {
	w.random = rand.New(rand.NewPCG(1, 2))
	if w.limit == 0 {
		w.limit = 200 * time.Millisecond
	}
	if w.delay == 0 {
		w.delay = 20 * time.Millisecond
	}
	if w.feedback == 0 {
		w.feedback = 50 * time.Millisecond
	}
	room := w.capacity(0).Bytes(w.limit)
	for w.now = 0; w.now < w.until; w.now += time.Millisecond {
		ms := int(w.now / time.Millisecond)
		if w.noise != nil {
			for w.noisy += float64(w.noise(w.now)) / 8000; w.noisy >= 1200; w.noisy -= 1200 {
				w.enqueue(queued{size: 1200, at: w.now}, room)
			}
		}
		for i := range w.flows {
			f := w.flows[(i+ms)%len(w.flows)]
			if w.now >= f.from {
				w.send(f, room, ms)
			}
		}
		w.drain()
		for i, f := range w.flows {
			if w.now >= f.from && (ms+7*i)%int(w.feedback/time.Millisecond) == 0 {
				w.report(f)
			}
			w.hear(f)
			if ms%10 == 0 && w.now >= f.from {
				e, _ := f.e.Estimate(t0.Add(w.now))
				f.samples = append(f.samples, sample{at: w.now, e: e})
			}
		}
	}
}

func (w *world) send(f *flow, room, ms int) {
	now := t0.Add(w.now)
	e, ok := f.e.Estimate(now)
	if !ok {
		e.Target = 300 * units.Kbps
	}
	rate := e.Target
	wanted := 50 * units.Mbps
	if f.media != nil {
		wanted = f.media(w.now)
		rate = min(rate, wanted)
		if f.rigid {
			rate = wanted
		}
	}
	if f.rungs != nil && w.now >= f.warm {
		rate = 0
		wanted = 0
		for _, r := range f.rungs {
			if r <= e.Target {
				rate = r
			} else if wanted == 0 {
				wanted = r
			}
		}
	}
	if p, ok := f.e.(bwe.Prober); ok {
		p.OnDemand(now, wanted)
		if c, ok := p.Probe(now); ok {
			f.probe, f.probeIn = c, 1
			f.probes++
		}
	}
	f.budget = min(f.budget+float64(rate)/8000, max(2400, float64(rate)/800))
	if f.probe.ID > 0 && (f.probe.Bytes > 0 || f.probe.Packets > 0) {
		for f.probeIn += float64(f.probe.Rate) / 8000; f.probeIn > 0; {
			size := 1200
			if f.probe.Rate < 3*units.Mbps {
				size = 600
			}
			w.emit(f, size, f.probe.ID, room)
			f.probeIn -= float64(size)
			f.budget = max(f.budget-float64(size), -float64(f.probe.Rate)/80)
			f.probe.Bytes -= size
			f.probe.Packets--
			if f.probe.Bytes <= 0 && f.probe.Packets <= 0 {
				break
			}
		}
		return
	}
	if ms%5 == 0 {
		for ; f.budget >= 1200; f.budget -= 1200 {
			w.emit(f, 1200, 0, room)
		}
	}
}

func (w *world) emit(f *flow, size, probe, room int) {
	now := t0.Add(w.now)
	seq := f.h.Sent(now, size, probe)
	f.e.OnSent(now, size)
	f.sent = append(f.sent, w.now)
	if !w.enqueue(queued{f: f, seq: seq, size: size, at: w.now}, room) {
		f.lost = append(f.lost, w.now)
	}
}

func (w *world) enqueue(q queued, room int) bool {
	if w.bytes > 0 && w.bytes+q.size > room {
		return false
	}
	w.queue = append(w.queue, q)
	w.bytes += q.size
	return true
}

// drain passes what the link carries in 1 ms.
func (w *world) drain() {
	rate := float64(w.capacity(w.now)) / 1000
	w.free = min(w.free+rate, max(rate, w.bucket))
	if w.hold != nil && w.hold(w.now) > w.now {
		w.free = 0
		return
	}
	for len(w.queue) > 0 && w.free > 0 {
		q := w.queue[0]
		w.queue = w.queue[1:]
		w.bytes -= q.size
		start := w.now + time.Duration(max(0, 1-w.free/rate)*float64(time.Millisecond))
		w.free -= float64(q.size) * 8 // debt is paid by the next steps
		if q.f == nil {
			continue
		}
		q.f.waits = append(q.f.waits, wait{q.at, max(0, start-q.at)})
		out := start
		if w.free < rate { // else it is of what was saved up
			out += time.Duration(float64(q.size) * 8 / rate * float64(time.Millisecond))
		}
		if w.lose != nil && w.lose(w.random) || w.dead != nil && w.dead(out) {
			q.f.lost = append(q.f.lost, q.at)
			continue
		}
		at := out + w.delay
		if w.jitter != nil && (q.f.jitter == nil || q.f.jitter(w.now)) {
			at += w.jitter(w.random, w.now)
		}
		at = max(at, q.f.last)
		q.f.last = at
		q.f.pending = append(q.f.pending, arrival{q.seq, at})
		if n := len(q.f.samples); n > 0 {
			q.f.samples[n-1].received += q.size
		}
	}
}

// report sends transport-wide feedback on what arrived since the last.
func (w *world) report(f *flow) {
	n := 0
	for n < len(f.pending) && f.pending[n].at <= w.now {
		n++
	}
	if n == 0 {
		return
	}
	got := f.pending[:n]
	r := report{at: w.now + w.delay, first: f.next}
	clock := func(at time.Duration) int64 { // in 250 µs
		return int64((float64(at)*(1+w.drift) + 3e12) / 250e3)
	}
	base := clock(got[0].at) / 256
	r.reference = uint32(base) & (1<<24 - 1)
	was := base * 256
	for _, a := range got {
		for ; r.first+uint16(len(r.symbols)) != a.seq; r.symbols = append(r.symbols, bwe.Symbol{}) {
		}
		at := clock(a.at)
		r.symbols = append(r.symbols, bwe.Symbol{Received: true, Delta: time.Duration(at-was) * 250 * time.Microsecond})
		was = at
	}
	f.next = got[n-1].seq + 1
	f.pending = f.pending[n:]
	if w.deaf == nil || !w.deaf(w.now) {
		f.inflight = append(f.inflight, r)
	}
}

func (w *world) hear(f *flow) {
	for len(f.inflight) > 0 && f.inflight[0].at <= w.now {
		r := f.inflight[0]
		f.inflight = f.inflight[1:]
		var rtt time.Duration
		now := t0.Add(w.now)
		f.results, rtt = f.h.Feedback(now, r.first, r.reference, r.symbols, f.results[:0])
		f.e.OnFeedback(now, f.results, rtt)
	}
}

// mean is the average target between two times, in bit/s.
func (f *flow) mean(from, to time.Duration) float64 {
	var sum float64
	n := 0
	for _, s := range f.samples {
		if s.at >= from && s.at < to {
			sum += float64(s.e.Target)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// received is the average rate that arrived between two times, in bit/s.
func (f *flow) received(from, to time.Duration) float64 {
	var sum int
	for _, s := range f.samples {
		if s.at >= from && s.at < to {
			sum += s.received
		}
	}
	return float64(sum) * 8 / (to - from).Seconds()
}

// least and most are the extremes of the target between two times.
func (f *flow) least(from, to time.Duration) units.Bitrate {
	least := units.Bitrate(math.MaxInt64)
	for _, s := range f.samples {
		if s.at >= from && s.at < to {
			least = min(least, s.e.Target)
		}
	}
	return least
}

func (f *flow) most(from, to time.Duration) units.Bitrate {
	var most units.Bitrate
	for _, s := range f.samples {
		if s.at >= from && s.at < to {
			most = max(most, s.e.Target)
		}
	}
	return most
}

// until is how long after from the target first satisfies ok, -1 for never.
func (f *flow) until(from time.Duration, ok func(units.Bitrate) bool) time.Duration {
	for _, s := range f.samples {
		if s.at >= from && ok(s.e.Target) {
			return s.at - from
		}
	}
	return -1
}

// lossAfter is the share of packets sent from a time on that did not arrive.
func (f *flow) lossAfter(from time.Duration) float64 {
	count := func(all []time.Duration) (n float64) {
		for _, at := range all {
			if at >= from {
				n++
			}
		}
		return n
	}
	return count(f.lost) / max(count(f.sent), 1)
}

// wait95 is the 95th percentile of the time in the queue of packets sent between.
func (f *flow) wait95(from, to time.Duration) time.Duration {
	var all []time.Duration
	for _, w := range f.waits {
		if w.at >= from && w.at < to {
			all = append(all, w.wait)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)*95/100]
}

func newSendSide(t testing.TB, c bwe.SendSideConfig) *bwe.SendSide {
	t.Helper()
	s, err := bwe.NewSendSide(c)
	if err != nil {
		t.Fatalf("NewSendSide(%+v) = %v", c, err)
	}
	return s
}

func constant(r units.Bitrate) func(time.Duration) units.Bitrate {
	return func(time.Duration) units.Bitrate { return r }
}

// step is a rate from a time on.
type step struct {
	at   time.Duration
	rate units.Bitrate
}

// steps is a rate that changes.
func steps(rate units.Bitrate, more ...step) func(time.Duration) units.Bitrate {
	return func(t time.Duration) units.Bitrate {
		r := rate
		for _, s := range more {
			if t >= s.at {
				r = s.rate
			}
		}
		return r
	}
}
