package main

import (
	"fmt"
	"sync/atomic"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
)

// subscribe puts one track for each copy into the group and has the client
// count what arrives on it.
func subscribe(pair *loop.Pair, group *fanout.Group[*webrtc.TrackLocalStaticRTP], received *[copies]atomic.Int64) error {
	for i := range copies {
		sink, err := webrtc.NewTrackLocalStaticRTP(opus, fmt.Sprint("copy-", i), "server")
		if err != nil {
			return err
		}
		sendOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
		if _, err := pair.Server.AddTransceiverFromTrack(sink, sendOnly); err != nil {
			return err
		}
		recvOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := pair.Client.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, recvOnly); err != nil {
			return err
		}
		group.Add(sink)
	}
	pair.Client.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		var i int
		if _, err := fmt.Sscanf(t.ID(), "copy-%d", &i); err != nil || i < 0 || i >= copies {
			return
		}
		for _, _, err := t.ReadRTP(); err == nil; _, _, err = t.ReadRTP() {
			received[i].Add(1)
		}
	})
	return nil
}
