package sfukit

import (
	"sync"
	"testing"
	"time"
)

// TestAllocationIsConcurrent decides from several goroutines at once, as ticks,
// feedback and clients do, while packets come and the track's ladder changes.
func TestAllocationIsConcurrent(t *testing.T) {
	s := newStage(t, 2, "q", "h", "f")
	var cameras []*camera
	for i, rid := range []string{"q", "h", "f"} {
		cameras = append(cameras, s.camera(uint32(i+1), rid))
		cameras[i].send(true)
	}
	const times = 2000
	var all sync.WaitGroup
	for _, f := range []func(n int){
		func(n int) {
			for _, c := range cameras {
				c.send(n%10 == 0)
			}
		},
		func(n int) { s.lines[0].peer.sub.reallocate(time.Now().Add(time.Duration(n) * ladderAge)) }, // a new ladder each time
		func(int) { s.lines[1].peer.sub.reallocate(time.Now()) },
		func(int) { s.lines[0].peer.sub.reallocate(time.Now()) },
		func(int) { s.lines[0].peer.Explain() },
		func(n int) {
			l := s.lines[1]
			if l.detach(); n%2 == 0 {
				l.attach(s.publisher.published()[0], true)
			}
		},
	} {
		all.Go(func() {
			for n := range times {
				f(n)
			}
		})
	}
	all.Wait()
	s.lines[1].detach()
	track := s.publisher.published()[0]
	s.lines[0].detach()
	s.lines[0].peer.sub.reallocate(time.Now())
	if n, _ := track.dynacast.track.Update(time.Now().Add(time.Hour)); n != 0 {
		t.Errorf("%d encodings are wanted of a track that nobody watches", n)
	}
}
