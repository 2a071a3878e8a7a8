package rewrite

import "github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"

// grant says how many temporal layers of each spatial layer are forwarded, four
// bits for each of codec.MaxSpatial.
type grant uint32

// fullGrant forwards everything up to the two layers.
func fullGrant(spatial, temporal uint8) (g grant) {
	for s := range spatial + 1 {
		g = g.with(s, temporal+1)
	}
	return g
}

// depth returns the number of temporal layers forwarded of spatial layer s.
func (g grant) depth(s uint8) uint8 { return uint8(g>>(4*s)) & 0xf }

// with returns g with depth n for spatial layer s.
func (g grant) with(s, n uint8) grant { return g&^(0xf<<(4*s)) | grant(n)<<(4*s) }

// within returns what is in both.
func (g grant) within(limit grant) grant {
	for s := range uint8(codec.MaxSpatial) {
		g = g.with(s, min(g.depth(s), limit.depth(s)))
	}
	return g
}

// standing returns g without what a layer has more than the one below it: a
// picture is of no use with a spatial layer left out in the middle.
func (g grant) standing() grant {
	for s := uint8(1); s < codec.MaxSpatial; s++ {
		g = g.with(s, min(g.depth(s), g.depth(s-1)))
	}
	return g
}

// above reports whether temporal layer t is forwarded of any spatial layer
// higher than s.
func (g grant) above(s, t uint8) bool {
	for s++; s < codec.MaxSpatial; s++ {
		if t < g.depth(s) {
			return true
		}
	}
	return false
}

// top returns the highest spatial layer and the highest temporal layer of it.
func (g grant) top() (spatial, temporal uint8) {
	for s := uint8(codec.MaxSpatial - 1); s > 0; s-- {
		if n := g.depth(s); n > 0 {
			return s, n - 1
		}
	}
	return 0, max(g.depth(0), 1) - 1
}

// maxGrants is how many changes of layers are remembered for late packets. More
// than a few in the time a packet may be late are not expected; beyond them the
// oldest one known is taken to have held before.
const maxGrants = 16

// grants remembers from which source number on which layers were forwarded.
type grants struct {
	since [maxGrants]int64
	what  [maxGrants]grant
	n     int
}

func (l *grants) reset(seq int64, g grant) {
	l.since[0], l.what[0], l.n = seq, g, 1
}

// set puts g into force from seq on, which is newer than all before.
func (l *grants) set(seq int64, g grant) {
	if l.n > 0 && l.what[l.n-1] == g {
		return
	}
	if l.n == maxGrants {
		copy(l.since[:], l.since[1:])
		copy(l.what[:], l.what[1:])
		l.n--
	}
	l.since[l.n], l.what[l.n] = seq, g
	l.n++
}

// newest returns what is in force.
func (l *grants) newest() grant {
	if l.n == 0 {
		return fullGrant(MaxLayer, MaxLayer)
	}
	return l.what[l.n-1]
}

// at returns what is in force at seq.
func (l *grants) at(seq int64) grant {
	for i := l.n - 1; i > 0; i-- {
		if seq >= l.since[i] {
			return l.what[i]
		}
	}
	return l.what[0]
}
