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
	pair, err := loop.NewPair(map[string]webrtc.RTPCodecType{sdp.AudioLevelURI: webrtc.RTPCodecTypeAudio})
	if err != nil {
		return err
	}
	defer pair.Close()
	detector, err := speaker.New(speaker.Config{})
	if err != nil {
		return err
	}
	var mu sync.Mutex // a Detector is not safe for concurrent use
	pair.Server.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
		var id uint64
		_, _ = fmt.Sscanf(t.ID(), "voice-%d", &id)
		ext := loop.ExtensionID(r.GetParameters(), sdp.AudioLevelURI)
		for p, _, err := t.ReadRTP(); err == nil; p, _, err = t.ReadRTP() {
			var l rtp.AudioLevelExtension
			if l.Unmarshal(p.GetExtension(ext)) == nil {
				mu.Lock()
				detector.Record(time.Now(), id, l.Level)
				mu.Unlock()
			}
		}
	})
	talk, err := prepare(pair)
	if err != nil {
		return err
	}
	elected := time.Now()
	return talk(howLong, func() {
		now := time.Now()
		if now.Sub(elected) < 300*time.Millisecond {
			return
		}
		elected = now
		mu.Lock()
		change, ok := detector.Tick(now)
		mu.Unlock()
		if ok {
			fmt.Fprintf(out, "speaker %d takes the floor, margin %.1f\n", change.Speaker, change.Margin)
		}
	})
}
