package sdpx

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// CheckOffer reads a client's offer and returns what pion may see of it, or an
// [*Error]. It refuses whatever would leave pion in a state it cannot get out of,
// whatever pion would answer wrongly, and whatever a browser would never say.
func CheckOffer(offer string, l Limits) (*Offer, error) {
	d, err := parse(offer, l)
	if err != nil {
		return nil, err
	}
	o := &Offer{Sections: make([]Section, 0, len(d.MediaDescriptions))}
	index := make(map[string]int, len(d.MediaDescriptions))
	for i, m := range d.MediaDescriptions {
		s, err := parseSection(d, m, l)
		if err != nil {
			return nil, err
		}
		if s.MID == "" {
			return nil, refuse(ReasonMID, "section %d has none", i)
		}
		if _, dup := index[s.MID]; dup {
			return nil, refuse(ReasonMID, "mid %q twice", s.MID)
		}
		if err := checkSection(d, m, &s); err != nil {
			return nil, err
		}
		index[s.MID] = i
		o.Sections = append(o.Sections, s)
	}
	bundle, err := checkBundle(d, o.Sections)
	if err != nil {
		return nil, err
	}
	if o.session, err = parseSession(d, d.MediaDescriptions[index[bundle[0]]]); err != nil {
		return nil, err
	}
	o.session.bundle = bundle
	return o, checkTogether(o.Sections)
}

// checkSection checks what an offered section that is not rejected must have.
func checkSection(d *sdp.SessionDescription, m *sdp.MediaDescription, s *Section) error {
	if s.Rejected {
		return nil
	}
	// RFC 8842 section 5.2; "active" is refused because we are always the client.
	if setup, _ := attribute(d, m, "setup"); setup != "actpass" && setup != "passive" {
		return refuse(ReasonSetup, "%.16q in section %q, want actpass or passive", setup, s.MID)
	}
	if _, ok := m.Attribute("rtcp-mux"); !ok && s.Kind != KindApplication {
		return refuse(ReasonRTCPMux, "none in section %q", s.MID)
	}
	return nil
}

// checkBundle returns the mids of the first BUNDLE group that are not rejected, the
// tag first. All sections that are not rejected must be among them.
func checkBundle(d *sdp.SessionDescription, sections []Section) ([]string, error) {
	var group []string
	for _, a := range d.Attributes {
		if a.Key == "group" && strings.HasPrefix(a.Value, "BUNDLE ") {
			group = strings.Fields(a.Value)[1:]
			break
		}
	}
	live := make(map[string]bool, len(sections))
	for i := range sections {
		if !sections[i].Rejected {
			live[sections[i].MID] = true
		}
	}
	bundle := make([]string, 0, len(live))
	for _, mid := range group {
		if live[mid] {
			bundle = append(bundle, mid)
			delete(live, mid)
		}
	}
	if len(bundle) == 0 || len(live) != 0 {
		return nil, refuse(ReasonBundle, "%d sections in the group, %d outside", len(bundle), len(live))
	}
	return bundle, nil
}

// checkTogether checks what must agree between sections of one transport.
func checkTogether(sections []Section) error {
	data := 0
	for i := range sections {
		if s := &sections[i]; s.Kind == KindApplication && !s.Rejected {
			data++
		}
	}
	if data > 1 {
		return refuse(ReasonKind, "%d data sections", data)
	}
	if err := checkPayloadTypes(sections); err != nil {
		return err
	}
	if err := checkExtensions(sections); err != nil {
		return err
	}
	return checkUsable(sections)
}

// checkPayloadTypes: within a transport one means one thing (RFC 9143 section 9.1).
func checkPayloadTypes(sections []Section) error {
	type key struct {
		kind Kind
		pt   uint8
	}
	seen := make(map[key]*Codec)
	for i := range sections {
		s := &sections[i]
		for j := range s.Codecs {
			c := &s.Codecs[j]
			k := key{s.Kind, c.PayloadType}
			if o := seen[k]; o != nil && !sameCodec(o, c) {
				return refuse(ReasonPayloadType, "%d in section %q", c.PayloadType, s.MID)
			}
			seen[k] = c
		}
	}
	return nil
}

// checkExtensions: the same for extension ids (RFC 9143 section 9.3).
func checkExtensions(sections []Section) error {
	var seen [256]string
	for i := range sections {
		for _, e := range sections[i].Extensions {
			if uri := seen[e.ID]; uri != "" && uri != e.URI {
				return refuse(ReasonExtension, "%d in section %q", e.ID, sections[i].MID)
			}
			seen[e.ID] = e.URI
		}
	}
	return nil
}

// checkUsable: pion takes the codecs of a kind from the first section it sees of
// it. If that has none, it can never offer that kind, so one of them must have.
func checkUsable(sections []Section) error {
	var offered, usable [KindApplication + 1]bool
	for i := range sections {
		s := &sections[i]
		offered[s.Kind] = offered[s.Kind] || !s.Rejected
		usable[s.Kind] = usable[s.Kind] || s.Usable()
	}
	for k := range offered {
		if offered[k] && !usable[k] {
			return refuse(ReasonCodecs, "no %s codec in common", Kind(k))
		}
	}
	return nil
}

func sameCodec(a, b *Codec) bool {
	return strings.EqualFold(a.MIME, b.MIME) && a.ClockRate == b.ClockRate && max(a.Channels, 1) == max(b.Channels, 1)
}

// CheckReoffer checks a later offer against the session it belongs to: no line may
// vanish, and none may change its mid or kind unless it was rejected. The lines are
// those of the session so far, ours included. Payload types must mean what they
// meant in prev, the client's previous offer; nil skips that. A new section must not
// bear the mid of a line of ours, not even of one the client never heard of because
// its offer was abandoned.
func CheckReoffer(prev *Offer, lines []Line, roles Roles, next *Offer) error {
	if len(next.Sections) < len(lines) {
		return refuse(ReasonSections, "%d, the session has %d", len(next.Sections), len(lines))
	}
	known := make(map[string]bool, len(lines))
	for _, l := range lines {
		known[l.MID] = true
	}
	for i := range next.Sections {
		s := &next.Sections[i]
		switch {
		case i < len(lines) && lines[i].MID == s.MID && lines[i].Kind == s.Kind:
		case known[s.MID], roles.of(s.MID).Ours(), i < len(lines) && !lines[i].Rejected:
			return refuse(ReasonMID, "section %d is %s %q", i, s.Kind, s.MID)
		}
	}
	if prev == nil {
		return nil
	}
	return checkPayloadTypes(slices.Concat(prev.Sections, next.Sections))
}
