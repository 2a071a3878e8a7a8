package sfukit

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seam"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// hall is a registry on a network that exists only here, in a time that passes when
// the test says: everything of a room is real but for descriptions and sockets.
type hall struct {
	t       *testing.T
	reg     *Registry
	stepper seam.Stepper
	now     time.Time
	slow    time.Duration // that passes whenever somebody asks for the time
	due     []task
	joining *member // whose estimator and connection are being made
	members []*member
}

type task struct {
	at time.Time
	f  func()
}

const (
	hallContentType = 7
	hallMark        = 8 // bytes at the end of each payload: what the packet is
)

var hallExt = transport.Extensions{
	TransportCC: stageTransportCC, AbsSendTime: stageAbsSendTime, RID: stageRID, AudioLevel: stageAudioLevel,
	ContentType: hallContentType, DependencyDescriptor: 9, FrameMarking: 10,
}

func newHall(t *testing.T, change ...func(*Config)) *hall {
	t.Helper()
	h := &hall{t: t, now: time.Unix(1_700_000_000, 0)}
	cfg := Config{NewEstimator: func() BandwidthEstimator { return h.joining }}
	for _, f := range change {
		f(&cfg)
	}
	stepper, err := seam.NewRegistry(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	h.stepper, h.reg = stepper, stepper.(interface{ Registry() *Registry }).Registry() //nolint:forcetypeassert // it is ours
	t.Cleanup(func() {
		for _, m := range h.members {
			m.peer.Close()
		}
		h.run(time.Millisecond)
		if err := h.reg.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return h
}

// after has f called in a while.
func (h *hall) after(d time.Duration, f func()) { h.due = append(h.due, task{h.now.Add(d), f}) }

// every has f called again and again until it returns false.
func (h *hall) every(d time.Duration, f func() bool) {
	h.after(d, func() {
		if f() {
			h.every(d, f)
		}
	})
}

// run lets time pass, a millisecond at a time.
func (h *hall) run(d time.Duration) {
	for end := h.now.Add(d); h.now.Before(end); {
		h.now = h.now.Add(time.Millisecond)
		pending := h.due
		h.due = nil
		for _, task := range pending {
			if h.now.Before(task.at) {
				h.due = append(h.due, task)
			} else {
				task.f()
			}
		}
		h.stepper.Step(h.now)
	}
}

// until lets time pass until the condition holds, and returns how long that took.
func (h *hall) until(what string, limit time.Duration, cond func() bool) time.Duration {
	h.t.Helper()
	for began := h.now; ; h.run(time.Millisecond) {
		if cond() {
			return h.now.Sub(began)
		}
		if h.now.Sub(began) > limit {
			h.t.Fatalf("no %s within %s", what, limit)
		}
	}
}

// The network.

func (h *hall) NewConn(handler transport.Handler) (transport.Conn, error) {
	h.joining.handler = handler
	return h.joining, nil
}

func (h *hall) Now() time.Time {
	h.now = h.now.Add(h.slow)
	return h.now
}
func (h *hall) CheckOffer(string) error      { return nil }
func (h *hall) Cork()                        {}
func (h *hall) Uncork()                      {}
func (h *hall) Addr() netip.AddrPort         { return netip.AddrPort{} }
func (h *hall) Advertised() []netip.AddrPort { return nil }
func (h *hall) Dropped() map[string]int64    { return nil }
func (h *hall) Close() error                 { return nil }

// member is a client: its connection, its estimator, and what it was told and sent.
type member struct {
	hall    *hall
	peer    *Peer
	handler transport.Handler
	offer   []transport.Track // what it publishes
	lines   []*hallLine
	cameras []*hallCamera

	target units.Bitrate // what its estimator says; 0 for nothing
	delay  time.Duration // until it answers an offer

	tracks   map[string]TrackInfo // by mid, as it was told
	layers   map[string]LayerChange
	modes    []ModeChange
	publish  []PublishLayers
	speakers []SpeakerChange
	offers   int // of ours
	updates  int // of what lines carry
	plis     int
}

type clientOption func(*member, *Join)

func withTarget(rate units.Bitrate) clientOption { return func(m *member, _ *Join) { m.target = rate } }
func withSlots(m *member, j *Join)               { j.Slots = true }
func asRelay(m *member, j *Join)                 { j.Origin = RelayFromSfu("upstream") }

// join has a client of what was added to the offer by opts enter the room.
func (h *hall) join(id PeerID, opts ...clientOption) *member {
	h.t.Helper()
	m := &member{hall: h, tracks: map[string]TrackInfo{}, layers: map[string]LayerChange{}, delay: 30 * time.Millisecond}
	j := Join{Room: "hall", ID: id, Offer: "offer", Events: PeerEvents{
		Offer: func(o Offer) {
			m.offers++
			h.after(m.delay, func() {
				if err := m.peer.Answer(context.Background(), "answer", o.ID); err != nil {
					h.t.Errorf("answer of %d: %v", id, err)
				}
			})
		},
		Tracks: func(infos []TrackInfo) {
			for _, i := range infos {
				m.tracks[i.MID] = i
				m.updates++
			}
		},
		TracksRemoved: func(mids []string) {
			for _, mid := range mids {
				delete(m.tracks, mid)
				m.updates++
			}
		},
		Layer:         func(c LayerChange) { m.layers[c.MID] = c },
		Mode:          func(c ModeChange) { m.modes = append(m.modes, c) },
		PublishLayers: func(c PublishLayers) { m.publish = append(m.publish, c) },
		Speaker:       func(c SpeakerChange) { m.speakers = append(m.speakers, c) },
	}}
	for _, o := range opts {
		o(m, &j)
	}
	h.joining = m
	p, _, err := h.reg.Join(context.Background(), j)
	if err != nil {
		h.t.Fatal(err)
	}
	m.peer = p
	h.members = append(h.members, m)
	for _, c := range m.cameras {
		c.begin()
	}
	p.Start()
	m.handler.State(transport.Connected)
	return m
}

// The estimator.

func (*member) OnSent(time.Time, int)                             {}
func (*member) OnFeedback(time.Time, []bwe.Packet, time.Duration) {}
func (*member) OnREMB(time.Time, units.Bitrate)                   {}
func (*member) OnHint(time.Time, units.Bitrate)                   {}
func (m *member) Estimate(time.Time) (bwe.Estimate, bool) {
	return bwe.Estimate{Target: m.target, Term: bwe.TermDelay}, m.target > 0
}

// feedback delivers a transport-wide feedback message.
func (m *member) feedback() { m.handler.RTCP(m.hall.now, &rtcp.TransportLayerCC{}) }

// The connection.

func (m *member) AcceptOffer(string) (string, []transport.Track, error) {
	return "answer", m.offer, nil
}
func (m *member) Offer() (text, firstNew string, err error) { return "offer", "", nil }
func (m *member) PendingOffer() (text, firstNew string)     { return "offer", "" }
func (m *member) Abandon() error                            { return nil }
func (m *member) LastError() string                         { return "" }
func (m *member) Close()                                    {}

func (m *member) AcceptAnswer(string) error {
	for i, l := range m.lines {
		if l.params == nil {
			ssrc := uint32(m.peer.ID())<<16 | uint32(2*i)
			l.params = &transport.LineParams{SSRC: ssrc, Format: l.format, Ext: hallExt, TwoByte: true, Writer: l}
			if l.format.RTXPT != 0 {
				l.params.RTXSSRC = ssrc + 1
			}
		}
	}
	return nil
}

func (m *member) AddLine(f transport.Format, _, _ string) (transport.Line, error) {
	l := &hallLine{mid: fmt.Sprint(len(m.lines)), format: f, hall: m.hall}
	m.lines = append(m.lines, l)
	return l, nil
}

func (m *member) WriteRTCP(packets []rtcp.Packet) error {
	for _, p := range packets {
		pli, ok := p.(*rtcp.PictureLossIndication)
		if !ok {
			continue
		}
		m.plis++
		for _, c := range m.cameras {
			if c.ssrc == pli.MediaSSRC {
				m.hall.after(20*time.Millisecond, func() { c.key = true })
			}
		}
	}
	return nil
}

func (m *member) SendData(int, bool, []byte) transport.DataDrop { return transport.DataSent }

// hallLine is a line and what was sent on it.
type hallLine struct {
	hall   *hall
	mid    string
	format transport.Format
	params *transport.LineParams
	sent   []sentPacket
	bytes  int // of all sent
	forget bool
}

// sentPacket is a packet as it left.
type sentPacket struct {
	at      time.Time
	header  rtp.Header
	payload []byte
}

func (l *hallLine) MID() string                   { return l.mid }
func (l *hallLine) Params() *transport.LineParams { return l.params }
func (l *hallLine) Format() transport.Format      { return l.format }
func (l *hallLine) Name(string, string)           {}
func (l *hallLine) SetActive(bool)                {}

func (l *hallLine) WriteRTP(header *rtp.Header, payload []byte) (int, error) {
	l.bytes += len(payload) + headerEstimate
	if !l.forget {
		l.sent = append(l.sent, sentPacket{l.hall.now, header.Clone(), bytes.Clone(payload)})
	}
	return header.MarshalSize() + len(payload), nil
}

// line returns the line on which a track of a peer arrives, nil if there is none.
func (m *member) line(from *member, kind Kind) *hallLine {
	for _, l := range m.lines {
		if i, ok := m.tracks[l.mid]; ok && i.Peer == from.peer.ID() && i.Kind == kind {
			return l
		}
	}
	return nil
}

// rate returns what all lines together were sent per second while f ran.
func (m *member) rate(f func()) units.Bitrate {
	sum := func() (n int) {
		for _, l := range m.lines {
			n += l.bytes
		}
		return n
	}
	began, before := m.hall.now, sum()
	f()
	return units.Bitrate(float64(8*(sum()-before)) / m.hall.now.Sub(began).Seconds())
}
