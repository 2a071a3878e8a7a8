// Command fanout sends one incoming pion track to several outgoing ones with
// package fanout: the goroutine that reads packets takes no lock, while sinks
// come and go under it. Two PeerConnections in this process play both ends.
package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
)

const copies = 3

var opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}

func main() { loop.Main("fanout", 2*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair(nil)
	if err != nil {
		return err
	}
	defer pair.Close()
	source, err := webrtc.NewTrackLocalStaticRTP(opus, "microphone", "client")
	if err != nil {
		return err
	}
	sendOnly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	if _, err := pair.Client.AddTransceiverFromTrack(source, sendOnly); err != nil {
		return err
	}
	var group fanout.Group[*webrtc.TrackLocalStaticRTP]
	var received [copies]atomic.Int64
	if err := subscribe(pair, &group, &received); err != nil {
		return err
	}
	// The leaf at work: every packet that comes in goes to whoever is in the group.
	pair.Server.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
			for _, sink := range group.Snapshot() {
				_ = sink.WriteRTP(p)
			}
		}
	})
	if err := pair.Connect(); err != nil {
		return err
	}
	const frame = 20 * time.Millisecond
	packets := int(howLong / frame)
	err = loop.Every(frame, howLong, func(n int) error {
		if n == packets/2 {
			group.Remove(group.Snapshot()[copies-1]) // a subscriber leaves in the middle
		}
		return source.WriteRTP(loop.Packet(n, 960, []byte("sound")))
	})
	fmt.Fprintf(out, "sent %d packets, copies got %d, %d and %d\n", packets,
		received[0].Load(), received[1].Load(), received[2].Load())
	return err
}
