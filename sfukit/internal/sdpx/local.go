package sdpx

import "strings"

// Answer turns the answer pion made to what [Offer.ForPion] gave it into the answer
// to the offer the client made.
//
// A client's section that sends is recvonly, any other inactive. A section of ours
// is sendonly if it is active and the client will receive, else inactive and
// without a source; what feedback we took there we still take. What the client
// rejected and what has no codec of ours is rejected, with a mid and in its place,
// even where pion forgot either. The lines are those of the session from now on.
func Answer(pionAnswer string, offer *Offer, roles Roles) (string, []Line) {
	head, sections := split(pionAnswer)
	lines := make([]Line, 0, len(sections))
	for i := range sections {
		s := &sections[i]
		if i >= len(offer.Sections) {
			s.drop = true
			continue
		}
		o := &offer.Sections[i]
		role := roles.of(o.MID)
		switch {
		case !o.Usable() || s.rejected():
			s.reject(o.MID, o.Kind, o.proto, o.format, o.rtpmap)
		case o.Kind == KindApplication:
		case role == OursActive && o.Direction.Receives():
			s.direct(SendOnly)
			s.takes(o.hasFeedback(FeedbackCCFB))
		case !role.Ours() && o.Direction.Sends():
			s.direct(RecvOnly)
			if !o.simulcast {
				s.take("a=simulcast:")
			}
		default:
			s.direct(Inactive)
		}
		lines = append(lines, Line{MID: o.MID, Kind: o.Kind, Rejected: s.rejected()})
	}
	return join(head, sections, len(pionAnswer)), lines
}

// ServerOffer turns an offer pion made into the one for the client. Each line gets
// the direction of its role; new ones of role [Absent] are left out, which pion does
// not mind in the answer. Ours say that we take congestion control feedback (RFC
// 8888) and NACKs for Opus there. The lines are those of the session so far; rejected
// ones stay so. The result is also the pending offer that [ForPionAnswer] and
// [SyntheticAnswer] ask for; pion itself must be given its own text.
func ServerOffer(pionOffer string, lines []Line, roles Roles) string {
	head, sections := split(pionOffer)
	for i := range sections {
		s := &sections[i]
		if i < len(lines) && (lines[i].Rejected || s.rejected()) {
			// pion may have forgotten the mid.
			_, _, proto, formats := s.media()
			format, _, _ := strings.Cut(formats, " ")
			s.reject(lines[i].MID, lines[i].Kind, proto, format, s.value("a=rtpmap:"+format+" "))
			continue
		}
		if s.kind() == KindApplication {
			continue
		}
		switch roles.of(s.value("a=mid:")) {
		case OursActive:
			s.direct(SendOnly)
			s.takes(true)
		case ClientSends:
			s.direct(RecvOnly)
		case OursIdle:
			s.direct(Inactive)
			s.takes(true)
		case ClientIdle:
			s.direct(Inactive)
		case Absent:
			s.direct(Inactive)
			s.drop = i >= len(lines) // a line the client has cannot be taken back
		}
	}
	return join(head, sections, len(pionOffer))
}
