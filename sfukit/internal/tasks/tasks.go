// Package tasks counts goroutines that callbacks start at any time, so that
// whoever owns them can wait for the last.
package tasks

import "sync"

// Group is a sync.WaitGroup that refuses to start anything once somebody
// waits. The zero Group is ready to use; its methods are safe for concurrent use.
type Group struct {
	mu     sync.Mutex
	closed bool // guarded by mu
	group  sync.WaitGroup
}

// Go runs f in a goroutine of its own and reports whether it did.
func (g *Group) Go(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.group.Go(f)
	return true
}

// Wait closes the group and returns when every goroutine has ended.
func (g *Group) Wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.group.Wait()
}
