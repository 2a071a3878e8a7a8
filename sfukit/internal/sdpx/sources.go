package sdpx

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// parseSources reads a=msid (RFC 8830), a=ssrc and a=ssrc-group (RFC 5576).
func (s *Section) parseSources(m *sdp.MediaDescription) error {
	var repair []uint32 // SSRCs of RTX and FEC
	for i := range m.Attributes {
		switch a := &m.Attributes[i]; a.Key {
		case "msid":
			if f := strings.Fields(a.Value); len(f) > 0 && s.StreamID == "" {
				s.StreamID, s.TrackID = f[0], strings.Join(f[1:min(len(f), 2)], "")
			}
		case "ssrc":
			if err := s.parseSource(a.Value); err != nil {
				return err
			}
		case "ssrc-group":
			f := strings.Fields(a.Value)
			if len(f) != 3 || f[0] != "FID" && f[0] != "FEC-FR" {
				continue
			}
			media, err1 := strconv.ParseUint(f[1], 10, 32)
			other, err2 := strconv.ParseUint(f[2], 10, 32)
			if err1 != nil || err2 != nil || media == other {
				continue
			}
			if len(repair) == maxSSRCs {
				return refuse(ReasonCount, "ssrc-groups in section %q", s.MID)
			}
			repair = append(repair, uint32(other))
			if f[0] == "FID" {
				if s.RTX == nil {
					s.RTX = make(map[uint32]uint32)
				}
				s.RTX[uint32(media)] = uint32(other)
			}
		}
	}
	s.SSRCs = slices.DeleteFunc(s.SSRCs, func(ssrc uint32) bool { return slices.Contains(repair, ssrc) })
	return nil
}

func (s *Section) parseSource(value string) error {
	f := strings.Fields(value)
	if len(f) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return nil //nolint:nilerr // one SSRC less known; its packets say where they belong
	}
	if ssrc := uint32(n); !slices.Contains(s.SSRCs, ssrc) {
		if len(s.SSRCs) == maxSSRCs {
			return refuse(ReasonCount, "SSRCs in section %q", s.MID)
		}
		s.SSRCs = append(s.SSRCs, ssrc)
	}
	if len(f) < 3 {
		return nil
	}
	// The older place of the msid (RFC 8830 appendix).
	if v, ok := strings.CutPrefix(f[1], "msid:"); ok && s.StreamID == "" {
		s.StreamID, s.TrackID = v, f[2]
	}
	return nil
}
