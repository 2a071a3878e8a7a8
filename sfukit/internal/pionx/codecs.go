package pionx

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
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
	uriFrameMarking     = "urn:ietf:params:rtp-hdrext:framemarking"
	uriContentType      = "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type"
	uriPlayoutDelay     = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
)

var audioExtensions = []string{
	sdp.SDESMidURI, uriAudioLevel, sdp.TransportCCURI, sdp.ABSSendTimeURI, uriAbsCaptureTime,
}

var videoExtensions = []string{
	sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, uriRepairedRID, sdp.TransportCCURI, sdp.ABSSendTimeURI,
	uriAbsCaptureTime, uriDependency, uriVideoOrientation, uriPlayoutDelay,
	uriFrameMarking, uriContentType,
}

var (
	audioFeedback = []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "transport-cc"}}
	videoFeedback = []webrtc.RTCPFeedback{
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
		{Type: "ccm", Parameter: "fir"},
		{Type: "goog-remb"},
		{Type: "transport-cc"},
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
	// Pion compares two octets of the H264 profile, so each spelling of baseline and
	// high is registered.
	{webrtc.MimeTypeH264, h264 + "42e01f", 102},
	{webrtc.MimeTypeH264, h264 + "42001f", 104},
	{webrtc.MimeTypeH264, h264 + "64001f", 106},
	{webrtc.MimeTypeH264, h264 + "640c1f", 108},
	{webrtc.MimeTypeAV1, "", 112},
}

const h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="

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

// keepCodec reports whether a codec of a client's offer is one we registered, in
// a profile we registered.
func keepCodec(_ sdpx.Kind, mime, fmtp string) bool {
	c := codec.FromMIME(mime)
	switch c {
	case codec.Opus, codec.RED:
		return true
	case codec.VP8, codec.VP9, codec.H264, codec.AV1:
		for _, v := range videoCodecs {
			if codec.FromMIME(v.mime) == c && pionMatches(c, v.fmtp, fmtp) {
				return true
			}
		}
	}
	return false
}

// pionMatches is SameProfile as pion sees it: with H264 both parameters must be
// there, and the first two octets of the profile be equal.
func pionMatches(c codec.Codec, ours, theirs string) bool {
	if c != codec.H264 {
		return SameProfile(c, ours, theirs)
	}
	a, b := fmtpValue(ours, "profile-level-id", ""), strings.ToLower(fmtpValue(theirs, "profile-level-id", ""))
	return len(b) == 6 && a[:4] == b[:4] && fmtpValue(theirs, "packetization-mode", "") == "1"
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
	case uriFrameMarking:
		e.FrameMarking = id
	case uriContentType:
		e.ContentType = id
	}
}
