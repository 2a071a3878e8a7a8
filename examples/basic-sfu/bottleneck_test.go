//go:build linux && bottleneck

package main

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// The course of TestBrowserBottleneck and what it may cost.
const (
	wideLink   = 3 * units.Mbps
	narrowLink = 400 * units.Kbps

	startLimit  = 60 * time.Second // until a busy machine encodes all layers
	changeLimit = 15 * time.Second // from a change of the link to the layer it carries
	holdFor     = 10 * time.Second // how long that layer must then last
	stillLimit  = time.Second      // a picture that moves has a new frame within it

	freezesPerChange = 1
	concealedLimit   = 0.02
)

// TestBrowserBottleneck: a viewer whose link becomes narrow and wide again is shown
// what the link carries. Another one, whose link is not limited, says what this
// machine does to picture and sound anyway: only what goes beyond that counts.
//
// It is not among the tests that "make test" runs: it misses its bar by a freeze on
// the way down, and needs a machine with nothing else to do.
func TestBrowserBottleneck(t *testing.T) {
	n := newNetns(t)
	n.shape(wideLink)
	base, s := startServer(t)
	outside := startChromium(t, true, func(l *launch) { l.film = crowd(t) })
	inside := startChromium(t, false, func(l *launch) { l.prefix = n.prefix() })
	b := &bottleneck{
		t: t, net: n, server: s, start: time.Now(),
		sender:  outside.open(t, "Sender", roomURL(base, bottleneckRoom, "Sender")),
		control: outside.blank(t, "Control"),
		viewer:  inside.blank(t, "Viewer"),
	}
	b.control.prepare(`navigator.mediaDevices.getUserMedia = undefined`)
	b.control.navigate(roomURL(base, bottleneckRoom, "Control"))
	b.viewer.navigate(roomURL(serveAt(t, s, n.host), bottleneckRoom, "Viewer"))
	b.sender.until(joinLimit, "joined", `call.state === 'joined'`)
	for _, p := range []*tab{b.viewer, b.control} {
		p.until(joinLimit, "the sender's picture", `call.tiles().then((t) => t.some((v) => v.framesDecoded > 0))`)
		p.do(fmt.Sprintf(`{ const s = document.querySelector('.tile[data-peer="%d"] select');
			s.value = 'f'; s.dispatchEvent(new Event('change')); }`, b.sender.id()))
	}
	b.viewerID = sfukit.PeerID(b.viewer.id())
	t.Cleanup(func() { t.Logf("requests for repairs that came to nothing: %v", s.registry.Stats().Counters.NACKDrops) })
	t.Cleanup(func() { t.Logf("the course\n%s", strings.Join(b.log, "\n")) })

	b.change(wideLink, "", startLimit)
	changes := []change{b.change(narrowLink, "q", changeLimit), b.change(wideLink, "", changeLimit)}
	for _, c := range changes {
		t.Log(c)
		if extra := c.viewer.freezes - c.control.freezes; extra > freezesPerChange {
			t.Errorf("to %v: %d freezes beyond those of the control, want at most %d", c.rate, extra, freezesPerChange)
		}
		if extra := c.viewer.concealed() - c.control.concealed(); extra >= concealedLimit {
			t.Errorf("to %v: %.2f %% of the sound concealed beyond that of the control, want less than %.0f %%",
				c.rate, 100*extra, 100*concealedLimit)
		}
	}
	if path := os.Getenv("SFU_BENCH_DOC"); path != "" {
		writeBottleneck(t, path, changes, b.log)
	}
}

const bottleneckRoom = "bottleneck"

// serveAt serves the demo at another address of this machine and returns its URL.
func serveAt(t *testing.T, s *server, ip string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(err)
	}
	web := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
	web.Start()
	t.Cleanup(func() {
		s.goAway()
		web.Close()
	})
	return web.URL
}

// bottleneck is a call of one who sends and two who watch, one behind a link
// that is shaped.
type bottleneck struct {
	t                       *testing.T
	net                     *netns
	server                  *server
	start                   time.Time
	sender, viewer, control *tab
	viewerID                sfukit.PeerID
	rate                    units.Bitrate // of the link
	log                     []string
	logged                  time.Time
}

// played is what a viewer's browser counted since some time.
type played struct {
	frames, freezes int
	frozen          time.Duration
	samples, madeUp float64 // of sound
}

