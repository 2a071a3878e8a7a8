package sdpx

import (
	"slices"
	"strings"
)

// FeedbackCCFB is the feedback of RFC 8888 as [Codec.Feedback] has it. It concerns a
// transport and not a format, and stands in a description for all payload types
// (section 6 there).
const FeedbackCCFB = "ack ccfb"

const ccfbLine = "a=rtcp-fb:* " + FeedbackCCFB

// takes adds to a section of ours what feedback we take there and pion
// does not know: congestion control feedback, if wanted, and NACKs for Opus. Pion
// offers only feedback that it found in the client's own offers, where no browser
// names NACK for Opus; those that have it go by what we say.
func (s *local) takes(ccfb bool) {
	for _, c := range s.codecs() {
		line := "a=rtcp-fb:" + utoa(uint32(c.PayloadType)) + " nack"
		if strings.EqualFold(c.MIME, "audio/opus") && !slices.Contains(s.lines, line) {
			s.lines = append(s.lines, line)
		}
	}
	if ccfb && !slices.Contains(s.lines, ccfbLine) {
		s.lines = append(s.lines, ccfbLine)
	}
}

// feedbackFor returns the codecs with the feedback that the section has for them.
func (s *local) feedbackFor(codecs []Codec) []Codec {
	codecs = slices.Clone(codecs)
	for i := range codecs {
		c := &codecs[i]
		c.Feedback = nil
		prefix := "a=rtcp-fb:" + utoa(uint32(c.PayloadType)) + " "
		for _, l := range s.lines {
			if v, ok := strings.CutPrefix(l, prefix); ok {
				c.Feedback = append(c.Feedback, v)
			}
		}
	}
	return codecs
}

// hasFeedback reports whether the section names a feedback for any of its codecs.
func (s *Section) hasFeedback(feedback string) bool {
	return slices.ContainsFunc(s.Codecs, func(c Codec) bool { return slices.Contains(c.Feedback, feedback) })
}

// CCFB reports whether the client agreed to send congestion control feedback (RFC
// 8888) on the given line.
func (r *Reply) CCFB(mid string) bool {
	s := r.section(mid)
	return s != nil && s.hasFeedback(FeedbackCCFB)
}
