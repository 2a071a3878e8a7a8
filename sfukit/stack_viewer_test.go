package sfukit_test

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
)

// What libwebrtc's receivers do: transport-wide feedback each 50 ms when they may
// send enough of it, requests for what is missing at once and again each 100 ms, ten
// times in all, and for a keyframe when nothing could be decoded for 3 s, for 200 ms
// before the first.
const (
	viewerFeedback = 50 * time.Millisecond
	viewerTick     = 20 * time.Millisecond
	viewerRepeat   = 100 * time.Millisecond
	viewerTries    = 10
	viewerFirst    = 200 * time.Millisecond
	viewerStuck    = 3 * time.Second
)

// viewerInterceptors are those of a pion client that watches as a browser does.
// Pion's NACK generator is left out: it does not see what has been repaired over
// RTX, and would ask for it again and again.
func viewerInterceptors(t testing.TB, m *webrtc.MediaEngine) *interceptor.Registry {
	t.Helper()
	r := &interceptor.Registry{}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		m.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, kind)
	}
	m.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}, webrtc.RTPCodecTypeVideo)
	for _, err := range []error{
		webrtc.ConfigureRTCPReports(r), webrtc.ConfigureSimulcastExtensionHeaders(m),
		webrtc.ConfigureTWCCSenderWithOptions(m, r, twcc.SendInterval(viewerFeedback)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// viewer is a client that is measured: it decodes as far as numbers and keyframes
// tell, and asks for what it misses.
type viewer struct {
	*client
	began time.Time
	pc    *webrtc.PeerConnection

	mu    sync.Mutex
	lines map[string]*watched // by mid
}

// watch lets a viewer into the room; its times are since began.
func (w *world) watch(id sfukit.PeerID, began time.Time) *viewer {
	v := &viewer{began: began, lines: map[string]*watched{}}
	v.client = w.join("room", id, clientConfig{
		net:          w.net(clientIP(id), roamedIP),
		interceptors: viewerInterceptors,
		prepare: func(pc *webrtc.PeerConnection) {
			v.pc = pc
			pc.OnTrack(v.read)
		},
		events: func(e *sfukit.PeerEvents) {
			layer := e.Layer
			e.Layer = func(l sfukit.LayerChange) {
				layer(l)
				v.layer(l)
			}
		},
	})
	return v
}

func (v *viewer) elapsed() time.Duration { return time.Since(v.began) }

// line returns a line by its mid, made if need be. Viewer.mu is held.
func (v *viewer) line(mid string) *watched {
	l := v.lines[mid]
	if l == nil {
		l = &watched{
			mid: mid, missing: map[int64]*missing{}, packets: map[int64]*part{},
			out: watchedTally{latest: map[int]time.Duration{}},
		}
		v.lines[mid] = l
	}
	return l
}

// layer follows what the room says it forwards.
func (v *viewer) layer(change sfukit.LayerChange) {
	v.mu.Lock()
	defer v.mu.Unlock()
	l := v.line(change.MID)
	if change.Paused && !l.paused && l.out.frames > 0 {
		l.show(v.elapsed(), -1)
	}
	if l.paused && !change.Paused {
		l.gaps, l.shownAt, l.askedAt = nil, 0, v.elapsed()
	}
	l.paused = change.Paused
}

func (v *viewer) read(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	v.mu.Lock()
	var l *watched
	for _, tr := range v.pc.GetTransceivers() {
		if tr.Receiver() == receiver {
			l = v.line(tr.Mid())
		}
	}
	l.ssrc, l.video = uint32(track.SSRC()), track.Kind() == webrtc.RTPCodecTypeVideo
	v.mu.Unlock()
	go func() { // for pion's reports to be taken
		for {
			if _, _, err := receiver.ReadRTCP(); err != nil {
				return
			}
		}
	}()
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		v.mu.Lock()
		ask := l.receive(v.elapsed(), p)
		v.mu.Unlock()
		v.ask(l.ssrc, ask)
	}
}

// ask sends a NACK.
func (v *viewer) ask(ssrc uint32, seqs []int64) {
	if len(seqs) == 0 {
		return
	}
	short := make([]uint16, len(seqs))
	for i, s := range seqs {
		short[i] = uint16(s)
	}
	n := &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: ssrc}
	for _, p := range nack.Pairs(short, nil) {
		n.Nacks = append(n.Nacks, rtcp.NackPair{PacketID: p.PacketID, LostPackets: rtcp.PacketBitmap(p.LostPackets)})
	}
	_ = v.pc.WriteRTCP([]rtcp.Packet{n})
}

// tick is the 20 ms timer: repeats of NACK and, when nothing helps, PLI.
func (v *viewer) tick() {
	v.mu.Lock()
	again := map[uint32][]int64{}
	var stuck []rtcp.Packet
	now := v.elapsed()
	for _, l := range v.lines {
		if l.ssrc == 0 {
			continue
		}
		again[l.ssrc] = l.due(time.Now())
		if l.video && l.stuck(now) {
			l.askedAt = now
			stuck = append(stuck, &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: l.ssrc})
		}
	}
	v.mu.Unlock()
	for ssrc, seqs := range again {
		v.ask(ssrc, seqs)
	}
	if len(stuck) > 0 {
		_ = v.pc.WriteRTCP(stuck)
	}
}
