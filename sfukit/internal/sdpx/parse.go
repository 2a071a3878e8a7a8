package sdpx

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
)

// session is what stands outside the sections or is common to them.
type session struct {
	ice         Credentials
	hash, print string // fingerprint
	bundle      []string
	trickle     bool
	mixed       bool // extmap-allow-mixed (RFC 8285 section 6)
}

func refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// parse reads a description without judging more than its shape.
func parse(text string, l Limits) (*sdp.SessionDescription, error) {
	if len(text) > l.maxBytes() {
		return nil, refuse(ReasonSize, "%d bytes, at most %d", len(text), l.maxBytes())
	}
	if err := checkText(text); err != nil {
		return nil, err
	}
	// Counting first keeps the parser from allocating for a million sections.
	if n := strings.Count(text, "\nm="); n == 0 || n > l.maxSections() {
		return nil, refuse(ReasonSections, "%d sections, want 1 to %d", n, l.maxSections())
	}
	if err := checkKinds(text); err != nil {
		return nil, err
	}
	d := &sdp.SessionDescription{}
	if err := d.UnmarshalString(text); err != nil {
		return nil, refuse(ReasonSyntax, "not a session description")
	}
	return d, nil
}

// checkText refuses what could end a line early in one parser and not in another.
func checkText(text string) error {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 0x20 && c != 0x7f, c == '\n', c == '\t':
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
		default:
			return refuse(ReasonSyntax, "control character %#02x at byte %d", c, i)
		}
	}
	return nil
}

// checkKinds gives unknown media types a reason of their own: the parser refuses
// most of them as a syntax error.
func checkKinds(text string) error {
	for rest := text; ; {
		i := strings.Index(rest, "\nm=")
		if i < 0 {
			return nil
		}
		rest = rest[i+len("\nm="):]
		media, _, _ := strings.Cut(rest[:min(len(rest), maxIDBytes)], " ")
		if kindOf(media) == KindUnknown {
			return refuse(ReasonKind, "media type %q", media)
		}
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		// RFC 8866 section 9: token-char.
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// attribute returns the section's value or else the session's.
func attribute(d *sdp.SessionDescription, m *sdp.MediaDescription, key string) (string, bool) {
	if v, ok := m.Attribute(key); ok {
		return v, true
	}
	return d.Attribute(key)
}

// parseSession reads what is common. The transport is that of the section named by
// tag, the first of the bundle (RFC 9143 section 7.2.1).
func parseSession(d *sdp.SessionDescription, tag *sdp.MediaDescription) (session, error) {
	var s session
	_, s.mixed = attribute(d, tag, "extmap-allow-mixed")
	if v, ok := attribute(d, tag, "ice-options"); ok {
		s.trickle = containsField(v, "trickle")
	}
	s.ice.Ufrag, _ = attribute(d, tag, "ice-ufrag")
	s.ice.Pwd, _ = attribute(d, tag, "ice-pwd")
	if !isICE(s.ice.Ufrag, 4) || !isICE(s.ice.Pwd, 22) {
		return s, refuse(ReasonICE, "ufrag of %d and password of %d characters, want 4 to 256 and 22 to 256 ice-chars",
			len(s.ice.Ufrag), len(s.ice.Pwd))
	}
	if s.hash, s.print = fingerprint(tag.Attributes); s.hash == "" {
		if s.hash, s.print = fingerprint(d.Attributes); s.hash == "" {
			return s, refuse(ReasonFingerprint, "no well-formed sha-256, sha-384 or sha-512")
		}
	}
	return s, nil
}

func containsField(v, want string) bool {
	for f := range strings.FieldsSeq(v) {
		if f == want {
			return true
		}
	}
	return false
}

// isICE checks RFC 8839 section 5.4: least to 256 ice-chars.
func isICE(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// fingerprint returns the first one we accept (RFC 8122 section 5), the hash in
// lower and the digits in upper case.
func fingerprint(attributes []sdp.Attribute) (hash, print string) {
	for i := range attributes {
		if attributes[i].Key != "fingerprint" {
			continue
		}
		h, v, _ := strings.Cut(attributes[i].Value, " ")
		h = strings.ToLower(h)
		size := map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64}[h]
		if size > 0 && isHexPairs(v, size) {
			return h, strings.ToUpper(v)
		}
	}
	return "", ""
}

func isHexPairs(s string, n int) bool {
	if len(s) != 3*n-1 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if i%3 == 2 {
			if s[i] != ':' {
				return false
			}
		} else if !(s[i] >= '0' && s[i] <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
