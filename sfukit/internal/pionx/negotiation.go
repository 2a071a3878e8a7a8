package pionx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/sdpx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// gatherWait is how long an answer waits for our own candidates. With all of
// them known from the sockets it takes microseconds; what comes later trickles.
const gatherWait = 200 * time.Millisecond

// AcceptOffer answers an offer of the client's, its first or a later one, and
// returns the tracks it publishes from now on. A bad offer is refused before
// pion sees it, since pion could not go back.
func (c *Conn) AcceptOffer(text string) (answer string, tracks []transport.Track, err error) {
	offer, err := CheckOffer(text)
	if err != nil {
		return "", nil, err
	}
	if c.offer != nil {
		if err := sdpx.CheckReoffer(c.offer, c.session, c.role, offer); err != nil {
			return "", nil, err
		}
	}
	forPion := offer.ForPion(c.role)
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: forPion}); err != nil {
		return "", nil, fmt.Errorf("take offer: %w", err)
	}
	if hasData(offer) {
		if err := c.data.create(c.pc); err != nil {
			return "", nil, fmt.Errorf("open data channels: %w", err)
		}
	}
	made, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", nil, fmt.Errorf("make answer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	c.answered.Store(false)
	if err := c.pc.SetLocalDescription(made); err != nil {
		return "", nil, fmt.Errorf("set answer: %w", err)
	}
	wait(gathered)
	c.answered.Store(true)
	c.offer, c.ice, c.lastRemote = offer, offer.ICE(), forPion
	c.mixed = strings.Contains(text, "a=extmap-allow-mixed")
	tracks = c.tracks(offer)
	answer, c.session = sdpx.Answer(c.pc.LocalDescription().SDP, offer, c.role)
	return answer, tracks, nil
}

// CheckOffer reads an offer as far as pion and we can use it.
func CheckOffer(text string) (*sdpx.Offer, error) {
	return sdpx.CheckOffer(text, sdpx.Limits{Keep: keepCodec})
}

func hasData(o *sdpx.Offer) bool {
	for i := range o.Sections {
		if s := &o.Sections[i]; s.Kind == sdpx.KindApplication && s.Usable() {
			return true
		}
	}
	return false
}

