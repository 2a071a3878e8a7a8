package tasks_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/tasks"
)

func TestGroupWaitsAndThenRefuses(t *testing.T) {
	var g tasks.Group
	var started, ended atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 100 {
				if g.Go(func() { ended.Add(1) }) {
					started.Add(1)
				}
			}
		})
	}
	g.Wait()
	if g.Go(func() { t.Error("ran after Wait") }) {
		t.Error("Go after Wait = true, want false")
	}
	callers.Wait()
	g.Wait()
	if s, e := started.Load(), ended.Load(); s != e {
		t.Errorf("%d started, %d ended before Wait returned", s, e)
	}
}
