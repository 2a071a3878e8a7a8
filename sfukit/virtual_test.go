package sfukit_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// oneWay is the delay of every path of a virtual network.
const oneWay = 20 * time.Millisecond

// world is a node on a virtual network in virtual time: real ICE, DTLS and SRTP,
// a clock that stands still while anything computes, and links that lose
// exactly what the test says.
type world struct {
	t   *testing.T
	reg *sfukit.Registry

	router *vnet.Router
	mu     sync.Mutex
	loss   func(d datagram) bool
}

// datagram is what a link carries. RTP headers are in clear, payloads are not.
type datagram struct {
	from, to string // IP addresses
	rtp      *rtp.Header
	body     []byte // all of it, as it is on the wire
}

const nodeIP = "10.0.0.1"

func clientIP(id sfukit.PeerID) string { return fmt.Sprintf("10.0.1.%d", id) }

// virtually runs a test in a world of its own.
func virtually(t *testing.T, run func(w *world), change ...func(*sfukit.Config)) {
	t.Helper()
	virtuallyOver(t, func(c net.PacketConn) net.PacketConn { return c }, run, change...)
}

// virtuallyOver does so with a node whose socket is what wrap makes of it.
func virtuallyOver(t *testing.T, wrap func(net.PacketConn) net.PacketConn, run func(w *world), change ...func(*sfukit.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := sfukit.Config{}
		for _, f := range change {
			f(&cfg)
		}
		n := w.net(nodeIP)
		socket, err := n.ListenPacket("udp4", nodeIP+":7878")
		if err != nil {
			t.Fatal(err)
		}
		if w.reg, err = sfukit.NewVirtualRegistry(cfg, n, wrap(socket)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.reg.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		if err := w.router.Start(); err != nil {
			t.Fatal(err)
		}
		run(w)
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	var err error
	if w.router, err = vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/16", MinDelay: oneWay, QueueSize: 4096, LoggerFactory: logging.NewDefaultLoggerFactory(),
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.router.Stop() }) // the last to go
	w.router.AddChunkFilter(func(c vnet.Chunk) bool {
		d := datagram{from: host(c.SourceAddr()), to: host(c.DestinationAddr()), body: c.UserData()}
		if b := c.UserData(); len(b) > 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) { // RFC 7983, RFC 5761
			d.rtp = &rtp.Header{}
			if _, err := d.rtp.Unmarshal(b); err != nil {
				d.rtp = nil
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.loss == nil || !w.loss(d)
	})
	return w
}

func host(a net.Addr) string {
	h, _, _ := net.SplitHostPort(a.String())
	return h
}

func (w *world) net(ips ...string) *vnet.Net {
	w.t.Helper()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: ips})
	if err == nil {
		err = w.router.AddNet(n)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// lose says from now on which datagrams the network loses; f is called with one
// datagram at a time.
func (w *world) lose(f func(d datagram) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss = f
}

func (w *world) join(room sfukit.RoomID, id sfukit.PeerID, cfg clientConfig) *client {
	w.t.Helper()
	if cfg.net == nil {
		cfg.net = w.net(clientIP(id))
	}
	return join(w.t, w.reg, room, id, cfg)
}

// TestMinuteOfCall runs three participants who all publish three encodings and
// audio for sixty seconds, one of them behind a link that loses 2 % both ways.
func TestMinuteOfCall(t *testing.T) {
	virtually(t, func(w *world) {
		random := rand.New(rand.NewPCG(1, 2))
		var lost, carried atomic.Int64
		w.lose(func(d datagram) bool {
			if d.rtp == nil || d.from != clientIP(3) && d.to != clientIP(3) {
				return false
			}
			carried.Add(1)
			if random.IntN(100) >= 2 {
				return false
			}
			lost.Add(1)
			return true
		})
		var peers []*client
		var sources []*source
		for id := sfukit.PeerID(1); id <= 3; id++ {
			var cam, mic *source
			peers = append(peers, w.join("room", id, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
				mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
				cam = addTrack(w.t, pc, webrtc.MimeTypeVP8, "cam", "q", "h", "f")
			}}))
			mic.talk(func() uint8 { return 30 })
			cam.run(66*time.Millisecond, 2)
			sources = append(sources, mic, cam)
		}
		began := time.Now()
		for n := range 6 { // every ten seconds everybody looks at another layer
			time.Sleep(10 * time.Second)
			for _, p := range peers {
				p.mu.Lock()
				for mid, info := range p.tracks {
					if info.Kind == sfukit.KindVideo {
						wish := sfukit.LayerWish{MID: mid, MaxRID: []sfukit.SfuRid{"q", "f"}[n%2]}
						if err := p.peer.SetLayer(wish); err != nil {
							t.Errorf("SetLayer: %v", err)
						}
					}
				}
				p.mu.Unlock()
			}
		}
		if d := time.Since(began); d != time.Minute {
			t.Fatalf("the call took %s of virtual time, want a minute", d)
		}
		w.lose(nil)
		time.Sleep(time.Second) // for the last repairs
		for _, s := range sources {
			s.close()
		}
		time.Sleep(2 * oneWay)
		for _, p := range peers {
			for other := sfukit.PeerID(1); other <= 3; other++ {
				if other == p.peer.ID() {
					continue
				}
				audio := p.packets(p.from(other, sfukit.KindAudio), 1)
				if len(audio) < 59*50*95/100 {
					t.Errorf("peer %d got %d audio packets of peer %d in a minute, want about 3000", p.peer.ID(), len(audio), other)
				}
				mid := p.from(other, sfukit.KindVideo)
				holes, switches := checkRepaired(t, p.packets(mid, 1))
				if holes > 0 {
					t.Errorf("peer %d misses %d video packets of peer %d after repair", p.peer.ID(), holes, other)
				}
				if switches < 3 {
					t.Errorf("peer %d saw %d layer switches of peer %d, want at least 3", p.peer.ID(), switches, other)
				}
			}
		}
		if c := w.reg.Stats().Counters; c.NACKSent == 0 || c.Repaired == 0 || c.Resent == 0 {
			t.Errorf("%d of %d packets lost, but NACKs sent %d, repaired %d, resent %d",
				lost.Load(), carried.Load(), c.NACKSent, c.Repaired, c.Resent)
		}
	}, func(c *sfukit.Config) { c.NewEstimator = plenty })
}

