package sfukit

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// subscriber is what a peer receives.
type subscriber struct {
	peer   *Peer
	queued atomic.Bool  // the shaper has something to send
	rtt    atomic.Int64 // nanoseconds, from reception reports; 0 unknown

	wishes sync.Mutex
	tracks []*track // what it should watch, in order; guarded by wishes

	mu         sync.Mutex           // guards what follows; held once per packet
	lines      map[uint32]*downLine // by SSRC
	order      []*downLine          // the same
	sent       bwe.History
	results    []bwe.Packet // reused
	symbols    []bwe.Symbol // reused
	streams    bwe.CCFB     // of sent, for feedback that names packets by stream
	reports    []bwe.StreamReport
	arrivals   []bwe.Arrival // of reports
	clock      clock         // of its feedback
	estimator  BandwidthEstimator
	stamped    time.Time // the last packet that left
	shaper     *shaper.Shaper[*outgoing]
	prober     bwe.Prober // the estimator, if it probes
	allocator  *allocate.Allocator
	allocation allocation
	since      time.Time // of the first estimate
	estimate   bwe.Estimate
	// sentBytes is what all lines together have sent for the first time, resentBytes
	// the repairs, with those that wait, but without what a probe repeats: the shaper
	// bounds that. Both count payloads with headerEstimate.
	sentBytes, resentBytes int64
	repairs                repairs
	estimated              bool
}

func (s *subscriber) init(p *Peer) error {
	s.peer = p
	s.lines = map[uint32]*downLine{}
	s.estimator = p.registry.config.NewEstimator()
	var err error
	s.prober, _ = s.estimator.(bwe.Prober)
	if s.shaper, err = shaper.New[*outgoing](p.registry.config.Shaper); err != nil {
		return err
	}
	s.allocator, err = allocate.New(p.registry.config.allocation())
	return err
}

// subscribeTo adds tracks to what the peer watches.
func (p *Peer) subscribeTo(tracks []*track) {
	if len(tracks) == 0 {
		return
	}
	p.sub.wishes.Lock()
	for _, t := range tracks {
		if !slices.Contains(p.sub.tracks, t) {
			p.sub.tracks = append(p.sub.tracks, t)
		}
	}
	p.sub.wishes.Unlock()
	p.mail.wakeUp()
}

// unsubscribeFrom takes tracks out of what the peer watches.
func (p *Peer) unsubscribeFrom(tracks []*track) {
	if len(tracks) == 0 {
		return
	}
	p.sub.wishes.Lock()
	p.sub.tracks = slices.DeleteFunc(p.sub.tracks, func(t *track) bool { return slices.Contains(tracks, t) })
	p.sub.wishes.Unlock()
	p.mail.wakeUp()
}

// wished returns what the peer should watch.
func (s *subscriber) wished() []*track {
	s.wishes.Lock()
	defer s.wishes.Unlock()
	return slices.Clone(s.tracks)
}

// dropAll detaches every line and lets go of what waits; the peer is gone.
func (p *Peer) dropAll() {
	p.signal.Lock()
	defer p.signal.Unlock()
	for _, l := range p.lines {
		l.detach()
	}
	p.sub.discard()
}

// HintBandwidth tells the estimator what the client says its downlink carries: a
// ceiling for the next five seconds (bwe.SendSide), after which it must be said
// again. A rate of 0 or less is no hint.
func (p *Peer) HintBandwidth(rate units.Bitrate) {
	if rate <= 0 {
		return
	}
	now := p.registry.network.Now()
	p.sub.heed(now, func() { p.sub.estimator.OnHint(now, rate) })
}

// estimateNow updates the estimate.
func (s *subscriber) estimateNow(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimateLocked(now)
}

// estimateLocked is estimateNow, and reports whether the estimate has fallen below
// what is allocated, since that was done: what the lowest rungs need stays allocated
// at any estimate.
func (s *subscriber) estimateLocked(now time.Time) (short bool) {
	s.estimate, s.estimated = s.estimator.Estimate(now)
	if !s.estimated {
		return false
	}
	if s.since.IsZero() {
		s.since = now
	}
	if s.settled(now) {
		s.shaper.SetTarget(now, s.estimate.Target)
	}
	target := s.repairs.without(s.estimate.Target)
	return target < s.allocation.Allocated && target < s.allocation.target
}

// firstSequence draws where a line's sequence numbers begin: in the lower half,
// so that a receiver that misses the first packets cannot misjudge the SRTP
// roll-over counter (RFC 3711 section 3.3.1).
func firstSequence() uint16 { return uint16(rand.UintN(1 << 15)) }
