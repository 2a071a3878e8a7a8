package sfukit_test

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// newInterceptors is what a browser does by itself: NACK, reports,
// transport-wide feedback, and the extensions simulcast needs.
func newInterceptors(t testing.TB, m *webrtc.MediaEngine) *interceptor.Registry {
	t.Helper()
	r := &interceptor.Registry{}
	r.Add(&repairedRID{})
	for _, err := range []error{
		webrtc.ConfigureNack(m, r), webrtc.ConfigureRTCPReports(r), webrtc.ConfigureTWCCSender(m, r),
		webrtc.ConfigureTWCCHeaderExtensionSender(m, r), webrtc.ConfigureSimulcastExtensionHeaders(m),
		m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"}, webrtc.RTPCodecTypeAudio),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// source is a synthetic publisher's track: it writes what it is told to, and
// counts the keyframes asked of it.
type source struct {
	t      testing.TB
	pc     *webrtc.PeerConnection
	sender *webrtc.RTPSender
	local  []*webrtc.TrackLocalStaticRTP // one per encoding
	rids   []string

	mu     sync.Mutex
	states map[string]*encoder
	stop   chan struct{}
	done   sync.WaitGroup
	plis   atomic.Int64
	nacks  atomic.Int64
	deaf   atomic.Bool // keyframe requests are counted and not answered
	muted  sync.Map    // rid → true: sends nothing
	wrote  func(encoding int, frame uint32)
	junk   atomic.Bool  // a packet that is no VP8 goes before every frame
	large  atomic.Int32 // the next frame has so many packets
}

// encoder is the state of one encoding.
type encoder struct {
	ssrc      uint32
	seq       uint16
	ts        uint32
	pictureID uint16
	tl0       uint8
	key       atomic.Bool // the next frame is a keyframe
	frames    int
}

func capability(mime string) webrtc.RTPCodecCapability {
	switch mime {
	case webrtc.MimeTypeOpus:
		return webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}
	default:
		return webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000}
	}
}

// addTrack adds a track of one or several encodings to a connection.
func addTrack(t testing.TB, pc *webrtc.PeerConnection, mime, id string, rids ...string) *source {
	t.Helper()
	s := &source{t: t, pc: pc, rids: rids, states: map[string]*encoder{}, stop: make(chan struct{})}
	if len(rids) == 0 {
		s.rids = []string{""}
	}
	for _, rid := range s.rids {
		var opts []func(*webrtc.TrackLocalStaticRTP)
		if rid != "" {
			opts = append(opts, webrtc.WithRTPStreamID(rid))
		}
		l, err := webrtc.NewTrackLocalStaticRTP(capability(mime), id, "local", opts...)
		if err != nil {
			t.Fatal(err)
		}
		s.local = append(s.local, l)
	}
	tr, err := pc.AddTransceiverFromTrack(s.local[0], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	s.sender = tr.Sender()
	for _, l := range s.local[1:] {
		if err := s.sender.AddEncoding(l); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(s.close)
	return s
}

// close stops what the source has running.
func (s *source) close() {
	s.mu.Lock()
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *source) start(rid string) *encoder {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.states[rid]
	if e == nil {
		e = &encoder{seq: uint16(rand.Uint32()), ts: rand.Uint32(), pictureID: uint16(rand.UintN(1 << 15)), tl0: uint8(rand.UintN(256))}
		for _, p := range s.sender.GetParameters().Encodings {
			if p.RID == rid || rid == "" {
				e.ssrc = uint32(p.SSRC)
			}
		}
		e.key.Store(true)
		s.states[rid] = e
	}
	return e
}

// feedback reads the keyframe requests and NACKs of every encoding.
func (s *source) feedback() {
	for i, rid := range s.rids {
		e := s.start(rid)
		read := s.sender.ReadRTCP
		if i > 0 || len(s.rids) > 1 {
			read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return s.sender.ReadSimulcastRTCP(rid) }
		}
		go func() { // ends with the connection
			for {
				packets, _, err := read()
				if err != nil {
					return
				}
				for _, p := range packets {
					switch r := p.(type) {
					case *rtcp.PictureLossIndication:
						if r.MediaSSRC == e.ssrc {
							s.plis.Add(1)
							if !s.deaf.Load() {
								e.key.Store(true)
							}
						}
					case *rtcp.TransportLayerNack:
						s.nacks.Add(1)
					}
				}
			}
		}()
	}
}

// frame writes one video frame of n packets on an encoding. Every payload says
// in clear which encoding, frame and packet it is.
func (s *source) frame(i int, packets int, step uint32) {
	rid := s.rids[i]
	if _, muted := s.muted.Load(rid); muted {
		return
	}
	e := s.start(rid)
	key := e.key.Swap(false)
	e.ts += step
	e.pictureID = (e.pictureID + 1) & 0x7fff
	e.tl0++
	e.frames++
	if s.wrote != nil {
		s.wrote(i, uint32(e.frames))
	}
	if s.junk.Load() {
		_ = s.local[i].WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: e.seq, Timestamp: e.ts}, Payload: []byte{0x80}})
		e.seq++
	}
	for k := range packets {
		body := vp8Payload(e, key, k == 0, 160<<i, 90<<i)
		body = append(body, make([]byte, 250*i)...) // so that rates grow with the size
		body = append(body, byte(i))
		body = binary.BigEndian.AppendUint32(body, uint32(e.frames))
		body = append(body, byte(k))
		body = append(body, make([]byte, 200)...)
		p := &rtp.Packet{Header: rtp.Header{
			Version: 2, SequenceNumber: e.seq, Timestamp: e.ts, Marker: k == packets-1,
		}, Payload: body}
		e.seq++
		if rid != "" {
			s.identify(&p.Header, rid)
		}
		if err := s.local[i].WriteRTP(p); err != nil {
			return
		}
	}
}

