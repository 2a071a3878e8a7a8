package sfukit

import (
	"encoding/binary"
	"math"
	"sync"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
)

// outgoing is what waits for its turn to be sent to a subscriber: a packet as it
// will be but for its stamps, or one that is to be sent again. Repairs are made
// when they leave, since their numbers are those of the order in which they do.
type outgoing struct {
	line   *downLine
	again  bool   // send what went out as seq once more
	seq    uint16 // then
	size   int    // of packet, else
	packet [maxPacket]byte
}

// waiting recycles what has been sent.
var waiting = sync.Pool{New: func() any { return new(outgoing) }}

func (o *outgoing) free() {
	o.line = nil
	waiting.Put(o)
}

// send sends the packet that l.header and payload describe, now or when its turn
// comes.
func (l *downLine) send(now time.Time, payload []byte) {
	s := &l.peer.sub
	class := shaper.Video
	if l.track.kind == KindAudio {
		class = shaper.Audio
	}
	size := len(payload) + headerEstimate
	if cluster, ok := s.shaper.Admit(now, class, size); ok {
		l.leave(now, payload, cluster)
		return
	}
	o := waiting.Get().(*outgoing) //nolint:forcetypeassert // nothing else is in it
	n, err := l.header.MarshalTo(o.packet[:])
	if err != nil || n+len(payload) > len(o.packet) {
		o.free()
		l.peer.registry.counters.writeErrors.Add(1)
		return
	}
	o.line, o.again, o.size = l, false, n+copy(o.packet[n:], payload)
	s.queueLocked(now, class, size, o)
}

// sendAgain has b, which was sent as out, sent once more over RTX, now or when its
// turn comes. It is then fetched anew: the history keeps it for all lines.
func (l *downLine) sendAgain(now time.Time, out *rewrite.Out, b *resendBuffer) nackOutcome {
	s := &l.peer.sub
	size := len(b.payload) + 2 + headerEstimate
	s.resentBytes += int64(size)
	if cluster, ok := s.shaper.Admit(now, shaper.Retransmission, size); ok {
		return l.repairLocked(now, out, cluster, b)
	}
	o := waiting.Get().(*outgoing) //nolint:forcetypeassert // nothing else is in it
	o.line, o.again, o.seq = l, true, out.Seq
	s.queueLocked(now, shaper.Retransmission, size, o)
	return nackWaits
}

// queueLocked has something wait. What overflows the queue is lost as if on the
// way: the receiver asks for it, or for a keyframe.
func (s *subscriber) queueLocked(now time.Time, class shaper.Class, size int, o *outgoing) {
	for _, lost := range s.shaper.Push(now, class, size, o) {
		s.peer.registry.counters.shaperDrops.Add(1)
		s.dropLocked(lost, nackOverflow)
	}
	s.queued.Store(true)
	s.peer.room.pace()
}

// dropLocked lets go of what waited, and counts what came of a repair.
func (s *subscriber) dropLocked(o *outgoing, why nackOutcome) {
	if o.again {
		s.peer.registry.counters.countNACK(why)
	}
	o.free()
}

// flush sends what may leave now, and what a probe lacks. It returns after what time
// to call again, 0 when nothing waits any more.
func (s *subscriber) flush(now time.Time, b *resendBuffer) (after time.Duration) {
	if !s.queued.Load() {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		o, cluster, ok := s.shaper.Pop(now)
		if !ok {
			break
		}
		s.leaveLocked(now, o, cluster, b)
	}
	for {
		size, cluster := s.shaper.Padding(now)
		if cluster == 0 {
			break
		}
		if !s.pad(now, size, cluster, b) {
			s.shaper.Probe(now, shaper.Cluster{}) // there is nothing to go on with
			break
		}
	}
	_, more := s.shaper.Next(now)
	s.queued.Store(more)
	switch {
	case !more:
		return 0
	case s.shaper.Probing(now):
		return paceProbing
	default:
		return paceInterval
	}
}

