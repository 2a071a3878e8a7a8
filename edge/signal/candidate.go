package signal

import "encoding/json"

// Candidate is an RTCIceCandidateInit (W3C WebRTC section 5.6.2.1). On the wire
// it may also be a bare string, which is the Candidate member alone.
type Candidate struct {
	// Candidate is the candidate-attribute (RFC 8839 section 5.1), with or without
	// a leading "a=". Empty means that there are no more.
	Candidate string `json:"candidate"`
	// SDPMid is the m-line it belongs to, "" if not said.
	SDPMid string `json:"sdpMid,omitempty"`
	// SDPMLineIndex is the index of that m-line, nil if not said.
	SDPMLineIndex *uint16 `json:"sdpMLineIndex,omitempty"`
	// UsernameFragment tells ICE generations apart, "" if not said.
	UsernameFragment string `json:"usernameFragment,omitempty"`
}

// UnmarshalJSON reads both forms of a candidate.
func (c *Candidate) UnmarshalJSON(b []byte) error {
	*c = Candidate{}
	switch {
	case len(b) > 0 && b[0] == '"':
		return json.Unmarshal(b, &c.Candidate)
	case len(b) > 0 && b[0] == '{':
		type plain Candidate // without this method
		return json.Unmarshal(b, (*plain)(c))
	default:
		return &FrameError{Frame: "ice", Field: "candidate", Problem: "want an object, a string or null"}
	}
}
