package pionx

import (
	"fmt"
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
// pion sees it, since pion could not go back; after ErrWedged it did see it.
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
		return "", nil, c.failed("take offer", webrtc.SignalingStateStable, err)
	}
	if hasData(offer) {
		if err := c.data.create(c.pc); err != nil {
			return "", nil, c.failed("open data channels", webrtc.SignalingStateUnknown, err)
		}
	}
	made, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", nil, c.failed("make answer", webrtc.SignalingStateUnknown, err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	c.trickling.Store(false)
	if err := c.pc.SetLocalDescription(made); err != nil {
		return "", nil, c.failed("set answer", webrtc.SignalingStateUnknown, err)
	}
	c.trickling.Store(!wait(gathered))
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

// wait reports whether gathering was over in time.
func wait(gathered <-chan struct{}) bool {
	timer := time.NewTimer(gatherWait)
	defer timer.Stop()
	select {
	case <-gathered:
		return true
	case <-timer.C:
		return false
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

// Offer makes an offer of ours that shows every line, and says which of the mids
// in it is the first that the client has not agreed to yet. It must be answered,
// resent or abandoned before the next. The error may be ErrWedged.
func (c *Conn) Offer() (text, firstNew string, err error) {
	made, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", "", c.failed("make offer", webrtc.SignalingStateStable, err)
	}
	if err := c.pc.SetLocalDescription(made); err != nil {
		return "", "", c.failed("set offer", webrtc.SignalingStateStable, err)
	}
	c.pending = sdpx.ServerOffer(c.pc.LocalDescription().SDP, c.session, c.role)
	c.pendingNew, c.pendingLines = "", len(c.lines)
	for _, l := range c.lines {
		l.offered = l.active.Load()
		if !l.agreed && c.pendingNew == "" {
			c.pendingNew = l.MID()
		}
	}
	return c.pending, c.pendingNew, nil
}

// PendingOffer returns the offer that waits for its answer, as Offer did.
func (c *Conn) PendingOffer() (text, firstNew string) { return c.pending, c.pendingNew }

// AcceptAnswer takes the client's answer to the pending offer. On error, unless
// it is ErrWedged, the offer stays pending.
func (c *Conn) AcceptAnswer(text string) error {
	reply, err := sdpx.ForPionAnswer(text, c.pending, c.expectedICE(), c.role, sdpx.Limits{Keep: keepCodec})
	if err != nil {
		return err
	}
	if err := c.settle(reply.SDP); err != nil {
		return err
	}
	c.session, c.ice = reply.Lines(), writtenICE(reply.SDP)
	for _, l := range c.lines[:c.pendingLines] {
		l.agreed = true
		if l.offered { // of a line shown idle the client has nothing to accept
			l.reportsBy(reply.CCFB(l.MID()))
			l.accepted.Store(reply.Accepted(l.MID()))
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
// is answered in the client's place. The error may be ErrWedged.
func (c *Conn) Abandon() error {
	answer, err := sdpx.SyntheticAnswer(c.lastRemote, c.pending)
	if err != nil {
		return fmt.Errorf("%w: %w", transport.ErrWedged, err)
	}
	return c.settle(answer)
}

func (c *Conn) settle(answer string) error {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return c.failed("take answer", webrtc.SignalingStateHaveLocalOffer, err)
	}
	c.lastRemote, c.pending, c.pendingNew = answer, "", ""
	return nil
}

// failed wraps an error of pion's, with ErrWedged if pion is no longer in the state
// from which the exchange could be tried again. Of a connection that has ended
// the Handler hears.
func (c *Conn) failed(what string, before webrtc.SignalingState, err error) error {
	switch c.pc.SignalingState() {
	case before, webrtc.SignalingStateClosed:
		return fmt.Errorf("%s: %w", what, err)
	default:
		return fmt.Errorf("%w: %s: %w", transport.ErrWedged, what, err)
	}
}