func since(was, is tile) played {
	return played{
		frames: is.FramesDecoded - was.FramesDecoded, freezes: is.FreezeCount - was.FreezeCount,
		frozen:  time.Duration((is.TotalFreezesDuration - was.TotalFreezesDuration) * float64(time.Second)),
		samples: is.TotalSamplesReceived - was.TotalSamplesReceived,
		madeUp:  is.ConcealedSamples - was.ConcealedSamples,
	}
}

// concealed is the share of the sound that the browser made up, what it filled with
// silence included.
func (p played) concealed() float64 {
	if p.samples <= 0 {
		return 1
	}
	return p.madeUp / p.samples
}

func (p played) String() string {
	return fmt.Sprintf("%d frames, %d freezes of %.2f s together, %.2f %% of the sound concealed",
		p.frames, p.freezes, p.frozen.Seconds(), 100*p.concealed())
}

// change is what came of giving the link another rate.
type change struct {
	rate            units.Bitrate
	layer           string
	took            time.Duration // until the layer was there to stay
	still           time.Duration // the longest that the picture stood while the control's moved
	viewer, control played        // until the layer had lasted
}

func (c change) String() string {
	return fmt.Sprintf("to %v: layer %s to stay after %.1f s; the picture stood for %.1f s at most\n  viewer:  %v\n  control: %v",
		c.rate, c.layer, c.took.Seconds(), c.still.Seconds(), c.viewer, c.control)
}

// moving tells for how long a tile's picture has not changed.
type moving struct {
	frames int
	since  time.Time
}

func (m *moving) still(now time.Time, is tile) time.Duration {
	if is.FramesDecoded != m.frames || m.since.IsZero() {
		m.frames, m.since = is.FramesDecoded, now
	}
	return now.Sub(m.since)
}

// change gives the link a rate, and waits until the viewer is shown a layer, and its
// picture moves, for as long as it must. With "" it is the layer that the control is
// shown: f, but for a machine that is too busy to encode it.
func (b *bottleneck) change(rate units.Bitrate, layer string, within time.Duration) change {
	b.t.Helper()
	viewer, control := b.look(b.viewer), b.look(b.control)
	b.rate = rate
	b.net.shape(rate)
	c := change{rate: rate}
	began := time.Now()
	settled := began
	var picture, other moving
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		is, isControl, now := b.look(b.viewer), b.look(b.control), time.Now()
		b.note(is)
		still, stillControl := picture.still(now, is), other.still(now, isControl)
		stands := still > stillLimit && stillControl <= stillLimit
		if stillControl <= stillLimit {
			c.still = max(c.still, still)
		}
		want := cmp.Or(layer, isControl.Layer.RID)
		if is.Layer.RID != want || c.layer != want || stands {
			c.layer, settled = want, now
		}
		if now.Sub(settled) >= holdFor {
			c.took, c.viewer, c.control = settled.Sub(began), since(viewer, is), since(control, isControl)
			return c
		}
		if now.Sub(began) > within+holdFor {
			break
		}
	}
	b.t.Fatalf("at %v there is not, within %v and for %v, a moving picture of layer %s", rate, within, holdFor, c.layer)
	return c
}

func (b *bottleneck) look(p *tab) tile {
	b.t.Helper()
	for _, tl := range p.tiles() {
		if tl.MID != "" {
			return tl
		}
	}
	b.t.Fatalf("%s: no picture\n%s", p.name, p.describe())
	return tile{}
}

// note writes down, twice a second, what the link carries, what the viewer is shown
// and why.
func (b *bottleneck) note(v tile) {
	now := time.Now()
	if now.Sub(b.logged) < 500*time.Millisecond {
		return
	}
	b.logged = now
	room, _ := b.server.registry.Room(bottleneckRoom)
	p, ok := room.Peer(b.viewerID)
	if !ok {
		return
	}
	line := fmt.Sprintf("%5.1f s  link %4d kbit/s  layer %1s %4d lines %4d frames %2d freezes ",
		now.Sub(b.start).Seconds(), b.rate/units.Kbps, v.Layer.RID, v.FrameHeight, v.FramesDecoded, v.FreezeCount)
	for _, x := range p.Explain() {
		if x.Kind != sfukit.KindVideo.String() {
			continue
		}
		line += fmt.Sprintf(" estimate %4d by %-5s share %4d of %s", x.Budget/units.Kbps, x.Term, x.Share/units.Kbps, x.Binding)
		if x.Next != nil {
			line += fmt.Sprintf("; %s of %d waits for %s, %d missing", x.Next.RID, x.Next.Bitrate/units.Kbps, x.Waiting, x.Missing/units.Kbps)
		}
	}
	b.log = append(b.log, line)
}
