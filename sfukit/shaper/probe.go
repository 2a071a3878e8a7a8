package shaper

import (
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	// maxProbeLag is how far a probe may fall behind its rate and still catch up at
	// once. A longer pause, of a busy process, would turn it into a burst that
	// measures nothing.
	maxProbeLag = 15 * time.Millisecond
	// maxProbe is how long a probe takes at most, from when it was asked for. One
	// that is not done by then lacks padding.
	maxProbe = time.Second
)

// Cluster is a probe: at least Bytes and at least Packets, sent at Rate, so that
// the feedback on them shows whether the path carries it. It has the fields of
// the cluster that package bwe asks for, and converts from it.
type Cluster struct {
	// ID tags what is sent for the cluster; it is not 0.
	ID int
	// Rate is what the cluster is sent at, whatever the target. It is positive.
	Rate units.Bitrate
	// Bytes counts as sizes do in [Shaper.Admit].
	Bytes int
	// Packets is how many packets Bytes are spread over at least.
	Packets int
}

// probe is the cluster that is being sent; ID 0 is none. Bytes and Packets are
// what remains.
type probe struct {
	Cluster
	running bool      // it has begun
	due     time.Time // when the next one should be
	until   time.Time // when it is given up
}

// begin has the cluster's time run from now on, if there is a cluster that waits.
func (p *probe) begin(now time.Time) {
	if p.ID != 0 && !p.running {
		p.running, p.due = true, now
	}
}

// sent takes a packet that left for the cluster.
func (p *probe) sent(now time.Time, size int) {
	if lag := now.Add(-maxProbeLag); p.due.Before(lag) {
		p.due = lag
	}
	p.due = p.due.Add(seconds(float64(size) * 8 / float64(p.Rate)))
	p.Bytes -= size
	p.Packets--
	if p.Bytes <= 0 && p.Packets <= 0 {
		*p = probe{}
	}
}

// Probe has a cluster sent from the next [Shaper.Pop] or [Shaper.Padding] on, in
// place of one that is not done. While it is being sent, its rate takes the place
// of the target: what waits leaves at this rate, and where nothing waits, Padding
// asks for the rest. A cluster that is not done after a second is given up, since
// there is neither media nor padding for it. A cluster takes 25 to 400 ms: it has
// its rate within a tenth when the caller follows [Shaper.Next], or comes every
// millisecond; every 5 ms gives up to a fifth less. One without ID or Rate, or that
// asks for nothing, ends the cluster that is being sent.
func (s *Shaper[T]) Probe(now time.Time, c Cluster) {
	s.advance(now)
	s.probe = probe{}
	if c.ID != 0 && c.Rate > 0 && (c.Bytes > 0 || c.Packets > 0) {
		s.probe = probe{Cluster: c, until: s.now.Add(maxProbe)}
	}
}

// Probing reports whether a cluster is being sent, or about to be. Until it is done,
// its rate is kept the better the more often the caller comes, see Probe.
func (s *Shaper[T]) Probing(now time.Time) bool {
	s.advance(now)
	return s.probe.ID != 0
}

// Padding returns how many bytes the packet of padding should have that a cluster
// needs now, and the cluster's ID; 0 and 0 if none. The caller asks when Pop has
// nothing more, sends one packet of about this size if it can, larger rather than
// smaller up to what the path takes, tells Admit of it as class [Padding], and
// asks again. One that has no padding had better end the cluster, see Probe.
func (s *Shaper[T]) Padding(now time.Time) (size, cluster int) {
	s.advance(now)
	p := &s.probe
	if p.ID == 0 || s.packets > 0 || s.now.Before(p.due) {
		return 0, 0
	}
	p.begin(s.now)
	return max(1, p.Bytes/max(1, p.Packets)), p.ID
}
