package sdpx

import "strings"

// Limits bounds what a description may claim. The zero value is a good choice.
type Limits struct {
	// MaxBytes is the greatest length of the text. Default 256 KiB.
	MaxBytes int
	// MaxSections is the greatest number of m= sections. Default 1024.
	MaxSections int
	// Keep says whether we ever use a codec, given its media type in lower case
	// and its format parameters, of which some tell profiles apart. It must refuse
	// what pion cannot match: pion would leave such a section without a mid.
	// ("video/vp8"). All others vanish. RTX is not asked for: it stays with the
	// codec it repairs. Nil keeps all. What is kept pion should know, in every form a
	// client offers it (profiles, packetization modes): a kind of media without a codec
	// that pion matches can be answered but never offered again.
	Keep func(kind Kind, mime, fmtp string) bool
}

const (
	defaultMaxBytes    = 256 << 10
	defaultMaxSections = 1024

	// A browser's longest list has about 60 codecs, 20 extensions, 3 RIDs and 6
	// SSRCs in a section.
	maxCodecs     = 128
	maxFeedback   = 16
	maxExtensions = 64
	maxRIDs       = 8
	maxSSRCs      = 64
	// RFC 8285 one-byte extensions, which carry mid and rid, hold 16 bytes.
	maxIDBytes = 16
)

func (l Limits) maxBytes() int {
	if l.MaxBytes <= 0 {
		return defaultMaxBytes
	}
	return l.MaxBytes
}

func (l Limits) maxSections() int {
	if l.MaxSections <= 0 {
		return defaultMaxSections
	}
	return l.MaxSections
}

// Offer is a client's offer that pion can survive. It is read-only.
type Offer struct {
	// Sections are the m= sections in the order of the text.
	Sections []Section

	session session
}

// ICE returns the client's ICE credentials. An offer whose credentials differ from
// the client's previous description asks for an ICE restart (RFC 8839 section
// 4.4.1.1.1).
func (o *Offer) ICE() Credentials { return o.session.ice }

// Section is one m= section of a client's description.
type Section struct {
	// MID identifies the section (RFC 5888): 1 to 16 token characters.
	MID  string
	Kind Kind
	// Direction is the client's, as it stands in the text.
	Direction Direction
	// Port is that of the m= line.
	Port int
	// Rejected says that the section is refused or stopped: port 0, and not merely
	// because the section is bundle-only (RFC 9143 section 6).
	Rejected bool
	// Codecs are those we may use and their RTX, in the client's order of preference.
	Codecs []Codec
	// Extensions are the RTP header extensions the client may send.
	Extensions []Extension
	// RIDs are the simulcast encodings the client sends, in its order of preference
	// (RFC 8853), whether paused or not. Empty without simulcast.
	RIDs []string
	// SSRCs are the declared SSRCs that carry media, not repair.
	SSRCs []uint32
	// RTX maps an SSRC to the one that repairs it (ssrc-group FID, RFC 4588). Nil if
	// there is none.
	RTX map[uint32]uint32
	// StreamID and TrackID are those of a=msid (RFC 8830). Either may be empty.
	StreamID, TrackID string

	proto          string
	format         string // the first of the m= line
	rtpmap         string // of format
	simulcast      bool   // RIDs come with a=simulcast
	reducedSize    bool
	sctpPort       string
	maxMessageSize string
}

// Usable reports whether the section can carry anything: it is not rejected, and
// has a codec of ours or is the data section.
func (s *Section) Usable() bool {
	return !s.Rejected && (s.Kind == KindApplication || len(s.Codecs) > 0)
}

// Codec is one payload type of a section.
type Codec struct {
	// PayloadType is 0 to 127.
	PayloadType uint8
	// MIME is the media type as the client writes it ("video/VP8"). Compare it with
	// [strings.EqualFold].
	MIME string
	// ClockRate is in Hz.
	ClockRate uint32
	// Channels is 0 where the client does not say.
	Channels uint16
	// FMTP holds the format parameters as they stand in the text.
	FMTP string
	// Feedback are the RTCP feedback messages (RFC 4585), such as "nack pli".
	Feedback []string
	// APT is the payload type that this one repairs; it means something only if
	// [Codec.IsRTX].
	APT uint8
}

// IsRTX reports whether the payload type carries retransmissions (RFC 4588).
func (c *Codec) IsRTX() bool {
	_, name, _ := strings.Cut(c.MIME, "/")
	return strings.EqualFold(name, "rtx")
}

// RTXFor returns the payload type that repairs the given one, and whether there is
// one.
func (s *Section) RTXFor(payloadType uint8) (uint8, bool) {
	for i := range s.Codecs {
		if c := &s.Codecs[i]; c.IsRTX() && c.APT == payloadType {
			return c.PayloadType, true
		}
	}
	return 0, false
}

// Extension is an RTP header extension (RFC 8285).
type Extension struct {
	// ID is 1 to 255.
	ID  int
	URI string
}

// Line is what both sides hold of an m= section after an exchange. The lines of a
// session, in order, come from [Answer] and [Reply.Lines], and go into the next
// [CheckReoffer] and [ServerOffer].
type Line struct {
	MID  string
	Kind Kind
	// Rejected says that one side has refused the line (port 0). The client may then
	// put a section with another mid or kind in its place (RFC 8829 section 5.2.2).
	Rejected bool
}
