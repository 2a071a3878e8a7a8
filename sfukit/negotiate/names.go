package negotiate

// State is where a [Machine] stands. It mirrors the two signalling states the
// impolite side can rest in: stable and have-local-offer (W3C WebRTC section 4.3.1).
type State uint8

// The states. The zero value is Stable.
const (
	// Stable means that no offer of ours is outstanding.
	Stable State = iota
	// Offering means that one offer of ours waits for its answer.
	Offering
)

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case Stable:
		return "stable"
	case Offering:
		return "offering"
	}
	return "unknown"
}

// Action is what the caller must do now. The zero value asks for nothing.
type Action uint8

// The actions.
const (
	// ActionNone asks for nothing before [Machine.Deadline].
	ActionNone Action = iota
	// ActionOffer asks for a new offer that covers every change made so far: create
	// it, set it locally, send it under the id that came with the action. If it
	// cannot be created, call [Machine.Failed].
	ActionOffer
	// ActionResend asks for the pending offer to be sent once more, unchanged and
	// under its old id.
	ActionResend
	// ActionAbandon says that the answer is lost for good: finish the exchange
	// without the client (with a synthetic answer), then call [Machine.Abandoned].
	ActionAbandon
)

// String returns the name of the action.
func (a Action) String() string {
	switch a {
	case ActionNone:
		return "none"
	case ActionOffer:
		return "offer"
	case ActionResend:
		return "resend"
	case ActionAbandon:
		return "abandon"
	}
	return "unknown"
}

// Verdict says what to do with a description that came from the client. The zero
// value is Accept. The names are fit for metric labels.
type Verdict uint8

// The verdicts.
const (
	// Accept means: apply the description.
	Accept Verdict = iota
	// IgnoreLate drops an answer to an offer that is no longer outstanding.
	IgnoreLate
	// IgnoreDuplicate drops a further answer to an offer already answered.
	IgnoreDuplicate
	// IgnoreUnexpected drops an answer to nothing: none is outstanding, or its id
	// was never given out.
	IgnoreUnexpected
	// IgnoreGlare drops an offer of the client that crossed ours. The client is the
	// polite side: it rolls back, answers, and offers again (RFC 8829 section
	// 4.1.10.2; W3C WebRTC, the perfect negotiation example).
	IgnoreGlare
)

// String returns the name of the verdict.
func (v Verdict) String() string {
	switch v {
	case Accept:
		return "accept"
	case IgnoreLate:
		return "late"
	case IgnoreDuplicate:
		return "duplicate"
	case IgnoreUnexpected:
		return "unexpected"
	case IgnoreGlare:
		return "glare"
	}
	return "unknown"
}
