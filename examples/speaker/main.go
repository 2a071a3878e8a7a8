// Command speaker elects the dominant speaker of three incoming pion tracks with
// package speaker, from the audio levels their packets carry (RFC 6464) and
// without decoding sound. Two PeerConnections in this process play both ends.
package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

func main() { loop.Main("speaker", 6*time.Second, run) }

func run(out io.Writer, howLong time.Duration) error {
	pair, err := loop.NewPair()
	if err != nil {
		return err
	}
	defer pair.Close()
	voices := pair.AddVoices(3)
	detector, err := speaker.New(speaker.Config{})
	if err != nil {
		return err
	}
	names := map[uint64]string{}
	var mu sync.Mutex // guards names, and the Detector, which does not do so itself

	// Every packet's level goes in …
	pair.Server.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		id, ext := uint64(t.SSRC()), loop.ExtensionID(r.GetParameters(), sdp.AudioLevelURI)
		mu.Lock()
		names[id] = t.ID()
		mu.Unlock()
		for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
			var l rtp.AudioLevelExtension
			if l.Unmarshal(p.GetExtension(ext)) == nil {
				mu.Lock()
				detector.Record(time.Now(), id, l.Level)
				mu.Unlock()
			}
		}
	})
	if err := pair.Connect(); err != nil {
		return err
	}

	// … and every 200 ms, or 10 packets, there is an election.
	return loop.Every(20*time.Millisecond, howLong, func(n, of int) error {
		if n%10 == 9 {
			mu.Lock()
			change, ok := detector.Tick(time.Now())
			name := names[change.Speaker]
			mu.Unlock()
			if ok {
				fmt.Fprintf(out, "%s takes the floor, margin %.1f\n", name, change.Margin)
			}
		}
		return voices.Say(n * 3 / of) // each speaks for a third of the time
	})
}
