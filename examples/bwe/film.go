package main

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

var transportCC = map[string]webrtc.RTPCodecType{sdp.TransportCCURI: webrtc.RTPCodecTypeVideo}

// film connects a video track from the server to the client.
func film(pair *loop.Pair) (*webrtc.TrackLocalStaticRTP, *webrtc.RTPSender, error) {
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}
	track, err := webrtc.NewTrackLocalStaticRTP(vp8, "film", "server")
	if err != nil {
		return nil, nil, err
	}
	sender, err := pair.Server.AddTrack(track)
	if err != nil {
		return nil, nil, err
	}
	recvOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := pair.Client.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recvOnly); err != nil {
		return nil, nil, err
	}
	pair.Client.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for _, _, err := t.ReadRTP(); err == nil; _, _, err = t.ReadRTP() {
		}
	})
	return track, sender, pair.Connect()
}

// send sends a packet of 1000 bytes every 5 ms, or 1.6 Mbit/s.
func (e *estimator) send(track *webrtc.TrackLocalStaticRTP, sender *webrtc.RTPSender, howLong time.Duration) error {
	ext := loop.ExtensionID(sender.GetParameters().RTPParameters, sdp.TransportCCURI)
	return loop.Every(5*time.Millisecond, howLong, func(n int) error {
		p := loop.Packet(n, 450, make([]byte, 1000))
		e.mu.Lock()
		seq := e.sent.Sent(time.Now(), len(p.Payload))
		e.mu.Unlock()
		if err := p.SetExtension(ext, binary.BigEndian.AppendUint16(nil, seq)); err != nil {
			return err
		}
		return track.WriteRTP(p)
	})
}

// symbols turns pion's form of transport-wide feedback into package bwe's: one
// symbol a packet. Chunks may run past the last packet; the count says where
// to stop.
func symbols(fb *rtcp.TransportLayerCC) []bwe.Symbol {
	out := make([]bwe.Symbol, 0, fb.PacketStatusCount)
	deltas := fb.RecvDeltas
	add := func(status uint16) {
		if len(out) == int(fb.PacketStatusCount) {
			return
		}
		var s bwe.Symbol
		arrived := status == rtcp.TypeTCCPacketReceivedSmallDelta || status == rtcp.TypeTCCPacketReceivedLargeDelta
		if arrived && len(deltas) > 0 {
			s = bwe.Symbol{Received: true, Delta: time.Duration(deltas[0].Delta) * time.Microsecond}
			deltas = deltas[1:]
		}
		out = append(out, s)
	}
	for _, chunk := range fb.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				add(c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			for _, status := range c.SymbolList {
				add(status)
			}
		}
	}
	return out
}
