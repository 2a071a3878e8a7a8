package pionx

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// Supports reports whether the client can receive a format, as far as its
// offers have said; of a kind it has never offered, what we know is tried.
func (c *Conn) Supports(f transport.Format) bool {
	asked := false
	for _, tr := range c.pc.GetTransceivers() {
		receiver := tr.Receiver()
		if receiver == nil || (tr.Kind() == webrtc.RTPCodecTypeVideo) != f.Codec.Video() {
			continue
		}
		asked = true
		if _, ok := matchCodec(receiver.GetParameters().Codecs, f); ok {
			return true
		}
	}
	kind := sdpx.KindAudio
	if f.Codec.Video() {
		kind = sdpx.KindVideo
	}
	return !asked && keepCodec(kind, f.Codec.MIME(), f.FMTP)
}

// AddLine adds an m-line that the next offer shows. Adding is free; showing it
// costs a negotiation that grows with the number of lines, so each line has one
// codec only. ErrNoCodec leaves everything as it was; ErrWedged says that pion
// keeps half a line.
func (c *Conn) AddLine(f transport.Format, stream, track string) (transport.Line, error) {
	if !c.Supports(f) {
		return nil, transport.ErrNoCodec
	}
	l := &line{format: f, kind: webrtc.RTPCodecTypeAudio, mixed: c.mixed}
	if f.Codec.Video() {
		l.kind = webrtc.RTPCodecTypeVideo
	}
	l.Name(stream, track)
	l.active.Store(true)
	tr, err := c.pc.AddTransceiverFromTrack(l, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, fmt.Errorf("add line: %w", err)
	}
	l.transceiver = tr
	if err := tr.SetMid(c.freeMID()); err != nil {
		return nil, fmt.Errorf("%w: name line: %w", transport.ErrWedged, err)
	}
	if err := tr.SetCodecPreferences(lineCodecs(tr.Sender().GetParameters().Codecs, f)); err != nil {
		return nil, fmt.Errorf("%w: choose codec: %w", transport.ErrWedged, err)
	}
	c.lines = append(c.lines, l)
	return l, nil
}

// freeMID returns a mid for a line of ours. It is not a number, as browsers choose
// them: after an abandoned offer the client would give the same one to a section of
// its own. A client with other habits keeps what it has taken so far, and is
// refused what we have (see sdpx.CheckReoffer).
func (c *Conn) freeMID() string {
	for i := len(c.lines); ; i++ {
		mid := "s" + strconv.Itoa(i)
		has := func(s sdpx.Section) bool { return s.MID == mid }
		if !c.owns(mid) && (c.offer == nil || !slices.ContainsFunc(c.offer.Sections, has)) {
			return mid
		}
	}
}

// lineCodecs picks what a line of format f may carry: the codec, its
// retransmissions and, for Opus, redundancy.
func lineCodecs(all []webrtc.RTPCodecParameters, f transport.Format) []webrtc.RTPCodecParameters {
	main, ok := matchCodec(all, f)
	if !ok {
		return nil
	}
	out := []webrtc.RTPCodecParameters{main}
	rtx, red := rtxFor(all, main.PayloadType), redFor(all, main.PayloadType)
	for _, p := range all {
		if pt := uint8(p.PayloadType); pt != 0 && (pt == rtx || pt == red && f.Codec == codec.Opus) {
			out = append(out, p)
		}
	}
	return out
}

// role says what an m-line is to the session.
func (c *Conn) role(mid string) sdpx.Role {
	for _, l := range c.lines {
		if l.MID() != mid {
			continue
		}
		if l.active.Load() {
			return sdpx.OursActive
		}
		return sdpx.OursIdle
	}
	switch sends, known := c.sending[mid]; {
	case !known:
		return sdpx.Absent
	case sends:
		return sdpx.ClientSends
	default:
		return sdpx.ClientIdle
	}
}

// owns reports whether a mid is a line of ours.
func (c *Conn) owns(mid string) bool { return c.role(mid).Ours() }
