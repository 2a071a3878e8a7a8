package pionx

import (
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// The URIs of the header extensions pion/sdp has no name for.
const (
	uriAudioLevel       = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriRepairedRID      = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	uriAbsCaptureTime   = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
	uriDependency       = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
	uriVideoOrientation = "urn:3gpp:video-orientation"
	uriPlayoutDelay     = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
)

var audioExtensions = []string{
	sdp.SDESMidURI, uriAudioLevel, sdp.TransportCCURI, sdp.ABSSendTimeURI, uriAbsCaptureTime,
}

var videoExtensions = []string{
	sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, uriRepairedRID, sdp.TransportCCURI, sdp.ABSSendTimeURI,
	uriAbsCaptureTime, uriDependency, uriVideoOrientation, uriPlayoutDelay,
}

var (
	audioFeedback = []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "transport-cc"}}
	videoFeedback = []webrtc.RTCPFeedback{
		{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"},
		{Type: "goog-remb"}, {Type: "transport-cc"},
	}
)

// videoCodecs is everything we forward, each with the payload type it has in
// offers of ours; its retransmissions have the next one. Only these are
// registered: every further codec makes each negotiation dearer.
var videoCodecs = []struct {
	mime, fmtp string
	pt         webrtc.PayloadType
}{
	{webrtc.MimeTypeVP8, "", 96},
	{webrtc.MimeTypeVP9, "profile-id=0", 98},
	{webrtc.MimeTypeVP9, "profile-id=2", 100},
	{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", 102},
	{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f", 104},
	{webrtc.MimeTypeAV1, "", 106},
}

// newMediaEngine registers the codecs and header extensions of one connection.
func newMediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	audio := []webrtc.RTPCodecParameters{
		{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
			SDPFmtpLine: "minptime=10;useinbandfec=1", RTCPFeedback: audioFeedback,
		}, PayloadType: 111},
		{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mimeRED, ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111",
		}, PayloadType: 63},
	}
	for _, c := range audio {
		if err := m.RegisterCodec(c, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, fmt.Errorf("register %s: %w", c.MimeType, err)
		}
	}
	for _, c := range videoCodecs {
		media := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: c.mime, ClockRate: 90000, SDPFmtpLine: c.fmtp, RTCPFeedback: videoFeedback,
		}, PayloadType: c.pt}
		rtx := webrtc.RTPCodecParameters{RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", c.pt),
		}, PayloadType: c.pt + 1}
		for _, p := range []webrtc.RTPCodecParameters{media, rtx} {
			if err := m.RegisterCodec(p, webrtc.RTPCodecTypeVideo); err != nil {
				return nil, fmt.Errorf("register %s: %w", p.MimeType, err)
			}
		}
	}
	for _, uri := range audioExtensions {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, fmt.Errorf("register %s: %w", uri, err)
		}
	}
	for _, uri := range videoExtensions {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, fmt.Errorf("register %s: %w", uri, err)
		}
	}
	return m, nil
}

const mimeRED = "audio/red"

// keepCodec reports whether a codec of a client's offer is one we forward.
func keepCodec(_ sdpx.Kind, mime string) bool {
	switch mime {
	case "audio/opus", mimeRED, "video/vp8", "video/vp9", "video/h264", "video/av1":
		return true
	default:
		return false
	}
}

// setExtension records the id of a header extension we know.
func setExtension(e *transport.Extensions, uri string, id uint8) {
	switch uri {
	case sdp.SDESMidURI:
		e.MID = id
	case sdp.SDESRTPStreamIDURI:
		e.RID = id
	case uriRepairedRID:
		e.RepairedRID = id
	case uriAudioLevel:
		e.AudioLevel = id
	case sdp.TransportCCURI:
		e.TransportCC = id
	case sdp.ABSSendTimeURI:
		e.AbsSendTime = id
	case uriAbsCaptureTime:
		e.AbsCaptureTime = id
	case uriDependency:
		e.DependencyDescriptor = id
	case uriVideoOrientation:
		e.VideoOrientation = id
	case uriPlayoutDelay:
		e.PlayoutDelay = id
	}
}
