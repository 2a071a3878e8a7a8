package pionx

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// Conn is one peer's connection. The signalling methods (in negotiation.go)
// must not be called concurrently with each other or with Close; WriteRTCP and
// SendData may be called from anywhere.
type Conn struct {
	handler transport.Handler
	pc      *webrtc.PeerConnection
	data    *dataChannels
	notes   *notes
	closing atomic.Bool
	// trickling says that an answer went without all of our candidates.
	trickling atomic.Bool

	// The rest belongs to signalling.
	offer        *sdpx.Offer      // the client's latest
	ice          sdpx.Credentials // the client's
	lines        []*line
	session      []sdpx.Line     // every m-line so far
	pending      string          // the offer of ours that waits for its answer
	pendingNew   string          // its first new mid
	pendingLines int             // how many of the lines it has
	lastRemote   string          // what pion was last given from the client
	mixed        bool            // the client reads two-byte header extensions
	sending      map[string]bool // the client's mids, true while it sends
}

const (
	dtlsTimeout = 10 * time.Second
	// dtlsRetry is how soon a handshake flight is repeated. Our first one, sent the
	// moment the path works, may find the client not ready yet; the usual second
	// (RFC 6347 section 4.2.4.1) would be all of the time a call needs to start.
	dtlsRetry = 100 * time.Millisecond
	// replayWindow is how far behind the newest a packet may arrive and still be
	// taken; pion's 64 would silently lose late ones at video rates.
	replayWindow = 1024
	// maxMessage is what the SDP allows a client to send on a data channel when
	// the application's table has none larger.
	maxMessage = 1200
)

// NewConn makes a connection that waits for its client's first offer.
func (s *Stack) NewConn(h transport.Handler) (*Conn, error) {
	certificate, err := s.currentCertificate(time.Now())
	if err != nil {
		return nil, err
	}
	engine, err := newMediaEngine()
	if err != nil {
		return nil, err
	}
	h = &guarded{Handler: h}
	notes := &notes{malformed: h.Malformed}
	settings, err := s.settings(h, notes)
	if err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(
		webrtc.WithMediaEngine(engine),
		webrtc.WithSettingEngine(settings),
		// Without an explicit empty registry pion installs its defaults: a copy of
		// every packet per subscriber, and three more hops on the packet path.
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
	)
	pc, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{certificate}})
	if err != nil {
		return nil, fmt.Errorf("new connection: %w", err)
	}
	c := &Conn{handler: h, pc: pc, notes: notes, sending: map[string]bool{}}
	c.data = newDataChannels(s.config.Channels, h)
	c.watch()
	return c, nil
}

// settings makes the setting engine of one connection: through it the tap and
// the mux learn which peer they serve.
func (s *Stack) settings(h transport.Handler, n *notes) (webrtc.SettingEngine, error) {
	e := webrtc.SettingEngine{LoggerFactory: loggers{s.config.Log, n}}
	e.BufferFactory = NewBuffer(h)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNet(s.net)
	e.SetLite(true)
	e.SetICEUDPMux(s.mux)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if s.tcp != nil {
		e.SetICETCPMux(s.tcp)
		e.SetNet(s.tcp.network(s.net))
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(networks)
	e.SetIncludeLoopbackCandidate(true) // the muxes show what is advertised and no more
	e.SetICETimeouts(s.config.Disconnect, s.config.Fail, 2*time.Second)
	e.SetDTLSConnectContextMaker(func() (context.Context, func()) {
		return context.WithTimeout(context.Background(), dtlsTimeout)
	})
	e.SetDTLSRetransmissionInterval(dtlsRetry)
	e.SetSRTPReplayProtectionWindow(replayWindow)
	e.DetachDataChannels()
	largest := uint32(maxMessage)
	for _, row := range s.config.Channels {
		largest = max(largest, uint32(row.MaxMessage))
	}
	e.SetSCTPMaxMessageSize(largest)
	e.SetSCTPMaxReceiveBufferSize(max(2*largest, 256<<10))
	return e, e.SetAnsweringDTLSRole(webrtc.DTLSRoleClient)
}

// watch turns pion's callbacks into states. After a failed or ended DTLS
// transport pion closes the connection without saying why, so it is the
// transports that are watched.
func (c *Conn) watch() {
	report := func(s transport.State) {
		if !c.closing.Load() {
			c.handler.State(s)
		}
	}
	c.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			report(transport.Connected)
		}
	})
	c.pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateFailed {
			report(transport.ICEFailed)
		}
	})
	c.pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		switch {
		case !c.trickling.Load() || c.closing.Load(): // it will be in the answer
		case candidate == nil:
			c.handler.Candidate("")
		default:
			c.handler.Candidate(candidate.ToJSON().Candidate)
		}
	})
	var secured atomic.Bool
	c.pc.SCTP().Transport().OnStateChange(func(s webrtc.DTLSTransportState) {
		switch s {
		case webrtc.DTLSTransportStateConnected:
			secured.Store(true)
		case webrtc.DTLSTransportStateFailed:
			report(transport.DTLSFailed)
		case webrtc.DTLSTransportStateClosed:
			if secured.Load() {
				report(transport.RemoteClosed)
			} else { // pion was quicker to close what failed than to say so
				report(transport.DTLSFailed)
			}
		}
	})
	// A channel that is not in the table has nobody to read it.
	c.pc.OnDataChannel(func(dc *webrtc.DataChannel) { dc.OnOpen(func() { _ = dc.Close() }) })
}

// WriteRTCP sends packets to the peer; before the connection is up it fails.
func (c *Conn) WriteRTCP(packets []rtcp.Packet) error { return c.pc.WriteRTCP(packets) }

// SendData sends one message on a channel of the table, without waiting.
func (c *Conn) SendData(channel int, text bool, msg []byte) transport.DataDrop {
	return c.data.send(channel, text, msg)
}

// LastError says why the connection did not come about, or else what ICE last
// complained of: the text of a line pion logged, at most 200 bytes without line
// ends, or "". It is for a log and not a metric: some of it the peer chose. Why
// DTLS failed stands in it only once Close has returned, for pion reports the
// state first.
func (c *Conn) LastError() string { return c.notes.text() }

// Close ends the connection and returns when all that belongs to it has ended.
// It must not be called from a Handler method.
func (c *Conn) Close() {
	c.closing.Store(true)
	_ = c.pc.GracefulClose() // what it reports is the peer's end, which is gone
	c.data.wait()
}
