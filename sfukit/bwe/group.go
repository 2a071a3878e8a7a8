package bwe

import "time"

const (
	groupSpan  = 5 * time.Millisecond   // packets sent within it are one group
	burstGap   = 5 * time.Millisecond   // arriving this close behind, and earlier than they were sent apart,
	burstSpan  = 100 * time.Millisecond // they are a burst that something on the way collected, up to this long
	arrivalGap = 3 * time.Second        // a longer pause says nothing about a queue
)

// group is a run of packets that count as one: sent together, or collected on the
// way and passed on together (draft-ietf-rmcat-gcc-02 section 5.2).
type group struct {
	sent, lastSent       time.Time
	arrived, lastArrived time.Time
}

// grouper forms groups and tells how much longer the latest one took than the one
// before.
type grouper struct {
	current, previous group
	n                 int // groups that are set, 2 at most
}

// variation is the change from one group to the next.
type variation struct {
	arrived time.Time     // the later group's last packet
	sent    time.Duration // between sending the groups
	delay   time.Duration // by which the later one was slower
}

// restart forgets all groups: what comes next is not compared with what was.
func (g *grouper) restart() { g.n = 0 }

// add takes a packet that arrived, in the order of sending. When it begins a new
// group, the two before are compared.
func (g *grouper) add(p *Packet) (v variation, ok bool) {
	c := &g.current
	switch {
	case g.n == 0:
	case p.SendTime.Before(c.sent):
		return v, false // overtaken: no sign of a queue
	case g.joins(p):
		c.lastSent = p.SendTime
		if p.RecvTime.After(c.lastArrived) {
			c.lastArrived = p.RecvTime
		}
		return v, false
	case g.n == 2:
		sent := c.lastSent.Sub(g.previous.lastSent)
		arrived := c.lastArrived.Sub(g.previous.lastArrived)
		if arrived < 0 || arrived-sent > arrivalGap {
			g.restart()
			break
		}
		v, ok = variation{arrived: c.lastArrived, sent: sent, delay: arrived - sent}, true
	}
	g.previous = *c
	g.n = min(g.n+1, 2)
	*c = group{sent: p.SendTime, lastSent: p.SendTime, arrived: p.RecvTime, lastArrived: p.RecvTime}
	return v, ok
}

// joins tells whether a packet belongs to the current group.
func (g *grouper) joins(p *Packet) bool {
	c := &g.current
	if p.SendTime.Sub(c.sent) <= groupSpan {
		return true
	}
	gap := p.RecvTime.Sub(c.lastArrived)
	return gap <= burstGap && gap < p.SendTime.Sub(c.lastSent) && p.RecvTime.Sub(c.arrived) < burstSpan
}