// leaveLocked sends what has waited.
func (s *subscriber) leaveLocked(now time.Time, o *outgoing, cluster int, b *resendBuffer) {
	l := o.line
	if !s.peer.connected.Load() {
		s.dropLocked(o, nackWriteError)
		return
	}
	if o.again {
		out, why := l.fetchLocked(now, o.seq, b)
		if why == nackAnswered {
			why = l.repairLocked(now, &out, cluster, b)
		}
		s.dropLocked(o, why)
		return
	}
	defer o.free()
	n, err := l.header.Unmarshal(o.packet[:o.size])
	if err != nil {
		return // it was marshalled here
	}
	l.leave(now, o.packet[n:o.size], cluster)
}

// discard lets go of all that waits, of a peer that has left.
func (s *subscriber) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		o, _, ok := s.shaper.Pop(s.peer.registry.network.Now().Add(math.MaxInt64)) // when nothing need wait
		if !ok {
			return
		}
		s.dropLocked(o, nackWriteError)
	}
}

// pad fills the gap of a probe with a packet that carries nothing new.
func (s *subscriber) pad(now time.Time, size, cluster int, b *resendBuffer) bool {
	l := s.paddingLineLocked()
	if l == nil {
		return false
	}
	l.probe = cluster
	n := l.padLocked(now, size, b)
	l.probe = 0
	if n == 0 {
		return false
	}
	s.shaper.Admit(now, shaper.Padding, n)
	s.peer.registry.counters.padding.Add(int64(n))
	return true
}

// startProbe begins the probe that the estimator asks for, if it does.
func (s *subscriber) startProbe(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prober == nil {
		return
	}
	if c, ok := s.prober.Probe(now); ok {
		s.shaper.Probe(now, shaper.Cluster(c))
		s.queued.Store(true)
		s.peer.room.pace()
	}
}

// leave stamps and sends the packet that l.header and payload describe, on the
// primary stream, for a probe or for none (0).
func (l *downLine) leave(now time.Time, payload []byte, cluster int) {
	l.probe = cluster
	l.stamp(now, len(payload))
	l.probe = 0
	n, err := l.params.Writer.WriteRTP(&l.header, payload)
	if err != nil || n == 0 {
		l.peer.registry.counters.writeErrors.Add(1)
		return
	}
	l.packets++
	l.octets += uint32(len(payload))
	l.stats.sent++
	l.stats.bytes += int64(n)
	l.peer.sub.sentBytes += int64(len(payload) + headerEstimate)
	l.peer.registry.counters.packetsOut.Add(1)
	l.peer.registry.counters.bytesOut.Add(int64(n))
	if l.repeats != nil {
		l.repeats.note(&l.header, payload, &l.stamps, l.doubled)
	}
}

// stamps are the two header extensions that differ with every packet sent: the
// transport-wide sequence number and the send time.
type stamps struct {
	number uint16
	twcc   [2]byte // number, as it is sent
	abs    [3]byte
}

// stamp draws the stamps of the packet about to be sent and adds them to l.header,
// which says its stream and number.
func (l *downLine) stamp(now time.Time, size int) {
	s, to := &l.peer.sub, &l.params.Ext
	if now.Before(s.stamped) {
		now = s.stamped // it came first, and waited for the lock
	}
	s.stamped = now
	size += headerEstimate
	if to.TransportCC != 0 || l.params.CCFB {
		l.stamps.number = s.sent.Sent(now, size, l.probe)
		s.estimator.OnSent(now, size)
	}
	if l.params.CCFB {
		s.streams.Sent(&s.sent, l.header.SSRC, l.header.SequenceNumber)
	}
	if to.AbsSendTime != 0 {
		putAbsSendTime(&l.stamps.abs, now)
	}
	l.setStamps()
}

// setStamps adds the stamps, as they are, to l.header.
func (l *downLine) setStamps() {
	to := &l.params.Ext
	if to.TransportCC != 0 {
		binary.BigEndian.PutUint16(l.stamps.twcc[:], l.stamps.number)
		set(&l.header, to.TransportCC, l.stamps.twcc[:])
	}
	if to.AbsSendTime != 0 {
		set(&l.header, to.AbsSendTime, l.stamps.abs[:])
	}
}
