package loop

import (
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// rids are what browsers call a quarter, half and all of the captured width.
var rids = []string{"q", "h", "f"}

// Camera is a VP8 track that the client sends to the server in three encodings
// (simulcast), 320, 640 and 1280 pixels wide, named q, h and f. It is not safe
// for concurrent use.
type Camera struct {
	encodings   []*webrtc.TrackLocalStaticRTP
	transceiver *webrtc.RTPTransceiver
	shot        int
}

// AddCamera adds a camera.
func (p *Pair) AddCamera() *Camera {
	track, t := p.addTrack(p.Client, webrtc.MimeTypeVP8, "camera", webrtc.WithRTPStreamID(rids[0]))
	c := &Camera{encodings: []*webrtc.TrackLocalStaticRTP{track}, transceiver: t}
	for _, rid := range rids[1:] {
		if p.err != nil {
			return nil
		}
		track, p.err = webrtc.NewTrackLocalStaticRTP(track.Codec(), track.ID(), track.StreamID(), webrtc.WithRTPStreamID(rid))
		if p.err == nil {
			p.err = t.Sender().AddEncoding(track)
		}
		c.encodings = append(c.encodings, track)
	}
	return c
}

// Shoot sends one picture in every encoding, as if 30 were sent a second. Every
// tenth is a key frame.
func (c *Camera) Shoot() error {
	params := c.transceiver.Sender().GetParameters().RTPParameters
	mid, rid := ExtensionID(params, sdp.SDESMidURI), ExtensionID(params, sdp.SDESRTPStreamIDURI)
	for i, track := range c.encodings {
		packet := Packet(c.shot, 3000, picture(c.shot, 320<<i, 180<<i))
		if err := packet.SetExtension(mid, []byte(c.transceiver.Mid())); err != nil {
			return err
		}
		if err := packet.SetExtension(rid, []byte(rids[i])); err != nil {
			return err
		}
		if err := track.WriteRTP(packet); err != nil {
			return err
		}
	}
	c.shot++
	return nil
}

// picture is VP8 as far as an SFU looks: a descriptor with a picture id (RFC
// 7741 section 4.2) and, for a key frame, the header with the size (RFC 6386
// section 9.1).
func picture(n, width, height int) []byte {
	descriptor := []byte{0x90, 0x80, 0x80 | byte(n>>8), byte(n)}
	if n%10 != 0 {
		return append(descriptor, 0x01, 0, 0)
	}
	return append(descriptor, 0x00, 0, 0, 0x9d, 0x01, 0x2a, byte(width), byte(width>>8), byte(height), byte(height>>8))
}
