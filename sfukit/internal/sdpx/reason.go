package sdpx

// Reason says why a description was refused. There is a fixed set of them, fit for
// metric labels.
type Reason string

// The reasons.
const (
	// ReasonSize: longer than [Limits] allows.
	ReasonSize Reason = "size"
	// ReasonSyntax: not a session description (RFC 8866), or with control characters.
	ReasonSyntax Reason = "syntax"
	// ReasonSections: no section, too many, fewer than before, or not those offered.
	ReasonSections Reason = "sections"
	// ReasonKind: a section that is not audio, video or a data channel, over a
	// protocol that is not that of WebRTC.
	ReasonKind Reason = "kind"
	// ReasonMID: a mid is missing, malformed, used twice or moved.
	ReasonMID Reason = "mid"
	// ReasonBundle: not all sections share one transport.
	ReasonBundle Reason = "bundle"
	// ReasonICE: ICE credentials are missing, malformed or not those expected.
	ReasonICE Reason = "ice"
	// ReasonFingerprint: a usable certificate fingerprint is missing.
	ReasonFingerprint Reason = "fingerprint"
	// ReasonSetup: an offer insists that the client be the DTLS client, or an answer
	// does not say who is.
	ReasonSetup Reason = "setup"
	// ReasonCrypto: keys in the description (SDES) instead of DTLS.
	ReasonCrypto Reason = "crypto"
	// ReasonRTCPMux: RTCP on a port of its own.
	ReasonRTCPMux Reason = "rtcp_mux"
	// ReasonDirection: more than one direction in a section.
	ReasonDirection Reason = "direction"
	// ReasonCodecs: no codec in common for a kind of media.
	ReasonCodecs Reason = "codecs"
	// ReasonPayloadType: a payload type means two things.
	ReasonPayloadType Reason = "payload_type"
	// ReasonExtension: a header extension id means two things.
	ReasonExtension Reason = "extension"
	// ReasonCount: too many codecs, extensions, RIDs or SSRCs in one section.
	ReasonCount Reason = "count"
)

// Error is returned, as a pointer, by every function of this package that refuses
// a description.
type Error struct {
	// Reason is one of the constants.
	Reason Reason
	// Detail says more to a person. It is short and holds no secrets.
	Detail string
}

// Error returns both parts.
func (e *Error) Error() string {
	return "sdpx: " + string(e.Reason) + ": " + e.Detail
}
