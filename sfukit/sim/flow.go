package sim

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// FlowConfig describes one sender that follows an estimator, and its receiver:
// frames at 30 per second, as large as the estimate allows, paced, numbered and
// reported on as transport-wide feedback asks. There is no room and no codec
// between estimator and link, so it is the estimator alone that is measured.
type FlowConfig struct {
	// Name is for people; "" means flow and its number.
	Name string
	// Start and Stop are when it sends. A Stop of 0 means until the end.
	Start, Stop time.Duration
	// Delay is what its path takes beside the bottleneck's, each way.
	Delay time.Duration
	// Media is the most that it has to send, over time: a pause is a step of rate
	// 0. Nil means that it has as much as the estimate allows, up to 50 Mbit/s.
	Media Trace
}

const (
	frameInterval = time.Second / 30
	paceInterval  = 5 * time.Millisecond
	// paceFactor is how much faster than the target a sender empties its queue, as
	// libwebrtc's pacer does.
	paceFactor = 2.5
	// maxPacing is how long media may wait in the sender; frames that would wait
	// longer are skipped, as an encoder does.
	maxPacing  = 250 * time.Millisecond
	packetSize = 1200
	// paddingSize is a retransmission of a media packet, which is what probes that
	// lack media are filled with.
	paddingSize = 1000
	maxMedia    = 50 * units.Mbps
)

// flow is a running FlowConfig.
type flow struct {
	engine   *Engine
	id       int
	c        FlowConfig
	down, up *Link

	estimator bwe.Estimator
	prober    bwe.Prober // the same, nil if it does not probe
	estimate  bwe.Estimate
	estimated bool
	history   bwe.History
	results   []bwe.Packet

	queue  []int // sizes of packets that wait
	queued int   // bytes in queue
	budget float64
	probe  bwe.Cluster // what is still to be sent of it
	stats  flowStats

	arrivals arrivals
}

// flowStats counts since the last sample.
type flowStats struct {
	media, padding int // bytes sent
	received       int // bytes received, all
	packets, lost  int64
	waited         []time.Duration
}

func newFlow(e *Engine, id int, c FlowConfig, p Policy, down, up *Link) (*flow, error) {
	if err := c.Media.validate(); err != nil {
		return nil, fmt.Errorf("flow %d: Media: %w", id, err)
	}
	estimator := p.New()
	f := &flow{engine: e, id: id, c: c, down: down, up: up, estimator: estimator}
	f.prober, _ = estimator.(bwe.Prober)
	random := e.Rand(fmt.Sprintf("flow %d", id))
	phase := time.Duration(random.Int64N(int64(frameInterval)))
	e.After(c.Start+phase, func() {
		f.frame()
		e.Every(frameInterval, f.frame)
		e.Every(paceInterval, f.pace)
		e.After(defaultFeedback, f.report)
	})
	return f, nil
}

// done reports whether the flow has ended.
func (f *flow) done() bool { return f.c.Stop > 0 && f.engine.Elapsed() >= f.c.Stop }

// demand returns the rate of media there is to send.
func (f *flow) demand() units.Bitrate {
	if f.c.Media == nil {
		return maxMedia
	}
	return f.c.Media.Rate(f.engine.Elapsed())
}

// frame captures the next frame.
func (f *flow) frame() bool {
	if f.done() {
		return false
	}
	f.decide()
	rate := min(f.estimate.Target, f.demand())
	size := rate.Bytes(frameInterval)
	if f.estimate.Target.Bytes(maxPacing) < f.queued+size {
		return true
	}
	for n := (size + packetSize - 1) / packetSize; size > 0; n-- {
		s := (size + n - 1) / n
		f.queue = append(f.queue, s)
		f.queued += s
		size -= s
	}
	return true
}

// decide asks the estimator where things stand.
func (f *flow) decide() {
	now := f.engine.Now()
	if e, ok := f.estimator.Estimate(now); ok {
		f.estimate, f.estimated = e, true
	} else if !f.estimated {
		f.estimate = bwe.Estimate{Target: startRate}
	}
}

