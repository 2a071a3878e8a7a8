package sdpx

import "strings"

// local is one section of a description that pion made, line by line. Its text is
// trusted, so it is edited and not parsed.
type local struct {
	lines []string // without line ends; the first is the m= line
	drop  bool     // leave it out of the result
}

// split cuts a description into what stands before the sections, and these.
func split(text string) (head []string, sections []local) {
	n := strings.Count(text, "\nm=")
	sections = make([]local, 0, n)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "":
		case strings.HasPrefix(line, "m="):
			sections = append(sections, local{lines: []string{line}})
		case len(sections) == 0:
			head = append(head, line)
		default:
			s := &sections[len(sections)-1]
			s.lines = append(s.lines, line)
		}
	}
	return head, sections
}

// join is the inverse of split. It lists in BUNDLE all sections that are neither
// dropped nor rejected, and moves the candidates, which pion writes into the first
// section, to the first of those (RFC 9143 section 7.1.3).
func join(head []string, sections []local, size int) string {
	var (
		b          strings.Builder
		group      = "a=group:BUNDLE"
		candidates []string
	)
	for i := range sections {
		if s := &sections[i]; !s.drop && !s.rejected() {
			group += " " + s.value("a=mid:")
		}
	}
	b.Grow(size + 64)
	for _, l := range head {
		if strings.HasPrefix(l, "a=group:BUNDLE") {
			l = group
		}
		b.WriteString(l + "\r\n")
	}
	for i := range sections {
		s := &sections[i]
		if s.drop || s.rejected() {
			candidates = append(candidates, s.take("a=candidate:", "a=end-of-candidates")...)
		} else {
			s.lines = append(s.lines, candidates...)
			candidates = nil
		}
		for j := 0; j < len(s.lines) && !s.drop; j++ {
			b.WriteString(s.lines[j] + "\r\n")
		}
	}
	return b.String()
}

// value returns what follows the prefix in the first line that has it.
func (s *local) value(prefix string) string {
	for _, l := range s.lines {
		if v, ok := strings.CutPrefix(l, prefix); ok {
			return v
		}
	}
	return ""
}

// take removes all lines with one of the prefixes and returns them.
func (s *local) take(prefixes ...string) (taken []string) {
	kept := s.lines[:0:len(s.lines)]
	for _, l := range s.lines {
		if hasAny(l, prefixes) {
			taken = append(taken, l)
		} else {
			kept = append(kept, l)
		}
	}
	s.lines = kept
	return taken
}

func hasAny(l string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(l, p) {
			return true
		}
	}
	return false
}

// media returns the fields of the m= line: kind, port, protocol, formats.
func (s *local) media() (kind, port, proto, formats string) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(s.lines[0], "m="), " ")
	port, rest, _ = strings.Cut(rest, " ")
	proto, formats, _ = strings.Cut(rest, " ")
	return kind, port, proto, formats
}

func (s *local) kind() Kind {
	k, _, _, _ := s.media()
	return kindOf(k)
}

func (s *local) rejected() bool {
	_, port, _, _ := s.media()
	return port == "0"
}

// reject turns the section into a refused one (RFC 8829 section 5.3.1), keeping
// the candidates for join to move. One format must be left. It keeps its rtpmap,
// for some parsers stumble without; one that has none is replaced by a static one.
func (s *local) reject(mid string, k Kind, proto, format, rtpmap string) {
	if rtpmap == "" && k != KindApplication {
		format = "0"
	}
	lines := []string{"m=" + k.String() + " 0 " + proto + " " + format, "c=IN IP4 0.0.0.0", "a=mid:" + mid}
	if k != KindApplication {
		lines = append(lines, "a=inactive")
		if rtpmap != "" {
			lines = append(lines, "a=rtpmap:"+format+" "+rtpmap)
		}
	}
	s.lines = append(lines, s.take("a=candidate:", "a=end-of-candidates")...)
}

// direct gives the section its true direction, and removes what names a sender
// where we send nothing.
func (s *local) direct(d Direction) {
	if !d.Sends() {
		s.take("a=msid:", "a=ssrc:", "a=ssrc-group:")
	}
	done := false
	kept := s.lines[:0]
	for _, l := range s.lines {
		if name, ok := strings.CutPrefix(l, "a="); ok {
			if _, ok := directionOf(name); ok {
				if done {
					continue
				}
				l, done = "a="+d.String(), true
			}
		}
		kept = append(kept, l)
	}
	s.lines = kept
	if !done {
		s.lines = append(s.lines, "a="+d.String())
	}
}