func wait(done <-chan struct{}) {
	timer := time.NewTimer(gatherWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// tracks reads what the client sends from its offer and notes the mids.
func (c *Conn) tracks(offer *sdpx.Offer) []transport.Track {
	clear(c.sending)
	var tracks []transport.Track
	for i := range offer.Sections {
		s := &offer.Sections[i]
		if s.Kind == sdpx.KindApplication || !s.Usable() || c.owns(s.MID) {
			continue
		}
		c.sending[s.MID] = s.Direction.Sends()
		if s.Direction.Sends() {
			tracks = append(tracks, newTrack(s))
		}
	}
	return tracks
}

func newTrack(s *sdpx.Section) transport.Track {
	t := transport.Track{MID: s.MID, Video: s.Kind == sdpx.KindVideo, RIDs: s.RIDs, SSRCs: s.SSRCs, RTX: s.RTX}
	for i := range s.Codecs {
		f := &s.Codecs[i]
		if name := codec.FromMIME(f.MIME); name != codec.Unknown {
			rtx, _ := s.RTXFor(f.PayloadType)
			t.Formats = append(t.Formats, transport.Format{Codec: name, FMTP: f.FMTP, PT: f.PayloadType, RTXPT: rtx})
		}
	}
	for _, e := range s.Extensions {
		setExtension(&t.Ext, e.URI, uint8(e.ID))
	}
	return t
}

// Supports reports whether the client can receive a format, as far as its
// offers have said; a kind it has never offered is tried.
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
	return !asked
}

// ErrNoCodec is returned by AddLine for a format the client cannot receive.
var ErrNoCodec = errors.New("pionx: the client does not receive this codec")

// AddLine adds an m-line that the next offer shows. Adding is free; showing it
// costs a negotiation that grows with the number of lines, so each line has one
// codec only.
func (c *Conn) AddLine(f transport.Format, stream, track string) (transport.Line, error) {
	l := &line{format: f, kind: webrtc.RTPCodecTypeAudio, mixed: c.mixed}
	if f.Codec.Video() {
		l.kind = webrtc.RTPCodecTypeVideo
	}
	if !c.Supports(f) {
		return nil, ErrNoCodec
	}
	l.Name(stream, track)
	l.active.Store(true)
	tr, err := c.pc.AddTransceiverFromTrack(l, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, fmt.Errorf("add line: %w", err)
	}
	l.transceiver = tr
	// A mid that no client chooses: after an abandoned offer it could give the same
	// number to a section of its own.
	if err := tr.SetMid("s" + strconv.Itoa(len(c.lines))); err != nil {
		return nil, fmt.Errorf("name line: %w", err)
	}
	if err := tr.SetCodecPreferences(lineCodecs(tr.Sender().GetParameters().Codecs, f)); err != nil {
		return nil, fmt.Errorf("choose codec: %w", err)
	}
	c.lines = append(c.lines, l)
	return l, nil
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

// Offer makes an offer of ours that shows every line. It must be answered,
// resent or abandoned before the next.
func (c *Conn) Offer() (text, firstNew string, err error) {
	var fresh []*line
	for _, l := range c.lines {
		l.offered = l.active.Load()
		if !l.shown {
			l.shown = true
			fresh = append(fresh, l)
		}
	}
	made, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", "", fmt.Errorf("make offer: %w", err)
	}
	if err := c.pc.SetLocalDescription(made); err != nil {
		return "", "", fmt.Errorf("set offer: %w", err)
	}
	c.pending = sdpx.ServerOffer(c.pc.LocalDescription().SDP, c.session, c.role)
	c.pendingNew = ""
	if len(fresh) > 0 {
		c.pendingNew = fresh[0].MID()
	}
	return c.pending, c.pendingNew, nil
}

// PendingOffer returns the offer that waits for its answer, as Offer did.
func (c *Conn) PendingOffer() (text, firstNew string) { return c.pending, c.pendingNew }

// AcceptAnswer takes the client's answer to the pending offer. On error the
// offer stays pending.
func (c *Conn) AcceptAnswer(text string) error {
	reply, err := sdpx.ForPionAnswer(text, c.pending, c.expectedICE(), c.role, sdpx.Limits{Keep: keepCodec})
	if err != nil {
		return err
	}
	if err := c.settle(reply.SDP); err != nil {
		return err
	}
	c.session, c.ice = reply.Lines(), writtenICE(reply.SDP)
	for _, l := range c.lines {
		if !l.offered {
			continue // of a line shown idle the client has nothing to accept
		}
		if accepted := reply.Accepted(l.MID()); l.accepted.Swap(accepted) != accepted {
			c.handler.LineReady(l)
		}
	}
	return nil
}

// expectedICE is what the credentials in an answer must be; zero lets any pass.
// Only an offer may change them, but a pion client that gets ours before it has
// started its transports takes it for an ICE restart. Once there is a path,
// credentials that are not the client's would cost it the call.
func (c *Conn) expectedICE() sdpx.Credentials {
	switch c.pc.ICEConnectionState() {
	case webrtc.ICEConnectionStateNew, webrtc.ICEConnectionStateChecking:
		return sdpx.Credentials{}
	default:
		return c.ice
	}
}

// writtenICE reads back the credentials of a description that sdpx wrote.
func writtenICE(text string) (ice sdpx.Credentials) {
	for l := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(l, "a=ice-ufrag:"); ok {
			ice.Ufrag = strings.TrimSpace(v)
		} else if v, ok := strings.CutPrefix(l, "a=ice-pwd:"); ok {
			ice.Pwd = strings.TrimSpace(v)
		}
	}
	return ice
}

// Abandon gives up an offer whose answer is lost: pion, which cannot roll back,
// is answered in the client's place.
func (c *Conn) Abandon() error {
	answer, err := sdpx.SyntheticAnswer(c.lastRemote, c.pending)
	if err != nil {
		return err
	}
	return c.settle(answer)
}

func (c *Conn) settle(answer string) error {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("take answer: %w", err)
	}
	c.lastRemote, c.pending, c.pendingNew = answer, "", ""
	return nil
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