// checkRepaired is checkContinuous for a line whose repairs came out of order:
// it sorts by sequence number, counts switches of encoding and holes between
// packets of one, and checks that timestamps are those of the frames.
func checkRepaired(t *testing.T, packets []*rtp.Packet) (holes, switches int) {
	t.Helper()
	sorted := inOrder(packets)
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		gap := int(b.SequenceNumber - a.SequenceNumber - 1)
		from, frame0, _ := vp8Mark(a.Payload)
		to, frame1, part := vp8Mark(b.Payload)
		if from == to {
			if !leftSoon(sorted[i:], from) {
				holes += gap
			}
		} else {
			switches++
			if key := b.Payload[5]&1 == 0; gap == 0 && (part != 0 || !key) {
				t.Errorf("packet %d: switch from encoding %d to %d without a keyframe", i, from, to)
			}
		}
		step := int32(b.Timestamp - a.Timestamp)
		same := from == to && frame0 == frame1
		if same && step != 0 || !same && (step <= 0 || step > 90000) {
			t.Errorf("packet %d: timestamp steps by %d from frame %d/%d to %d/%d", i, step, from, frame0, to, frame1)
		}
	}
	return holes, switches
}

// leftSoon reports whether the line leaves an encoding within the next few
// frames: what it lost last is not repaired after that, since a packet of the
// old encoding never follows one of the new.
func leftSoon(packets []*rtp.Packet, from int) bool {
	for _, p := range packets[:min(len(packets), 12)] {
		if enc, _, _ := vp8Mark(p.Payload); enc != from {
			return true
		}
	}
	return false
}

// inOrder returns the packets by sequence number, wraps unfolded.
func inOrder(packets []*rtp.Packet) []*rtp.Packet {
	type numbered struct {
		n int64
		p *rtp.Packet
	}
	var all []numbered
	highest := int64(packets[0].SequenceNumber)
	for _, p := range packets {
		n := highest + int64(int16(p.SequenceNumber-uint16(highest)))
		highest = max(highest, n)
		all = append(all, numbered{n, p})
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	all = slices.CompactFunc(all, func(a, b numbered) bool { return a.n == b.n })
	out := make([]*rtp.Packet, len(all))
	for i := range all {
		out[i] = all[i].p
	}
	return out
}