// startRate is what a sender begins with while its estimator has no opinion.
const startRate = 300 * units.Kbps

// pace sends what may leave now. What was not needed is not saved up.
func (f *flow) pace() bool {
	if f.done() {
		return false
	}
	f.decide()
	if f.prober != nil {
		f.prober.OnDemand(f.engine.Now(), f.demand())
		if c, ok := f.prober.Probe(f.engine.Now()); ok && c.Rate > 0 {
			started := f.probe.Rate > 0
			if f.probe = c; !started {
				f.probing()
			}
		}
	}
	if f.probe.Rate > 0 {
		return true // it takes the media along
	}
	add := paceFactor * float64(f.estimate.Target) / 8 * paceInterval.Seconds()
	f.budget = min(f.budget+add, add)
	for f.budget > 0 && len(f.queue) > 0 {
		f.budget -= float64(f.media(0))
	}
	return true
}

// probing sends the next packet of the probe that is under way.
func (f *flow) probing() {
	c := &f.probe
	if c.Bytes <= 0 && c.Packets <= 0 || f.done() {
		c.Rate = 0
		return
	}
	size := paddingSize
	if len(f.queue) > 0 {
		size = f.media(c.ID)
	} else {
		f.stats.padding += size
		f.send(size, c.ID)
	}
	c.Bytes -= size
	c.Packets--
	f.engine.After(time.Duration(8*float64(size)/float64(c.Rate)*float64(time.Second)), f.probing)
}

// media sends the next packet that waits, and returns its size.
func (f *flow) media(cluster int) int {
	size := f.queue[0]
	f.queue = f.queue[1:]
	f.queued -= size
	f.stats.media += size
	f.send(size, cluster)
	return size
}

func (f *flow) send(size, cluster int) {
	now := f.engine.Now()
	seq := f.history.Sent(now, size, cluster)
	f.estimator.OnSent(now, size)
	f.down.Send(&Packet{Flow: f.id, Size: size, Number: int64(seq), Sent: now, To: f.receive})
}

// receive takes a packet where the bottleneck ends.
func (f *flow) receive(p *Packet) {
	f.stats.received += p.Size
	f.stats.waited = append(f.stats.waited, p.Waited)
	f.engine.After(f.c.Delay, func() { f.arrivals.record(f.arrivals.unwrap(uint16(p.Number)), f.engine.Elapsed()) })
}

// report sends feedback, if there is something to tell.
func (f *flow) report() {
	for _, r := range f.arrivals.take(f.engine.Elapsed()) {
		f.up.Send(&Packet{Flow: f.id, Size: r.size(), Sent: f.engine.Now(), To: func(*Packet) {
			f.engine.After(f.c.Delay, func() { f.feedback(r) })
		}})
	}
	f.engine.After(feedbackInterval(f.uplink()), f.report)
}

// uplink returns what the receiver believes it may send: what the way back
// carries, or a rate that needs no restraint.
func (f *flow) uplink() units.Bitrate {
	if t := f.up.Rate(); t != nil {
		return t.Rate(f.engine.Elapsed())
	}
	return units.Mbps
}

// feedback takes a report that has come back.
func (f *flow) feedback(r message) {
	var rtt time.Duration
	f.results, rtt = f.history.Feedback(f.engine.Now(), uint16(r.first), r.reference, r.symbols, f.results[:0])
	f.estimator.OnFeedback(f.engine.Now(), f.results, rtt)
	f.decide()
}

func (f *flow) span() (start, stop time.Duration) { return f.c.Start, f.c.Stop }
func (f *flow) counts() *flowStats                { return &f.stats }

func (f *flow) state() (units.Bitrate, string) {
	return f.estimate.Target, f.estimate.Term.String()
}

func (f *flow) name() string {
	if f.c.Name != "" {
		return f.c.Name
	}
	return fmt.Sprintf("flow %d", f.id+1)
}
