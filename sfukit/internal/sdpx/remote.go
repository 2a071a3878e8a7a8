package sdpx

import (
	"slices"
	"strings"
)

// Reply is a client's answer to an offer of ours.
type Reply struct {
	// SDP is the text for pion's SetRemoteDescription.
	SDP string
	// Sections are those of the client's text.
	Sections []Section
}

// Accepted reports whether the client takes what we send on the given line: it did
// not reject the line and will receive.
func (r *Reply) Accepted(mid string) bool {
	s := r.section(mid)
	return s != nil && s.Usable() && s.Direction.Receives()
}

// Lines returns the lines of the session from now on.
func (r *Reply) Lines() []Line {
	lines := make([]Line, len(r.Sections))
	for i := range r.Sections {
		s := &r.Sections[i]
		lines[i] = Line{MID: s.MID, Kind: s.Kind, Rejected: s.Rejected}
	}
	return lines
}

func (r *Reply) section(mid string) *Section {
	for i := range r.Sections {
		if r.Sections[i].MID == mid {
			return &r.Sections[i]
		}
	}
	return nil
}

// ForPionAnswer checks a client's answer to the pending offer, as [ServerOffer]
// made it, and returns it as pion may see it, or an [*Error].
//
// The sections must be those of the offer, in order. The ICE credentials must be
// those of the client's latest offer, for only an offer can restart ICE; zero
// Credentials skip that. Of the codecs those count that were offered. The DTLS roles
// were settled by the first exchange, so that it does not matter which of the two
// values an answer may have in a=setup (RFC 5763 section 5) it has.
//
// pion has no way back from a line whose answer it has not seen, and none to a line
// that was refused. It is therefore told that every line was accepted: ours are
// recvonly and the client's sendonly, and a rejected section is written with the
// codecs of the offer. [Reply] says what is true; the caller sends nothing on a line
// that is not Accepted. Of feedback on our lines pion keeps what we offered: it would
// else refuse to a client that reports by RFC 8888 the feedback that we send.
func ForPionAnswer(answer, pendingOffer string, ice Credentials, roles Roles, l Limits) (*Reply, error) {
	d, err := parse(answer, l)
	if err != nil {
		return nil, err
	}
	_, offered := split(pendingOffer)
	if len(offered) != len(d.MediaDescriptions) {
		return nil, refuse(ReasonSections, "%d, offered %d", len(d.MediaDescriptions), len(offered))
	}
	r := &Reply{Sections: make([]Section, 0, len(offered))}
	live := -1
	for i, m := range d.MediaDescriptions {
		s, err := parseSection(d, m, l)
		if err != nil {
			return nil, err
		}
		mid := offered[i].value("a=mid:")
		if s.MID == "" && s.Rejected {
			s.MID = mid // need not be there (RFC 8829 section 5.3.1)
		}
		if s.MID != mid || s.Kind != offered[i].kind() {
			return nil, refuse(ReasonMID, "section %d is %s %q, offered %q", i, s.Kind, s.MID, mid)
		}
		if setup, _ := attribute(d, m, "setup"); !s.Rejected && setup != "active" && setup != "passive" {
			return nil, refuse(ReasonSetup, "%.16q in section %q, want active or passive", setup, s.MID)
		}
		if live < 0 && !s.Rejected {
			live = i
		}
		s.Codecs = common(offered[i].codecs(), s.Codecs)
		r.Sections = append(r.Sections, s)
	}
	if live < 0 {
		return nil, refuse(ReasonSections, "all rejected")
	}
	transport, err := parseSession(d, d.MediaDescriptions[live])
	if err != nil {
		return nil, err
	}
	if ice != (Credentials{}) && ice != transport.ice {
		return nil, refuse(ReasonICE, "not those of the latest offer")
	}
	r.SDP = r.forPion(&transport, offered, roles)
	return r, nil
}

func (r *Reply) forPion(transport *session, offered []local, roles Roles) string {
	for i := range r.Sections {
		transport.bundle = append(transport.bundle, r.Sections[i].MID)
	}
	w := writer{session: transport, setup: "passive"}
	w.header()
	for i := range r.Sections {
		s := r.Sections[i]
		if !s.Usable() {
			s.Codecs = offered[i].codecs()
		}
		dir := SendOnly
		if roles.of(s.MID).Ours() {
			dir = RecvOnly
			s.Codecs = offered[i].feedbackFor(s.Codecs)
		}
		w.section(i, &s, dir)
	}
	return w.b.String()
}

// common returns the answered codecs that were offered under the same payload type.
// Another would be legal (RFC 3264 section 6.1), but no browser chooses one, and pion
// stops half-way through a description in which a payload type changes its meaning.
func common(offered, answered []Codec) []Codec {
	return slices.DeleteFunc(answered, func(a Codec) bool {
		return !slices.ContainsFunc(offered, func(o Codec) bool {
			return o.PayloadType == a.PayloadType && sameCodec(&o, &a)
		})
	})
}

// codecs reads back the payload types of a section that pion wrote.
func (s *local) codecs() []Codec {
	var codecs []Codec
	for _, l := range s.lines {
		if v, ok := strings.CutPrefix(l, "a=rtpmap:"); ok {
			num, value, _ := strings.Cut(v, " ")
			c := Codec{FMTP: s.value("a=fmtp:" + num + " ")}
			if pt, ok := payloadType(num); ok && c.parseMap(s.kind(), value) {
				c.PayloadType = pt
				c.APT, _ = c.repairs()
				codecs = append(codecs, c)
			}
		}
	}
	return codecs
}

// SyntheticAnswer returns an answer to the pending offer, as [ServerOffer] made it,
// in the client's name, for when the client's own never came. It brings pion back
// to stable, so that a fresh offer can follow.
//
// The remote description is the last one pion was given, as this package wrote it.
// Its sections are repeated; new ones, which can only be ours, are made from the
// offer.
func SyntheticAnswer(remote, pendingOffer string) (string, error) {
	head, known := split(remote)
	_, offered := split(pendingOffer)
	if len(known) == 0 || len(offered) == 0 {
		return "", refuse(ReasonSections, "%d known, %d offered", len(known), len(offered))
	}
	byMID := make(map[string]int, len(known))
	for i := range known {
		byMID[known[i].value("a=mid:")] = i
	}
	transport := known[0].pick("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:")
	out := make([]local, 0, len(offered))
	for i := range offered {
		s := &offered[i]
		if j, ok := byMID[s.value("a=mid:")]; ok {
			s = &known[j]
		} else {
			s.lines = append(s.lines[:1:1], append(s.pick("c=", "a=mid:", "a=rtcp-mux", "a=rtcp-rsize",
				"a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:"), transport...)...)
			s.lines = append(s.lines, "a=recvonly")
		}
		s.take("a=setup:")
		s.lines = append(s.lines, "a=setup:passive")
		out = append(out, *s)
	}
	return join(head, out, len(remote)+len(pendingOffer)), nil
}

// pick returns all lines with one of the prefixes.
func (s *local) pick(prefixes ...string) (picked []string) {
	for _, l := range s.lines {
		if hasAny(l, prefixes) {
			picked = append(picked, l)
		}
	}
	return picked
}