// identify adds the extensions by which a simulcast packet says what it is.
func (s *source) identify(h *rtp.Header, rid string) {
	for _, e := range s.sender.GetParameters().HeaderExtensions {
		switch e.URI {
		case "urn:ietf:params:rtp-hdrext:sdes:mid":
			_ = h.SetExtension(uint8(e.ID), []byte(s.mid()))
		case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
			_ = h.SetExtension(uint8(e.ID), []byte(rid))
		}
	}
}

func (s *source) mid() string {
	for _, tr := range s.pc.GetTransceivers() {
		if tr.Sender() == s.sender {
			return tr.Mid()
		}
	}
	return ""
}

// vp8Payload is a VP8 payload descriptor with a 15-bit picture id (RFC 7741
// section 4.2) and the beginning of a frame header.
func vp8Payload(e *encoder, key, first bool, w, h int) []byte {
	b := []byte{0x80, 0xc0, byte(0x80 | e.pictureID>>8), byte(e.pictureID), e.tl0}
	if first {
		b[0] |= 0x10
	}
	switch {
	case first && key:
		b = append(b, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, byte(w), byte(w>>8), byte(h), byte(h>>8))
	case first:
		b = append(b, 0x11, 0x02, 0x00)
	}
	return b
}

// vp8Mark reads back which encoding, frame and packet a payload is.
func vp8Mark(payload []byte) (encoding int, frame uint32, packet int) {
	tail := payload[len(payload)-206:]
	return int(tail[0]), binary.BigEndian.Uint32(tail[1:]), int(tail[5])
}

// run sends video on every encoding until the source is closed.
func (s *source) run(interval time.Duration, packets int) {
	s.feedback()
	s.done.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-ticker.C:
				n := packets
				if large := int(s.large.Swap(0)); large > 0 {
					n = large
				}
				for i := range s.rids {
					s.frame(i, n, uint32(interval*90000/time.Second))
				}
			}
		}
	})
}

// talk sends Opus-like audio every 20 ms.
func (s *source) talk(level func() uint8) {
	s.done.Go(func() {
		e := s.start("")
		ext := audioLevelID(s.sender)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-s.stop:
				return
			case <-ticker.C:
			}
			e.ts += 960
			e.seq++
			e.frames++
			if s.wrote != nil {
				s.wrote(0, uint32(e.frames))
			}
			h := rtp.Header{Version: 2, SequenceNumber: e.seq, Timestamp: e.ts}
			if ext != 0 {
				_ = h.SetExtension(ext, []byte{0x80 | level()})
			}
			body := binary.BigEndian.AppendUint32([]byte{0xfc}, uint32(e.frames))
			if s.local[0].WriteRTP(&rtp.Packet{Header: h, Payload: append(body, make([]byte, 60)...)}) != nil {
				return
			}
		}
	})
}

func audioLevelID(s *webrtc.RTPSender) uint8 {
	for _, e := range s.GetParameters().HeaderExtensions {
		if e.URI == "urn:ietf:params:rtp-hdrext:ssrc-audio-level" {
			return uint8(e.ID)
		}
	}
	return 0
}

// opusMark reads back which frame an audio payload is, or is mainly, if redundant.
func opusMark(payload []byte) int {
	if payload[0] == 0x80|111 {
		payload, _, _ = codec.PrimaryRED(payload)
	}
	return int(binary.BigEndian.Uint32(payload[1:]))
}

// repairedRID is next to the network and makes retransmissions say what they
// repair by repaired-rtp-stream-id (RFC 8852 section 3.2), as browsers do; pion
// repeats the rtp-stream-id.
type repairedRID struct{ interceptor.NoOp }

func (*repairedRID) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &repairedRID{}, nil
}

func (*repairedRID) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	var rid, rrid uint8
	for _, e := range info.RTPHeaderExtensions {
		switch e.URI {
		case sdp.SDESRTPStreamIDURI:
			rid = uint8(e.ID)
		case sdp.SDESRepairRTPStreamIDURI:
			rrid = uint8(e.ID)
		}
	}
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if v := h.GetExtension(rid); rid != 0 && rrid != 0 && v != nil && h.SSRC == info.SSRCRetransmission {
			own := h.Clone()
			_ = own.DelExtension(rid)
			_ = own.SetExtension(rrid, v)
			h = &own
		}
		return next.Write(h, payload, a)
	})
}
