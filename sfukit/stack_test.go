package sfukit_test

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// stackCall is a scenario that happens twice: to the whole node with pion's
// clients over a virtual network, and to the room alone in package sim.
type stackCall struct {
	name, about string
	length      time.Duration
	down        sim.LinkConfig
	cameras     int // 0 means 1
	events      []stackEvent
	phases      []stackPhase
	freeze      time.Duration // the longest that is allowed
	silent      float64       // the share of audio that may be missing
	alone       bool          // package sim has no such thing
	open        []string      // bars that are known to be missed, some runs or all
}

// stackEvent is what somebody does beside sending and watching; the fast level goes
// without.
type stackEvent struct {
	at time.Duration
	do func(r *stackRun)
}

// stackPhase is what the viewer must come to see in a part of a scenario, and keep.
type stackPhase struct {
	from   time.Duration
	want   []int // encoding by camera, -1 for nothing
	within time.Duration
	// below is the capacity that the estimate must come below within a second; 0 if
	// there is no such need.
	below units.Bitrate
}

// stackRun is one that is under way.
type stackRun struct {
	*world
	link      *bottleneck
	publisher *client
	cameras   []*webcam
	mic       *source
	viewer    *viewer
	roamed    atomic.Bool // the viewer's first address is dead, the other one lives
}

const (
	stackQueue = 200 * time.Millisecond
	// A packet in package sim lacks the tag of SRTP, a real one has it.
	stackTag, stackHeaders = 10, 28
	roamedIP               = "10.0.2.2"
)

// run lets the scenario happen to the whole stack.
func (s *stackCall) run(t *testing.T, seed uint64) (out stackResult) {
	t.Helper()
	var link *bottleneck
	wrap := func(c net.PacketConn) net.PacketConn {
		cfg := s.down
		cfg.Overhead = stackHeaders
		var err error
		if link, err = newBottleneck(c, cfg, seed, clientIP(2), roamedIP); err != nil {
			t.Fatal(err)
		}
		return link
	}
	virtuallyOver(t, wrap, func(w *world) {
		r := &stackRun{world: w, link: link}
		began := link.began
		w.lose(func(d datagram) bool { // what the link does not
			alive, dead := clientIP(2), roamedIP
			if r.roamed.Load() {
				alive, dead = dead, alive
			}
			return d.from == dead || d.to == dead ||
				d.from == alive && slices.ContainsFunc(s.down.Outages, func(o sim.Span) bool { return o.Contains(time.Since(began)) })
		})
		r.join(max(1, s.cameras))
		for i, c := range r.cameras {
			c.film(100*seed + uint64(i))
		}
		r.mic.talk(func() uint8 { return 30 })
		for events := s.events; time.Since(began) < s.length; time.Sleep(viewerTick) {
			for len(events) > 0 && time.Since(began) >= events[0].at {
				events[0].do(r)
				events = events[1:]
			}
			r.viewer.tick()
			out.samples = append(out.samples, stackSample{time.Since(began), r.viewer.peer.Stats().Estimate})
		}
		r.result(&out)
		for _, c := range r.cameras {
			c.close()
		}
		r.mic.close()
	})
	return out
}

// join has a publisher and a viewer join, and waits until the publisher is connected.
func (r *stackRun) join(cameras int) {
	r.publisher = r.world.join("room", 1, clientConfig{
		prepare: func(pc *webrtc.PeerConnection) {
			r.mic = addTrack(r.t, pc, webrtc.MimeTypeOpus, "mic")
			for i := range cameras {
				r.cameras = append(r.cameras, addCamera(r.t, pc, fmt.Sprint("cam", i)))
			}
		},
		events: func(e *sfukit.PeerEvents) {
			e.PublishLayers = func(l sfukit.PublishLayers) {
				for _, c := range r.cameras {
					c.publish(l)
				}
			}
		},
	})
	r.viewer = r.watch(2, r.link.began)
	r.publisher.wait("connection", func() bool { return r.publisher.peer.Stats().Connected })
}

// roam moves the viewer to its other address, and has it restart ICE, as a browser's
// page does that hears of a new network.
func (r *stackRun) roam() {
	r.roamed.Store(true)
	go r.viewer.renegotiateWith(&webrtc.OfferOptions{ICERestart: true})
}

// prefer has the viewer give one camera priority.
func prefer(camera int) func(*stackRun) {
	return func(r *stackRun) {
		for i, c := range r.cameras {
			wish := sfukit.LayerWish{MID: r.viewer.showing(c)}
			if i == camera {
				wish.Priority = 1
			}
			if err := r.viewer.peer.SetLayer(wish); err != nil {
				r.t.Errorf("SetLayer: %v", err)
			}
		}
	}
}

func (r *stackRun) result(out *stackResult) {
	v := r.viewer
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, c := range r.cameras {
		l := v.lines[v.showing(c)]
		if l == nil {
			out.shown = append(out.shown, nil)
			continue
		}
		if gap := v.elapsed() - l.shownAt; !l.paused && l.shownAt > 0 && l.stands(gap) {
			l.out.freezes = append(l.out.freezes, sim.Freeze{At: l.shownAt, Lasted: gap})
		}
		if i == 0 {
			out.top = l.out.latest[len(c.encoders)-1]
		}
		out.shown = append(out.shown, l.out.shown)
		out.freezes = append(out.freezes, l.out.freezes...)
	}
	for _, l := range v.lines {
		if len(l.out.heard) > 0 {
			out.concealed, out.silent = playedAudio(l.out.heard)
		}
	}
	s := r.link.stats()
	out.loss = float64(s.Overflow+s.Lost) / float64(s.Sent)
}

// showing returns the mid of the line that shows a camera.
func (v *viewer) showing(c *webcam) string {
	v.client.mu.Lock()
	defer v.client.mu.Unlock()
	for mid, info := range v.client.tracks {
		if info.SourceMID == c.source.mid() {
			return mid
		}
	}
	return ""
}

// fast lets the scenario happen in package sim.
func (s *stackCall) fast(t *testing.T, seed uint64) (out stackResult) {
	t.Helper()
	down := s.down
	down.Overhead = stackHeaders + stackTag
	result, err := sim.Scenario{
		Name: s.name, Duration: s.length, Settle: time.Second, Seed: seed, Down: down,
		Up:   sim.LinkConfig{Delay: oneWay, Outages: down.Outages, Overhead: stackHeaders + stackTag},
		Call: &sim.Call{Publishers: []sim.Publisher{{Cameras: make([]sim.Camera, max(1, s.cameras))}}},
	}.Run(sim.Default())
	if err != nil {
		t.Fatal(err)
	}
	f := &result.Flows[0]
	for _, track := range f.View.Tracks {
		out.shown = append(out.shown, track.Shown)
		out.freezes = append(out.freezes, track.Freezes...)
	}
	for _, p := range f.Samples {
		out.samples = append(out.samples, stackSample{p.At, p.Estimate})
	}
	out.concealed, out.loss = f.View.Concealed, f.Loss
	return out
}

// end returns when a phase ends.
func (s *stackCall) end(phase int) time.Duration {
	if phase+1 < len(s.phases) {
		return s.phases[phase+1].from
	}
	return s.length
}
