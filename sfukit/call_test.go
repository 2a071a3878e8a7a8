package sfukit_test

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

func TestCallForwardsAudioAndVideo(t *testing.T) {
	reg := newRegistry(t)
	var audio, video *source
	a := join(t, reg, "room", 1, clientConfig{prepare: func(pc *webrtc.PeerConnection) {
		audio = addTrack(t, pc, webrtc.MimeTypeOpus, "mic")
		video = addTrack(t, pc, webrtc.MimeTypeVP8, "cam")
	}})
	b := join(t, reg, "room", 2, clientConfig{})
	audio.talk(func() uint8 { return 20 })
	video.run(33*time.Millisecond, 3)

	video1 := b.packets(b.from(1, sfukit.KindVideo), 60)
	for i, p := range video1 {
		_, frame, part := vp8Mark(p.Payload)
		_, frame0, part0 := vp8Mark(video1[0].Payload)
		if got, want := int(frame)*3+part, int(frame0)*3+part0+i; got != want {
			t.Fatalf("packet %d is number %d of the publisher's, want %d", i, got, want)
		}
		if got, want := p.SequenceNumber, video1[0].SequenceNumber+uint16(i); got != want {
			t.Fatalf("packet %d has sequence number %d, want %d", i, got, want)
		}
	}
	b.packets(b.from(1, sfukit.KindAudio), 50)
	a.wait("word of peer 2", func() bool { return a.joined[2] })
	b.wait("word of peer 1", func() bool { return b.joined[1] })
	if n := len(a.tracks); n != 0 {
		t.Errorf("the publisher is told of %d tracks, want 0: nobody else publishes", n)
	}
}
