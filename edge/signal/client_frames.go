package signal

import "encoding/json"

// Offer is the client's session description: the first frame of a session,
// and later every change the client wants (new tracks, ICE restart).
type Offer struct {
	// SDP is the description (RFC 8866), never empty.
	SDP string `json:"sdp"`
	// Features names what the client understands beyond version 1; looked at in
	// the first offer only. Unknown names are ignored.
	Features []string `json:"features,omitempty"`
}

// FeatureSlots says that the client follows a tracks_map_update for a mid it
// already has, so that lines can change their meaning without an offer.
const FeatureSlots = "slots"

// Has reports whether the offer names a feature.
func (o Offer) Has(feature string) bool {
	for _, f := range o.Features {
		if f == feature {
			return true
		}
	}
	return false
}

// AnswerRenegotiate is the client's answer to an OfferRenegotiate.
type AnswerRenegotiate struct {
	// SDP is the description, never empty.
	SDP string `json:"sdp"`
	// MID repeats the offer's mid; informative.
	MID string `json:"mid,omitempty"`
	// ID repeats the offer's id, 0 if the client does not echo it.
	ID uint64 `json:"id,omitempty"`
}

// BWEHint is the client's own idea of what its downlink carries.
type BWEHint struct {
	// From is a name the client gives itself; for logs.
	From string `json:"from"`
	// Timestamp is the client's wall clock in Unix milliseconds.
	Timestamp int64 `json:"ts"`
	// BPS is the estimate in bit/s.
	BPS uint64 `json:"bps"`
}

// SetLayer wishes how much of one watched track the client wants. Every frame
// replaces the previous wish for that mid as a whole.
type SetLayer struct {
	// MID is the m-line at the client.
	MID string `json:"mid"`
	// MaxRID is the best encoding wanted, "" for no limit.
	MaxRID string `json:"max_rid,omitempty"`
	// MaxWidth is the width in pixels the picture is shown at, 0 for no limit.
	MaxWidth int `json:"max_width,omitempty"`
	// Priority asks for an order when the bandwidth does not reach for all tracks,
	// or not all are forwarded: higher first, 0 is normal, from -MaxPriority to
	// MaxPriority.
	Priority int `json:"priority,omitempty"`
	// Paused stops the track until a wish without it.
	Paused bool `json:"paused,omitempty"`
}

// MaxPriority is the greatest SetLayer.Priority that is taken, and the least with a
// minus: more ranks than there are reasons to rank a track.
const MaxPriority = 8

// Leave ends the session; the server closes with 1000.
type Leave struct{}

// Resume, sent instead of the first offer, asks for the session a token of
// Welcome names.
type Resume struct {
	// Token is Welcome.Resume of the lost session, never empty.
	Token string `json:"token"`
}

// ClientStats carries numbers from the client for the operator. The server
// never acts on them.
type ClientStats struct {
	// Report is any JSON value of at most MaxStatsReport bytes; nil for none.
	Report json.RawMessage `json:"report,omitempty"`
}

// MaxStatsReport is the largest ClientStats.Report that is taken, in bytes.
const MaxStatsReport = 8 << 10

func (Offer) tag() (string, string)             { return keyKind, "offer" }
func (AnswerRenegotiate) tag() (string, string) { return keyType, "answer-renegotiate" }
func (BWEHint) tag() (string, string)           { return keyKind, "bwe-hint" }
func (SetLayer) tag() (string, string)          { return keyType, "set_layer" }
func (Leave) tag() (string, string)             { return keyType, "leave" }
func (Resume) tag() (string, string)            { return keyType, "resume" }
func (ClientStats) tag() (string, string)       { return keyType, "stats" }

func (Offer) fromClient()             {}
func (AnswerRenegotiate) fromClient() {}
func (BWEHint) fromClient()           {}
func (SetLayer) fromClient()          {}
func (Leave) fromClient()             {}
func (Resume) fromClient()            {}
func (ClientStats) fromClient()       {}
