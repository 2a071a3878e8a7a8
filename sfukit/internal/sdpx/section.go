package sdpx

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// parseSection reads one section. Only what makes no sense at all is refused; what
// a section must have is checked by those who know whether it is an offer's.
func parseSection(d *sdp.SessionDescription, m *sdp.MediaDescription, l Limits) (Section, error) {
	s := Section{
		Kind:      kindOf(m.MediaName.Media),
		Port:      m.MediaName.Port.Value,
		proto:     strings.Join(m.MediaName.Protos, "/"),
		Direction: SendRecv,
	}
	if len(m.MediaName.Formats) == 0 {
		return s, refuse(ReasonSyntax, "m= line without format")
	}
	s.format = m.MediaName.Formats[0]
	_, bundleOnly := m.Attribute("bundle-only")
	s.Rejected = s.Port == 0 && !bundleOnly
	if err := s.parseIdentity(m); err != nil {
		return s, err
	}
	if err := s.parseDirection(d, m); err != nil {
		return s, err
	}
	if s.Kind == KindApplication {
		return s, s.parseData(m)
	}
	if !s.Rejected && !strings.HasSuffix(s.proto, "RTP/SAVPF") || !strings.Contains(s.proto, "RTP") {
		return s, refuse(ReasonKind, "section %q over %s", s.MID, s.proto)
	}
	for _, parse := range []func(*sdp.MediaDescription) error{
		func(m *sdp.MediaDescription) error { return s.parseCodecs(m, l) },
		s.parseExtensions, s.parseRIDs, s.parseSources,
	} {
		if err := parse(m); err != nil {
			return s, err
		}
	}
	_, s.reducedSize = m.Attribute("rtcp-rsize")
	return s, nil
}

func (s *Section) parseIdentity(m *sdp.MediaDescription) error {
	for i := range m.Attributes {
		switch a := &m.Attributes[i]; a.Key {
		case "mid":
			if s.MID != "" || !isToken(a.Value) || len(a.Value) > maxIDBytes {
				return refuse(ReasonMID, "malformed or repeated mid")
			}
			s.MID = a.Value
		case "crypto":
			return refuse(ReasonCrypto, "a=crypto in section %q", s.MID)
		}
	}
	return nil
}

func (s *Section) parseDirection(d *sdp.SessionDescription, m *sdp.MediaDescription) error {
	seen := false
	for i := range m.Attributes {
		dir, ok := directionOf(m.Attributes[i].Key)
		if !ok {
			continue
		}
		if seen {
			return refuse(ReasonDirection, "section %q has several", s.MID)
		}
		s.Direction, seen = dir, true
	}
	for i := 0; !seen && i < len(d.Attributes); i++ {
		if dir, ok := directionOf(d.Attributes[i].Key); ok {
			s.Direction, seen = dir, true
		}
	}
	return nil
}

// parseData reads a data channel section (RFC 8841).
func (s *Section) parseData(m *sdp.MediaDescription) error {
	if !strings.HasSuffix(s.proto, "DTLS/SCTP") || !s.Rejected && s.format != "webrtc-datachannel" {
		return refuse(ReasonKind, "section %q over %s", s.MID, s.proto)
	}
	s.sctpPort = number(m, "sctp-port")
	s.maxMessageSize = number(m, "max-message-size")
	return nil
}

// number returns an attribute's value if it is a number of 32 bits, else nothing.
func number(m *sdp.MediaDescription, key string) string {
	v, _ := m.Attribute(key)
	if _, err := strconv.ParseUint(v, 10, 32); err != nil {
		return ""
	}
	return v
}

// parseExtensions reads a=extmap (RFC 8285 section 6). Ids above 255 stand for "no
// id yet" there, and what only flows towards the client is not ours to parse.
func (s *Section) parseExtensions(m *sdp.MediaDescription) error {
	for i := range m.Attributes {
		a := &m.Attributes[i]
		if a.Key != "extmap" {
			continue
		}
		f := strings.Fields(a.Value)
		if len(f) < 2 {
			return refuse(ReasonExtension, "malformed extmap in section %q", s.MID)
		}
		num, dir, _ := strings.Cut(f[0], "/")
		id, err := strconv.ParseUint(num, 10, 16)
		if u, uerr := url.Parse(f[1]); err != nil || uerr != nil || id == 0 || u.String() != f[1] {
			return refuse(ReasonExtension, "malformed extmap in section %q", s.MID)
		}
		if id > 255 || dir == "recvonly" || dir == "inactive" {
			continue
		}
		e := Extension{ID: int(id), URI: f[1]}
		for _, o := range s.Extensions {
			if o.ID == e.ID || o.URI == e.URI {
				return refuse(ReasonExtension, "extension %d twice in section %q", e.ID, s.MID)
			}
		}
		if len(s.Extensions) == maxExtensions {
			return refuse(ReasonCount, "extensions in section %q", s.MID)
		}
		s.Extensions = append(s.Extensions, e)
	}
	return nil
}

// parseRIDs reads a=rid (RFC 8851) and a=simulcast (RFC 8853), whose order counts.
// Of alternatives for one stream it takes the first. Restrictions are the client's
// own business: we take what comes.
func (s *Section) parseRIDs(m *sdp.MediaDescription) error {
	var order []string
	for i := range m.Attributes {
		switch a := &m.Attributes[i]; a.Key {
		case "rid":
			f := strings.Fields(a.Value)
			if len(f) < 2 || f[1] != "send" {
				continue
			}
			if !isRID(f[0]) || len(s.RIDs) == maxRIDs || slices.Contains(s.RIDs, f[0]) {
				return refuse(ReasonCount, "malformed, repeated or too many rids in section %q", s.MID)
			}
			s.RIDs = append(s.RIDs, f[0])
		case "simulcast":
			f := strings.Fields(a.Value)
			for j := 0; j+1 < len(f); j += 2 {
				if f[j] == "send" {
					s.simulcast = true
					order = strings.SplitN(strings.TrimPrefix(f[j+1], "rid="), ";", maxRIDs+1)
				}
			}
		}
	}
	if !s.simulcast {
		return nil
	}
	var sent []string
	for _, alternatives := range order {
		id, _, _ := strings.Cut(alternatives, ",")
		id = strings.TrimPrefix(id, "~")
		if slices.Contains(s.RIDs, id) && !slices.Contains(sent, id) {
			sent = append(sent, id)
		}
	}
	s.RIDs = sent
	return nil
}

// isRID checks RFC 8852 section 3.1, with the length one-byte extensions carry.
func isRID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return id != "" && len(id) <= maxIDBytes
}
