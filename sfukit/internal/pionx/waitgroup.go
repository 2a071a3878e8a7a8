package pionx

import "sync"

// waitGroup is a sync.WaitGroup that refuses to start anything once somebody
// waits, for goroutines that callbacks of pion start.
type waitGroup struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

func (w *waitGroup) add() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.group.Add(1)
	return true
}

func (w *waitGroup) done() { w.group.Done() }

func (w *waitGroup) wait() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.group.Wait()
}
