package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
)

var (
	rids   = []layer.RID{layer.Low, layer.Medium, layer.High}
	limits = []layer.RID{layer.Low, layer.High, layer.Medium} // in the course of a run
	vp8    = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}
)

// call connects a client that publishes three encodings and watches one.
func call(out io.Writer, howLong time.Duration, s *switcher) error {
	pair, err := loop.NewPair(map[string]webrtc.RTPCodecType{
		sdp.SDESMidURI: webrtc.RTPCodecTypeVideo, sdp.SDESRTPStreamIDURI: webrtc.RTPCodecTypeVideo,
	})
	if err != nil {
		return err
	}
	defer pair.Close()
	view, err := webrtc.NewTrackLocalStaticRTP(vp8, "view", "server")
	if err != nil {
		return err
	}
	if _, err := pair.Server.AddTransceiverFromTrack(view, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		return err
	}
	pair.Server.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.arrived(t, view) })

	if _, err := pair.Client.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		return err
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	defer pair.Close() // before Wait
	pair.Client.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		watching.Go(func() { watch(out, t) })
	})
	return publish(pair, howLong, s)
}

// publish sends 30 pictures a second in every encoding, every tenth a key frame.
func publish(pair *loop.Pair, howLong time.Duration, s *switcher) error {
	var tracks []*webrtc.TrackLocalStaticRTP
	for _, rid := range rids {
		t, err := webrtc.NewTrackLocalStaticRTP(vp8, "camera", "client", webrtc.WithRTPStreamID(string(rid)))
		if err != nil {
			return err
		}
		tracks = append(tracks, t)
	}
	camera, err := pair.Client.AddTransceiverFromTrack(tracks[0], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return err
	}
	for _, t := range tracks[1:] {
		if err := camera.Sender().AddEncoding(t); err != nil {
			return err
		}
	}
	if err := pair.Connect(); err != nil {
		return err
	}
	params := camera.Sender().GetParameters().RTPParameters
	mid, rid := loop.ExtensionID(params, sdp.SDESMidURI), loop.ExtensionID(params, sdp.SDESRTPStreamIDURI)
	const interval = time.Second / 30
	pictures := int(howLong / interval)
	return loop.Every(interval, howLong, func(n int) error {
		s.mu.Lock()
		s.limit = limits[n*len(limits)/pictures]
		s.mu.Unlock()
		for i, t := range tracks {
			p := loop.Packet(n, 3000, picture(n, 320<<i, 180<<i))
			if err := p.SetExtension(mid, []byte(camera.Mid())); err != nil {
				return err
			}
			if err := p.SetExtension(rid, []byte(rids[i])); err != nil {
				return err
			}
			if err := t.WriteRTP(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// picture is VP8 as far as package codec looks: a descriptor with a picture id
// (RFC 7741 section 4.2) and, for a key frame, the header with the size (RFC
// 6386 section 9.1).
func picture(n, width, height int) []byte {
	descriptor := []byte{0x90, 0x80, 0x80 | byte(n>>8), byte(n)}
	if n%10 != 0 {
		return append(descriptor, 0x01, 0, 0)
	}
	return append(descriptor, 0x00, 0, 0, 0x9d, 0x01, 0x2a, byte(width), byte(width>>8), byte(height), byte(height>>8))
}

// watch prints every change of the picture's size, and how whole the stream was.
func watch(out io.Writer, t *webrtc.TrackRemote) {
	var width uint16
	var packets, gaps int
	var next uint16
	for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
		if packets > 0 && p.SequenceNumber != next {
			gaps++
		}
		packets, next = packets+1, p.SequenceNumber+1
		var payload codec.Payload
		if codec.Parse(codec.VP8, p.Payload, &payload) == nil && payload.Width > 0 && payload.Width != width {
			width = payload.Width
			fmt.Fprintf(out, "picture %d: now %d wide\n", packets, width)
		}
	}
	fmt.Fprintf(out, "%d gaps in %d packets\n", gaps, packets)
}
