package sfukit

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// subscriber is what a peer receives.
type subscriber struct {
	peer *Peer
	rtt  atomic.Int64 // nanoseconds, from reception reports; 0 unknown

	wishes sync.Mutex
	tracks []*track // what it should watch, in order; guarded by wishes

	mu        sync.Mutex           // guards what follows; held once per packet
	lines     map[uint32]*downLine // by SSRC
	sent      bwe.History
	results   []bwe.Packet // reused
	symbols   []bwe.Symbol // reused
	estimator BandwidthEstimator
	pacer     *pacer.Pacer
	estimate  bwe.Estimate
	// sentBytes and resentBytes are what all lines together have sent, first
	// transmissions and repairs.
	sentBytes, resentBytes int64
	estimated              bool
}

func (s *subscriber) init(p *Peer) error {
	s.peer = p
	s.lines = map[uint32]*downLine{}
	s.estimator = p.registry.config.NewEstimator()
	var err error
	s.pacer, err = pacer.New(p.registry.config.Pacer)
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

// dropAll detaches every line; the peer is gone.
func (p *Peer) dropAll() {
	p.signal.Lock()
	defer p.signal.Unlock()
	for _, l := range p.lines {
		l.detach()
	}
}

// HintBandwidth tells the estimator what the client says its downlink carries: a
// ceiling for the next five seconds (bwe.Kalman), after which it must be said
// again. A rate of 0 or less is no hint.
func (p *Peer) HintBandwidth(rate units.Bitrate) {
	if rate <= 0 {
		return
	}
	p.sub.mu.Lock()
	defer p.sub.mu.Unlock()
	p.sub.estimator.OnHint(time.Now(), rate)
}

// estimateNow updates the estimate and the quality tier that follows from it.
func (s *subscriber) estimateNow(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.estimate, s.estimated = s.estimator.Estimate(now)
	if s.estimated {
		s.pacer.Drive(now, s.estimate.Target)
	}
}

// firstSequence draws where a line's sequence numbers begin: in the lower half,
// so that a receiver that misses the first packets cannot misjudge the SRTP
// roll-over counter (RFC 3711 section 3.3.1).
func firstSequence() uint16 { return uint16(rand.UintN(1 << 15)) }
