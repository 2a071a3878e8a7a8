// Package negotiate runs one renegotiation at a time, from the impolite side, and
// never loses a change. What offers and answers say is the matter of internal/sdpx.
package negotiate

import "time"

// A Machine decides when to offer, when to offer again, and which answers count.
// It knows nothing of session descriptions; the caller performs what it asks for.
//
//	m.Need()                     // a track came, went or changed
//	switch a, id := m.Next(now)  // now, and again at m.Deadline()
//	if m.Answer(id) == Accept { m.Applied(apply(answer) == nil) }
//
// All changes that wait share the next offer. A change made while an offer is
// outstanding gets one of its own afterwards. An answer that never comes or cannot
// be used costs time but no change: the offer is repeated, then abandoned, and a
// fresh one follows, each later than the one before.
//
// Make one with [New]. A Machine is not safe for concurrent use.
type Machine struct {
	resendAfter time.Duration
	maxResends  int

	state State
	need  bool
	last  uint64    // the latest offer's id; 0 before the first
	due   time.Time // Offering: repeat or abandon. Stable: not before.

	copies   int  // how often the latest offer was sent
	answers  int  // how many answers came while it was outstanding
	stray    int  // answers without id that belong to earlier offers
	failures int  // exchanges in a row that failed
	echoes   bool // the client's answers carry ids
	answered bool // the latest offer was
}

// New returns a Machine that is [Stable] and needs nothing, or an error wrapping
// [ErrConfig].
func New(c Config) (*Machine, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Machine{resendAfter: c.ResendAfter, maxResends: c.MaxResends}, nil
}

// Need records that something changed that only an offer can tell the client.
// Any number of calls before the next [ActionOffer] make one offer.
func (m *Machine) Need() { m.need = true }

// State returns where the machine stands.
func (m *Machine) State() State { return m.state }

// Failures returns how many exchanges in a row ended without a usable answer. It
// is for callers that want to give a hopeless client up; the machine never does.
func (m *Machine) Failures() int { return m.failures }

// Next returns what must be done now and the id of the offer concerned; the id is
// 0 with [ActionNone]. Ids start at 1 and grow by one with every new offer.
//
// Each action is returned once: after [ActionOffer] the machine is [Offering] and
// assumes that the offer was sent at now.
func (m *Machine) Next(now time.Time) (Action, uint64) {
	switch {
	case m.state == Stable && !m.need, now.Before(m.due):
		return ActionNone, 0
	case m.state == Stable:
		m.state, m.need, m.answered = Offering, false, false
		m.last++
		m.copies, m.answers = 1, 0
		m.due = now.Add(m.resendAfter)
		return ActionOffer, m.last
	case m.copies <= m.maxResends:
		m.copies++
		m.due = now.Add(m.resendAfter)
		return ActionResend, m.last
	default:
		m.due = now.Add(m.resendAfter) // asks again should Abandoned not be called
		return ActionAbandon, m.last
	}
}

// Deadline returns when [Machine.Next] wants to be called again, and whether it
// does at all. A time that has passed, as the zero time has, means at once.
func (m *Machine) Deadline() (time.Time, bool) {
	return m.due, m.state == Offering || m.need
}

// Failed reports that the offer asked for by [ActionOffer] could not be created,
// so that nothing is outstanding. The changes still need an offer, which is asked
// for again after a pause that doubles with every failure, up to a minute.
//
// An offer that was set locally but could not be sent is no failure of this kind:
// it is outstanding, and will be repeated.
func (m *Machine) Failed(now time.Time) {
	if m.state != Offering {
		return
	}
	m.failures++
	m.settle(now.Add(m.backoff(m.failures)))
	m.need, m.stray = true, 0
}

// Answer judges an answer that arrived. The id is the one the client echoed, 0 if
// it echoed none. After [Accept] the caller applies the answer and reports the
// outcome with [Machine.Applied]; after any other verdict it drops the answer.
//
// An answer without id is taken for the outstanding offer, except as many as were
// still owed for repeated copies of earlier offers: those are [IgnoreLate]. Should
// the client owe fewer, the repeated offer makes good for the one dropped wrongly.
func (m *Machine) Answer(id uint64) Verdict {
	if id != 0 && id <= m.last {
		m.echoes, m.stray = true, 0
	}
	switch {
	case id > m.last:
		return IgnoreUnexpected
	case id == 0 && m.stray > 0:
		m.stray--
		m.answers++
		return IgnoreLate
	case id == 0 && m.state == Stable:
		return IgnoreUnexpected
	case id != 0 && id < m.last:
		return IgnoreLate
	case m.state == Stable && m.answered:
		return IgnoreDuplicate
	case m.state == Stable:
		return IgnoreLate // abandoned
	}
	m.answers++
	return Accept
}

// Applied reports whether the accepted answer could be applied. If so, the
// exchange is over. If not, the offer stays outstanding and is repeated or
// abandoned when its time comes, so that a client that answers nonsense is not
// talked to any faster than one that does not answer.
func (m *Machine) Applied(ok bool) {
	if m.state != Offering || !ok {
		return
	}
	m.answered, m.failures = true, 0
	m.settle(time.Time{})
}

// Abandoned reports that the exchange was finished without the client, as
// [ActionAbandon] asked. Whatever the abandoned offer said still needs an offer:
// after the first failure at once, then after a pause that doubles, up to a minute.
func (m *Machine) Abandoned(now time.Time) {
	if m.state != Offering {
		return
	}
	m.settle(now.Add(m.backoff(m.failures)))
	m.failures++
	m.need = true
}

// ClientOffer judges an offer that the client made: [Accept] in [Stable], where
// the caller answers it at once, [IgnoreGlare] otherwise.
func (m *Machine) ClientOffer() Verdict {
	if m.state == Offering {
		return IgnoreGlare
	}
	return Accept
}

// settle ends an exchange. Copies of the offer that were not answered may be yet.
// Fewer are held to be owed than the next offer has copies, so that a client that
// owes nothing is heard all the same, and what it owed before is forgiven.
func (m *Machine) settle(due time.Time) {
	m.state, m.due = Stable, due
	m.stray = min(max(m.copies-m.answers, 0), m.maxResends)
	if m.echoes {
		m.stray = 0
	}
}

func (m *Machine) backoff(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	d := m.resendAfter
	for range failures - 1 {
		if d >= maxBackoff {
			break
		}
		d *= 2
	}
	return min(d, max(maxBackoff, m.resendAfter))
}
