package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seam"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Call is a room of the kit and those who are in it. It is the real room, behind
// the seam where otherwise pion is: ICE, DTLS and SRTP are left out, and offers are
// accepted as they are.
type Call struct {
	// Publishers send over paths of their own, and watch nothing.
	Publishers []Publisher
	// Viewers is how many watch all of it behind the scenario's Down and Up, which
	// they share. 0 means 1.
	Viewers int
	// Config is the room's; its NewEstimator is the policy's.
	Config sfukit.Config
}

// Publisher is a browser that sends.
type Publisher struct {
	// Start and Stop are when it sends. A Stop of 0 means until the end.
	Start, Stop time.Duration
	// Cameras are its video tracks.
	Cameras []Camera
	// Silent says that it has no microphone.
	Silent bool
	// Up is its way to the room. The zero value is without limit, delay and loss.
	Up LinkConfig
}

// joinTime is what ICE and DTLS take, and an offer and its answer.
const (
	joinTime     = 100 * time.Millisecond
	answerTime   = 50 * time.Millisecond
	stepInterval = time.Millisecond
)

// world is a running Call.
type world struct {
	engine     *Engine
	scenario   *Scenario
	network    *network
	stepper    seam.Stepper
	registry   *sfukit.Registry
	viewers    []*viewer
	publishers []*client
}

// viewer is a client that is measured.
type viewer struct {
	world  *world
	client *client
	peer   *sfukit.Peer
	stats  flowStats
}

func newWorld(e *Engine, s *Scenario, p Policy, down, up *Link) (*world, error) {
	w := &world{engine: e, scenario: s, network: &network{engine: e, clients: map[string]*client{}}}
	cfg := s.Call.Config
	cfg.NewEstimator = func() sfukit.BandwidthEstimator { return p.New() }
	var err error
	if w.stepper, err = seam.NewRegistry(cfg, w.network); err != nil {
		return w, fmt.Errorf("the room's config: %w", err)
	}
	w.registry = w.stepper.(interface{ Registry() *sfukit.Registry }).Registry() //nolint:forcetypeassert // it promises to
	for i := range max(1, s.Call.Viewers) {
		v := &viewer{client: &client{
			engine: e, id: i, name: fmt.Sprintf("viewer %d", i+1), watches: true, down: down, up: up,
			bySSRC: map[uint32]receiver{}, sources: map[string]*camera{}, settle: s.Settle,
		}, world: w}
		w.viewers = append(w.viewers, v)
		if v.peer, err = w.join(v.client, v.events()); err != nil {
			return w, err
		}
	}
	for i := range s.Call.Publishers {
		if err := w.publisher(i, &s.Call.Publishers[i]); err != nil {
			return w, fmt.Errorf("publisher %d: %w", i+1, err)
		}
	}
	e.Every(stepInterval, func() bool {
		w.stepper.Step(e.Now())
		return true
	})
	return w, nil
}

// publisher adds one that sends.
func (w *world) publisher(i int, p *Publisher) error {
	name := fmt.Sprintf("publisher %d", i+1)
	up, err := NewLink(w.engine, name, p.Up)
	if err != nil {
		return err
	}
	back, err := NewLink(w.engine, name+" down", LinkConfig{Delay: p.Up.Delay})
	if err != nil {
		return err
	}
	c := &client{engine: w.engine, id: backFlows + i, name: name, up: up, down: back, bySSRC: map[uint32]receiver{}}
	for k, config := range p.Cameras {
		if err := config.validate(); err != nil {
			return err
		}
		span := Span{max(p.Start, 2*joinTime), p.Stop}
		cam := newCamera(w.engine, name, fmt.Sprint(k), config, uint32(0x10000*(i+1)+0x100*(k+1)), span)
		cam.send, cam.report = c.sendRTP, func(r rtcp.Packet) { c.sendRTCP(r) }
		cam.settle = w.scenario.Settle
		c.cameras = append(c.cameras, cam)
	}
	if !p.Silent {
		m := newMicrophone(w.engine, name, "a", uint32(0x10000*(i+1)), Span{max(p.Start, 2*joinTime), p.Stop})
		m.send, m.report = c.sendRTP, func(r rtcp.Packet) { c.sendRTCP(r) }
		c.microphone = m
	}
	w.publishers = append(w.publishers, c)
	_, err = w.join(c, sfukit.PeerEvents{PublishLayers: func(l sfukit.PublishLayers) {
		w.engine.After(answerTime, func() { c.publish(l) })
	}})
	return err
}

// join lets a client into the room.
func (w *world) join(c *client, events sfukit.PeerEvents) (*sfukit.Peer, error) {
	w.network.clients[c.name] = c
	peer, _, err := w.registry.Join(context.Background(), sfukit.Join{
		Room: "sim", ID: sfukit.PeerID(c.id), Offer: c.name, Slots: true, Events: events,
	})
	if err != nil {
		return nil, err
	}
	peer.Start()
	w.engine.After(joinTime, c.start)
	return peer, nil
}

func (w *world) subjects() (out []subject) {
	for _, v := range w.viewers {
		out = append(out, v)
	}
	return out
}

// events answers the room's offers and follows what it says of the tracks.
func (v *viewer) events() sfukit.PeerEvents {
	c := v.client
	return sfukit.PeerEvents{
		Offer: func(o sfukit.Offer) {
			c.engine.After(answerTime, func() {
				// An answer that comes too late is dropped, and the offer repeated.
				_ = v.peer.Answer(context.Background(), "", o.ID)
			})
		},
		Tracks: func(infos []sfukit.TrackInfo) {
			for _, info := range infos {
				v.client.sources[info.MID] = v.world.camera(info)
			}
		},
		Layer: func(l sfukit.LayerChange) {
			for _, r := range c.video {
				if r.mid == l.MID {
					r.pause(l.Paused)
				}
			}
		},
	}
}

// camera returns what the room says a line shows, nil if it is no camera.
func (w *world) camera(info sfukit.TrackInfo) *camera {
	for _, p := range w.publishers {
		if sfukit.PeerID(p.id) != info.Peer {
			continue
		}
		for _, cam := range p.cameras {
			if cam.mid == info.SourceMID {
				return cam
			}
		}
	}
	return nil
}

func (v *viewer) name() string               { return v.client.name }
func (v *viewer) span() (_, _ time.Duration) { return 0, 0 }

func (v *viewer) state() (units.Bitrate, string) {
	s := v.peer.Stats()
	return s.Estimate, s.Term
}

// counts moves what the client has counted to where the recorder looks.
func (v *viewer) counts() *flowStats {
	t := &v.client.tally
	v.stats.media += t.media + t.repair
	v.stats.padding += t.waste
	v.stats.received += t.media + t.repair + t.waste
	v.stats.waited = append(v.stats.waited, t.waited...)
	*t = tally{waited: t.waited[:0]}
	return &v.stats
}
