package loop

import (
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Voices are audio tracks, voice-1 and so on, that the client sends to the server.
// The sound is made up; the audio levels (RFC 6464) are real. Voices are not safe
// for concurrent use.
type Voices struct {
	tracks []*webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender // of any of them: the extension ids are the same
	said   int
}

// AddVoices adds count voices, at least one.
func (p *Pair) AddVoices(count int) *Voices {
	v := &Voices{}
	for i := range count {
		track, t := p.addTrack(p.Client, webrtc.MimeTypeOpus, fmt.Sprint("voice-", i+1))
		if p.err != nil {
			return nil
		}
		v.tracks, v.sender = append(v.tracks, track), t.Sender()
	}
	return v
}

// Say sends one packet of 20 ms of every voice. The one with the index loud,
// counted from 0, speaks; the others send the noise of a quiet room.
func (v *Voices) Say(loud int) error {
	ext := ExtensionID(v.sender.GetParameters().RTPParameters, sdp.AudioLevelURI)
	for i, track := range v.tracks {
		level := rtp.AudioLevelExtension{Level: 110} // -dBov
		if i == loud {
			level = rtp.AudioLevelExtension{Level: 25, Voice: true}
		}
		value, err := level.Marshal()
		if err != nil {
			return err
		}
		packet := Packet(v.said, 960, []byte("sound"))
		if err := packet.SetExtension(ext, value); err != nil {
			return err
		}
		if err := track.WriteRTP(packet); err != nil {
			return err
		}
	}
	v.said++
	return nil
}
