package loop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Pair is a client and a server. Media is added before Connect, which also
// returns what went wrong with that: until it succeeds nothing that the Add
// methods returned may be used.
type Pair struct {
	Client, Server *webrtc.PeerConnection
	err            error // the first of an Add method

	mu       sync.Mutex
	received map[string]Received // by track id, guarded by mu
}

// Received counts what arrived of one track.
type Received struct {
	Packets int
	Gaps    int // packets whose sequence number does not follow the previous one
}

// NewPair returns a pair with pion's default codecs. The client has pion's
// default interceptors and reads whatever it is sent. The server has none: what
// arrives and leaves there is the example's business. The caller must Close the
// pair.
func NewPair() (*Pair, error) {
	client, err := newPeer(true)
	if err != nil {
		return nil, err
	}
	server, err := newPeer(false)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	p := &Pair{Client: client, Server: server, received: map[string]Received{}}
	client.OnTrack(p.receive)
	return p, nil
}

func newPeer(interceptors bool) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("codecs: %w", err)
	}
	for uri, kind := range map[string]webrtc.RTPCodecType{
		sdp.AudioLevelURI:      webrtc.RTPCodecTypeAudio,
		sdp.SDESMidURI:         webrtc.RTPCodecTypeVideo,
		sdp.SDESRTPStreamIDURI: webrtc.RTPCodecTypeVideo,
		sdp.TransportCCURI:     webrtc.RTPCodecTypeVideo,
	} {
		if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
			return nil, fmt.Errorf("extension %s: %w", uri, err)
		}
	}
	registry := &interceptor.Registry{}
	if interceptors {
		if err := webrtc.RegisterDefaultInterceptors(media, registry); err != nil {
			return nil, fmt.Errorf("interceptors: %w", err)
		}
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings))
	return api.NewPeerConnection(webrtc.Configuration{})
}

// Close closes both ends.
func (p *Pair) Close() error { return errors.Join(p.Client.Close(), p.Server.Close()) }

// AddServerTrack adds a track that the server sends to the client.
func (p *Pair) AddServerTrack(mime, id string) (*webrtc.TrackLocalStaticRTP, *webrtc.RTPSender) {
	track, t := p.addTrack(p.Server, mime, id)
	if p.err != nil {
		return nil, nil
	}
	recvOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	_, p.err = p.Client.AddTransceiverFromKind(track.Kind(), recvOnly)
	return track, t.Sender()
}

// addTrack adds a track that one end sends, unless something failed before.
func (p *Pair) addTrack(from *webrtc.PeerConnection, mime, id string, options ...func(*webrtc.TrackLocalStaticRTP)) (
	track *webrtc.TrackLocalStaticRTP, t *webrtc.RTPTransceiver,
) {
	if p.err != nil {
		return nil, nil
	}
	track, p.err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "loop", options...)
	if p.err != nil {
		return nil, nil
	}
	sendOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	t, p.err = from.AddTransceiverFromTrack(track, sendOnly)
	return track, t
}

// Connect has the client offer and the server answer, and returns when media
// can flow, or after ten seconds with an error. It is called once.
func (p *Pair) Connect() error {
	if p.err != nil {
		return fmt.Errorf("add: %w", p.err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.Client.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			cancel()
		}
	})
	offer, err := p.Client.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	if err := describe(p.Client, p.Server, offer); err != nil {
		return fmt.Errorf("offer: %w", err)
	}
	answer, err := p.Server.CreateAnswer(nil)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if err := describe(p.Server, p.Client, answer); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	<-ctx.Done()
	if err := ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// describe makes d the description of one end and gives it, with all
// candidates, to the other.
func describe(from, to *webrtc.PeerConnection, d webrtc.SessionDescription) error {
	gathered := webrtc.GatheringCompletePromise(from)
	if err := from.SetLocalDescription(d); err != nil {
		return err
	}
	<-gathered
	return to.SetRemoteDescription(*from.LocalDescription())
}

// Received returns what has arrived at the client of the track with the given
// id. It may be called from any goroutine.
func (p *Pair) Received(id string) Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received[id]
}

// receive reads a track of the client until it ends.
func (p *Pair) receive(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	var r Received
	var next uint16
	for packet, _, err := t.ReadRTP(); err == nil; packet, _, err = t.ReadRTP() {
		if r.Packets > 0 && packet.SequenceNumber != next {
			r.Gaps++
		}
		r.Packets++
		next = packet.SequenceNumber + 1
		p.mu.Lock()
		p.received[t.ID()] = r
		p.mu.Unlock()
	}
}
