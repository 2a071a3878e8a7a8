// Package fanout holds the set of sinks one stream goes to, readable on the
// packet path without a lock. What a sink does with a packet is its own affair;
// see package rewrite for making a stream continuous per sink.
package fanout

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Group is a set of sinks with snapshot reads: a reader costs one atomic load
// and sees a set that never changes under it; a writer copies the set and puts
// the copy in place. The zero Group is empty and ready to use. All methods are
// safe for concurrent use. A Group must not be copied after first use.
//
// A reader that took its snapshot before a Remove may still hand a packet to
// the removed sink: the sink itself must be able to refuse.
type Group[S comparable] struct {
	sinks atomic.Pointer[[]S]
	mu    sync.Mutex // serialises writers
}

// Snapshot returns the sinks of this moment, in the order they were added. The
// slice is shared and must not be modified. It does not allocate.
func (g *Group[S]) Snapshot() []S {
	if p := g.sinks.Load(); p != nil {
		return *p
	}
	return nil
}

// Len returns the number of sinks.
func (g *Group[S]) Len() int { return len(g.Snapshot()) }

// Add puts s into the group and reports whether it was absent.
func (g *Group[S]) Add(s S) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.Snapshot()
	if slices.Contains(old, s) {
		return false
	}
	next := make([]S, len(old), len(old)+1)
	copy(next, old)
	next = append(next, s)
	g.sinks.Store(&next)
	return true
}

// Remove takes s out of the group and reports whether it was there.
func (g *Group[S]) Remove(s S) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.Snapshot()
	i := slices.Index(old, s)
	if i < 0 {
		return false
	}
	next := make([]S, 0, len(old)-1)
	next = append(next, old[:i]...)
	next = append(next, old[i+1:]...)
	g.sinks.Store(&next)
	return true
}
