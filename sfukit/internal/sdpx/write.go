package sdpx

import (
	"strconv"
	"strings"
)

// Where pion parks what it should not receive: one made-up SSRC for every section
// that declares none. Without it pion answers packets of an unknown SSRC with a
// transceiver of its own invention. 2^32-1 downwards by section, so that no two
// sections share one.
const firstDummySSRC = 1<<32 - 1

// ForPion returns the offer for SetRemoteDescription. The client's lines are
// sendonly and ours recvonly, whatever they are now. Only lines pion has a use for
// remain: no candidates (we are ICE-lite and answer whoever asks), no feedback or
// payload type we do not use, one SSRC with its repair, RIDs without restrictions.
//
// Sections keep their order and mid. A section that is rejected, or has no codec of
// ours, stays as a section with the static payload type 0, which pion cannot match
// either; [Answer] rejects it whatever pion makes of it. Should its kind have no
// codec in the whole offer, it passes for the other kind: pion forgets the mid of a
// section of a kind without codecs, and could then never make an offer again.
func (o *Offer) ForPion(roles Roles) string {
	w := writer{session: &o.session, setup: "actpass"}
	w.header()
	var coded [KindApplication + 1]bool
	for i := range o.Sections {
		s := &o.Sections[i]
		coded[s.Kind] = coded[s.Kind] || len(s.Codecs) > 0
	}
	for i := range o.Sections {
		s := o.Sections[i]
		dir := SendOnly
		if roles.of(s.MID).Ours() {
			dir = RecvOnly
		}
		switch {
		case coded[s.Kind]:
		case s.Kind == KindAudio && coded[KindVideo]:
			s.Kind = KindVideo
		case s.Kind == KindVideo && coded[KindAudio]:
			s.Kind = KindAudio
		}
		w.section(i, &s, dir)
	}
	return w.b.String()
}

// writer writes plain descriptions for pion.
type writer struct {
	b       strings.Builder
	session *session
	setup   string
}

// line writes a line from its parts.
func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.b.WriteString(p)
	}
	w.b.WriteString("\r\n")
}

// header writes all that stands before the first section. pion never looks at the
// origin of a remote description.
func (w *writer) header() {
	w.line("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0")
	w.line("a=group:BUNDLE ", strings.Join(w.session.bundle, " "))
	if w.session.mixed {
		w.line("a=extmap-allow-mixed")
	}
	if w.session.trickle {
		w.line("a=ice-options:trickle")
	}
}

// section writes one section, the i-th, in the given direction.
func (w *writer) section(i int, s *Section, dir Direction) {
	if s.Kind == KindApplication {
		w.line("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0")
		w.transport(s.MID)
		if s.sctpPort != "" {
			w.line("a=sctp-port:", s.sctpPort)
		}
		if s.maxMessageSize != "" {
			w.line("a=max-message-size:", s.maxMessageSize)
		}
		return
	}
	w.b.WriteString("m=" + s.Kind.String() + " 9 UDP/TLS/RTP/SAVPF")
	if len(s.Codecs) == 0 {
		w.b.WriteString(" 0")
	}
	for j := range s.Codecs {
		w.b.WriteString(" " + utoa(uint32(s.Codecs[j].PayloadType)))
	}
	w.line("\r\nc=IN IP4 0.0.0.0")
	w.transport(s.MID)
	w.line("a=rtcp-mux")
	if s.reducedSize {
		w.line("a=rtcp-rsize")
	}
	w.line("a=", dir.String())
	for _, e := range s.Extensions {
		w.line("a=extmap:", strconv.Itoa(e.ID), " ", e.URI)
	}
	for j := range s.Codecs {
		w.codec(&s.Codecs[j])
	}
	if dir.Sends() {
		w.sources(i, s)
	}
}

func (w *writer) transport(mid string) {
	w.line("a=mid:", mid)
	w.line("a=setup:", w.setup)
	w.line("a=ice-ufrag:", w.session.ice.Ufrag)
	w.line("a=ice-pwd:", w.session.ice.Pwd)
	w.line("a=fingerprint:", w.session.hash, " ", w.session.print)
}

func (w *writer) codec(c *Codec) {
	pt := utoa(uint32(c.PayloadType))
	_, name, _ := strings.Cut(c.MIME, "/")
	w.b.WriteString("a=rtpmap:" + pt + " " + name + "/" + utoa(c.ClockRate))
	if c.Channels > 0 {
		w.b.WriteString("/" + utoa(uint32(c.Channels)))
	}
	w.line()
	switch {
	case c.IsRTX():
		w.line("a=fmtp:", pt, " apt=", utoa(uint32(c.APT)))
	case c.FMTP != "":
		w.line("a=fmtp:", pt, " ", c.FMTP)
	}
	for _, f := range c.Feedback {
		w.line("a=rtcp-fb:", pt, " ", f)
	}
}

// sources names what the client sends: the RIDs or one SSRC. More than one that is
// not repair would pass for Plan B, whose offers pion cannot answer.
func (w *writer) sources(i int, s *Section) {
	stream, track := s.StreamID, s.TrackID
	if stream == "" {
		stream = "-"
	}
	if track == "" {
		track = s.MID // pion ignores the RIDs of a track without a name
	}
	w.line("a=msid:", stream, " ", track)
	if len(s.RIDs) > 0 {
		for _, id := range s.RIDs {
			w.line("a=rid:", id, " send")
		}
		w.line("a=simulcast:send ", strings.Join(s.RIDs, ";"))
		return
	}
	ssrc := uint32(firstDummySSRC - i)
	if len(s.SSRCs) > 0 {
		ssrc = s.SSRCs[0]
		if rtx, ok := s.RTX[ssrc]; ok {
			w.line("a=ssrc-group:FID ", utoa(ssrc), " ", utoa(rtx))
		}
	}
	w.line("a=ssrc:", utoa(ssrc), " cname:-")
}

func utoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
