package sdpx

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// parseCodecs reads the payload types of the m= line that have a=rtpmap, and drops
// those that [Limits.Keep] does not want.
func (s *Section) parseCodecs(m *sdp.MediaDescription, l Limits) error {
	var slot [128]uint8 // payload type → 1 + index into codecs
	if len(m.MediaName.Formats) > maxCodecs {
		return refuse(ReasonCount, "payload types in section %q", s.MID)
	}
	codecs := make([]Codec, 0, len(m.MediaName.Formats))
	for _, f := range m.MediaName.Formats {
		pt, err := strconv.ParseUint(f, 10, 7)
		if err != nil || slot[pt] != 0 {
			return refuse(ReasonPayloadType, "malformed or repeated payload type in section %q", s.MID)
		}
		codecs = append(codecs, Codec{PayloadType: uint8(pt)})
		slot[pt] = uint8(len(codecs))
	}
	var wild []string
	for i := range m.Attributes {
		a := &m.Attributes[i]
		if a.Key != "rtpmap" && a.Key != "fmtp" && a.Key != "rtcp-fb" {
			continue
		}
		num, value, _ := strings.Cut(a.Value, " ")
		if a.Key == "rtcp-fb" && num == "*" && len(wild) < maxFeedback {
			wild = append(wild, value)
			continue
		}
		pt, err := strconv.ParseUint(num, 10, 7)
		if err != nil || slot[pt] == 0 {
			continue // of a payload type the m= line does not have
		}
		c := &codecs[slot[pt]-1]
		switch a.Key {
		case "rtpmap":
			if num == s.format {
				s.rtpmap = value
			}
			if c.MIME != "" || !c.parseMap(s.Kind, value) {
				return refuse(ReasonPayloadType, "malformed or repeated rtpmap %d in section %q", pt, s.MID)
			}
		case "fmtp":
			c.FMTP = strings.TrimSpace(value)
		case "rtcp-fb":
			if len(c.Feedback) == maxFeedback {
				return refuse(ReasonCount, "rtcp-fb %d in section %q", pt, s.MID)
			}
			c.Feedback = append(c.Feedback, value)
		}
	}
	s.Codecs = keepCodecs(s.Kind, codecs, wild, l)
	return nil
}

// parseMap reads name/clock[/channels] (RFC 8866 section 6.6).
func (c *Codec) parseMap(k Kind, value string) bool {
	name, rest, _ := strings.Cut(strings.TrimSpace(value), "/")
	clock, channels, _ := strings.Cut(rest, "/")
	rate, err := strconv.ParseUint(clock, 10, 32)
	if err != nil || !isToken(name) {
		return false
	}
	if n, err := strconv.ParseUint(channels, 10, 16); err == nil {
		c.Channels = uint16(n)
	}
	c.MIME, c.ClockRate = k.String()+"/"+name, uint32(rate)
	return true
}

// sane reports whether the codec has the clock it must have, and no parameter of
// RTX unless it is that. A known name with another clock would pass [Limits.Keep] and
// not be known to pion: then pion answers without a mid, and can never make an offer
// again. Of a=fmtp, apt is the one parameter that pion reads and may stumble over.
func (c *Codec) sane(k Kind) bool {
	_, apt := c.apt()
	switch {
	case apt != c.IsRTX():
		return false
	case k == KindVideo:
		return c.ClockRate == 90000
	case strings.EqualFold(c.MIME, "audio/opus"): // RFC 7587 section 7
		return c.ClockRate == 48000 && c.Channels == 2
	}
	return c.ClockRate > 0
}

// keepCodecs filters codecs in place. RTX stays if what it repairs does.
func keepCodecs(k Kind, codecs []Codec, wild []string, l Limits) []Codec {
	var kept [128]bool
	for i := range codecs {
		c := &codecs[i]
		if c.MIME != "" && !c.IsRTX() && c.sane(k) {
			kept[c.PayloadType] = l.Keep == nil || l.Keep(k, strings.ToLower(c.MIME), c.FMTP)
		}
	}
	n := 0
	for _, c := range codecs {
		if c.IsRTX() {
			apt, ok := c.repairs()
			if !ok || !kept[apt] || !c.sane(k) {
				continue
			}
			c.APT = apt
		} else if !kept[c.PayloadType] {
			continue
		}
		for _, f := range wild {
			if !slices.Contains(c.Feedback, f) && len(c.Feedback) < maxFeedback {
				c.Feedback = append(c.Feedback, f)
			}
		}
		codecs[n] = c
		n++
	}
	return codecs[:n:n]
}

// repairs reads the apt parameter of RTX (RFC 4588 section 8.1).
func (c *Codec) repairs() (uint8, bool) {
	value, _ := c.apt()
	return payloadType(value)
}

func (c *Codec) apt() (value string, ok bool) {
	for p := range strings.SplitSeq(c.FMTP, ";") {
		if key, value, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(key, "apt") {
			return value, true
		}
	}
	return "", false
}

func payloadType(s string) (uint8, bool) {
	pt, err := strconv.ParseUint(s, 10, 7)
	return uint8(pt), err == nil
}
