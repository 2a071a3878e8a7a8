// Command fanout sends one incoming pion track to several outgoing ones with
// package fanout: the goroutine that reads packets takes no lock, while sinks
// come and go under it. Two PeerConnections in this process play both ends.
package main

import (
	"fmt"
	"io"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
)

func main() { loop.Main("fanout", 2*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair()
	if err != nil {
		return err
	}
	defer pair.Close()
	voices := pair.AddVoices(1)

	// The sinks are whatever the program writes to; here pion's own tracks.
	var group fanout.Group[*webrtc.TrackLocalStaticRTP]
	copies := []string{"copy-1", "copy-2", "copy-3"}
	for _, id := range copies {
		sink, _ := pair.AddServerTrack(webrtc.MimeTypeOpus, id)
		group.Add(sink)
	}

	// Every packet that comes in goes to whoever is in the group at that moment.
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

	err = loop.Every(20*time.Millisecond, howLong, func(n, of int) error {
		if n == of/2 {
			sinks := group.Snapshot()
			group.Remove(sinks[len(sinks)-1]) // the last one leaves in the middle
		}
		return voices.Say(0)
	})
	for _, id := range copies {
		fmt.Fprintf(out, "%s: %d packets\n", id, pair.Received(id).Packets)
	}
	return err
}
