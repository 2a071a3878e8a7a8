// Package loop connects two PeerConnections inside one process and feeds them
// made-up packets, so that the examples beside it need no network, no browser
// and no server. What they show is what they do with the packets.
package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Main runs an example for howLong and exits with 1 if it fails.
func Main(name string, howLong time.Duration, run func(io.Writer, time.Duration) error) {
	if err := run(os.Stdout, howLong); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Pair is a client and a server that are not connected yet. Tracks are added
// before Connect.
type Pair struct {
	Client, Server *webrtc.PeerConnection
}

// NewPair returns a pair that uses pion's default codecs and the given RTP
// header extensions. The server has no interceptors: what arrives and leaves is
// the example's business. The client has pion's default ones. The caller must
// Close the pair.
func NewPair(extensions map[string]webrtc.RTPCodecType) (*Pair, error) {
	client, err := peer(true, extensions)
	if err != nil {
		return nil, err
	}
	server, err := peer(false, extensions)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &Pair{client, server}, nil
}

func peer(interceptors bool, extensions map[string]webrtc.RTPCodecType) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, fmt.Errorf("codecs: %w", err)
	}
	for uri, kind := range extensions {
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

// Connect has the client offer and the server answer, and returns when media
// can flow, or after ten seconds with an error.
func (p *Pair) Connect() error {
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

// ExtensionID returns the id under which a header extension was negotiated, 0
// if it was not.
func ExtensionID(p webrtc.RTPParameters, uri string) uint8 {
	for _, e := range p.HeaderExtensions {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
}

// Every calls f with 0, 1, 2 … once in each interval until howLong has passed
// or f fails.
func Every(interval, howLong time.Duration, f func(n int) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for n := range int(howLong / interval) {
		<-tick.C
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// Packet returns packet n of a stream whose timestamp advances by step.
func Packet(n int, step uint32, payload []byte) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n) * step, Marker: true},
		Payload: payload,
	}
}
