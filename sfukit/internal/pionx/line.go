package pionx

import (
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// line is one m-line of ours: a pion track that is bound once and then carries
// whatever the room puts on it. To pion it sends for ever; what the client is
// shown is edited into the text (package sdpx).
type line struct {
	format      transport.Format // wished codec; payload types are in params
	kind        webrtc.RTPCodecType
	mixed       bool
	transceiver *webrtc.RTPTransceiver
	agreed      bool // the client has answered an offer with it; belongs to signalling, as the next
	offered     bool // active in the latest offer

	name   atomic.Pointer[msid]
	active atomic.Bool
	// accepted says that the client takes what the line sends. Pion is told that
	// every line is (see package sdpx), so its binding alone says nothing.
	accepted atomic.Bool
	params   atomic.Pointer[transport.LineParams]
}

type msid struct{ stream, track string }

// MID is the line's from the beginning.
func (l *line) MID() string { return l.transceiver.Mid() }

// Params is nil until the client takes the line.
func (l *line) Params() *transport.LineParams {
	if !l.accepted.Load() {
		return nil
	}
	return l.params.Load()
}

func (l *line) Format() transport.Format  { return l.format }
func (l *line) Name(stream, track string) { l.name.Store(&msid{stream, track}) }
func (l *line) SetActive(active bool)     { l.active.Store(active) }

// ID is the track id of the msid that pion writes into a description.
func (l *line) ID() string { return l.name.Load().track }

// StreamID is the stream id of the msid.
func (l *line) StreamID() string { return l.name.Load().stream }

// RID is empty: we send one encoding per line.
func (l *line) RID() string { return "" }

// Kind is the line's media kind.
func (l *line) Kind() webrtc.RTPCodecType { return l.kind }

// Bind takes what was negotiated. It must not fail: an error here would leave
// pion half way through a description. A codec the client does not have shows
// as params that stay nil.
func (l *line) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	all := ctx.CodecParameters()
	chosen, ok := matchCodec(all, l.format)
	if !ok {
		if len(all) > 0 {
			return all[0], nil
		}
		return webrtc.RTPCodecParameters{}, nil
	}
	p := &transport.LineParams{
		SSRC:    uint32(ctx.SSRC()),
		Format:  transport.Format{Codec: l.format.Codec, FMTP: chosen.SDPFmtpLine, PT: uint8(chosen.PayloadType)},
		TwoByte: l.mixed, Writer: ctx.WriteStream(),
	}
	if pt := rtxFor(all, chosen.PayloadType); pt != 0 && ctx.SSRCRetransmission() != 0 {
		p.Format.RTXPT, p.RTXSSRC = pt, uint32(ctx.SSRCRetransmission())
	}
	if l.format.Codec == codec.Opus {
		p.REDPT = redFor(all, chosen.PayloadType)
	}
	for _, e := range ctx.HeaderExtensions() {
		setExtension(&p.Ext, e.URI, uint8(e.ID))
	}
	l.params.Store(p)
	return chosen, nil
}

// reportsBy notes whether the client's answer promises feedback by RFC 8888. Who has
// the params already keeps them.
func (l *line) reportsBy(ccfb bool) {
	p := l.params.Load()
	if p == nil || p.CCFB == ccfb {
		return
	}
	changed := *p
	changed.CCFB = ccfb
	l.params.Store(&changed)
}

// Unbind is called when pion closes the connection. The writer refuses from
// then on by itself.
func (l *line) Unbind(webrtc.TrackLocalContext) error { return nil }

// matchCodec finds the negotiated codec a format means: the same codec and,
// where the codec has profiles, the same profile.
func matchCodec(all []webrtc.RTPCodecParameters, f transport.Format) (webrtc.RTPCodecParameters, bool) {
	for _, c := range all {
		if codec.FromMIME(c.MimeType) == f.Codec && SameProfile(f.Codec, c.SDPFmtpLine, f.FMTP) {
			return c, true
		}
	}
	return webrtc.RTPCodecParameters{}, false
}

// SameProfile compares what makes two formats of one codec undecodable for each
// other: the VP9 and AV1 profile, the H264 profile and packetization mode.
func SameProfile(c codec.Codec, a, b string) bool {
	switch c {
	case codec.VP9:
		return fmtpValue(a, "profile-id", "0") == fmtpValue(b, "profile-id", "0")
	case codec.AV1:
		return fmtpValue(a, "profile", "0") == fmtpValue(b, "profile", "0")
	case codec.H264:
		return h264Profile(a) == h264Profile(b) &&
			fmtpValue(a, "packetization-mode", "0") == fmtpValue(b, "packetization-mode", "0")
	default:
		return true
	}
}

// h264Profile returns the profile_idc of RFC 6184 section 8.1. The level may
// differ in each direction, and who decodes a profile decodes its constrained
// form; browsers send no other.
func h264Profile(fmtp string) string {
	id := fmtpValue(fmtp, "profile-level-id", "42e01f")
	return id[:min(2, len(id))]
}

func fmtpValue(fmtp, key, missing string) string {
	for part := range strings.SplitSeq(fmtp, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.EqualFold(k, key) {
			return v
		}
	}
	return missing
}

func rtxFor(all []webrtc.RTPCodecParameters, pt webrtc.PayloadType) uint8 {
	apt := strconv.Itoa(int(pt))
	for _, c := range all {
		if strings.EqualFold(c.MimeType, webrtc.MimeTypeRTX) && fmtpValue(c.SDPFmtpLine, "apt", "") == apt {
			return uint8(c.PayloadType)
		}
	}
	return 0
}

// redFor finds the RED format whose blocks are of the payload type pt (RFC 2198
// section 5): pion also matches one that names another.
func redFor(all []webrtc.RTPCodecParameters, pt webrtc.PayloadType) uint8 {
	for _, c := range all {
		if !strings.EqualFold(c.MimeType, mimeRED) {
			continue
		}
		first, _, _ := strings.Cut(c.SDPFmtpLine, "/")
		if first == strconv.Itoa(int(pt)) {
			return uint8(c.PayloadType)
		}
	}
	return 0
}
