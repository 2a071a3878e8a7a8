package main

import (
	"fmt"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
)

const people = 3

// prepare connects three voices and returns the func that makes them speak in
// turn, each for a third of the time, and calls after behind every packet.
func prepare(pair *loop.Pair) (talk func(howLong time.Duration, after func()) error, err error) {
	var voices [people]*webrtc.TrackLocalStaticRTP
	var sender *webrtc.RTPSender
	for i := range voices {
		opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}
		if voices[i], err = webrtc.NewTrackLocalStaticRTP(opus, fmt.Sprint("voice-", i+1), "client"); err != nil {
			return nil, err
		}
		if sender, err = pair.Client.AddTrack(voices[i]); err != nil {
			return nil, err
		}
	}
	if err := pair.Connect(); err != nil {
		return nil, err
	}
	ext := loop.ExtensionID(sender.GetParameters().RTPParameters, sdp.AudioLevelURI)
	const frame = 20 * time.Millisecond
	return func(howLong time.Duration, after func()) error {
		packets := int(howLong / frame)
		return loop.Every(frame, howLong, func(n int) error {
			for i, voice := range voices {
				level := rtp.AudioLevelExtension{Level: 110} // -dBov: a quiet room
				if i == n*people/packets {
					level = rtp.AudioLevelExtension{Level: 25, Voice: true}
				}
				if err := say(voice, n, ext, level); err != nil {
					return err
				}
			}
			after()
			return nil
		})
	}, nil
}

func say(voice *webrtc.TrackLocalStaticRTP, n int, ext uint8, level rtp.AudioLevelExtension) error {
	value, err := level.Marshal()
	if err != nil {
		return err
	}
	p := loop.Packet(n, 960, []byte("sound"))
	if err := p.SetExtension(ext, value); err != nil {
		return err
	}
	return voice.WriteRTP(p)
}
