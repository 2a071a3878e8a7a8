package main

import (
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// switcher is the leaves at work: a ladder says which encoding fits, a rewriter
// makes the change invisible.
type switcher struct {
	mu        sync.Mutex
	limit     layer.RID         // guarded by mu
	encodings []*encoding       // guarded by mu
	rewriter  *rewrite.Rewriter // guarded by mu
}

type encoding struct {
	rung layer.Rung
	live layer.Liveness
	seq  int64 // unwrapped
}

// choose returns the best live encoding within the limit.
func (s *switcher) choose(now time.Time) rewrite.Source {
	rungs := make([]layer.Rung, len(s.encodings))
	for i, e := range s.encodings {
		rungs[i] = e.rung
		rungs[i].Live = e.live.Live(now)
	}
	best, _ := layer.NewLadder(rungs).BestFit(s.limit)
	for i, r := range rungs {
		if r.RID == best && r.Live {
			return rewrite.Source(i + 1)
		}
	}
	return 0 // nothing arrives: pause
}

// arrived makes an encoding known and reads it until it ends.
func (s *switcher) arrived(t *webrtc.TrackRemote, view *webrtc.TrackLocalStaticRTP) {
	s.mu.Lock()
	i := len(s.encodings)
	s.encodings = append(s.encodings, &encoding{rung: layer.Rung{RID: layer.RID(t.RID())}})
	s.mu.Unlock()
	for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
		if p = s.forward(time.Now(), i, p); p != nil {
			_ = view.WriteRTP(p)
		}
	}
}
