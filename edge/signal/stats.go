package signal

import "sync/atomic"

// OfferOutcome says what became of a session's first frame. The set is closed
// and may be used as a metric label.
type OfferOutcome uint8

// The outcomes.
const (
	// OfferOK: the client got its answer.
	OfferOK OfferOutcome = iota
	// OfferTimeout: no frame came in time.
	OfferTimeout
	// OfferGone: the connection ended first.
	OfferGone
	// OfferMalformed: the first frame was no offer of the right shape.
	OfferMalformed
	// OfferRefused: the description could not be used.
	OfferRefused
	// OfferRoomFull: there was no seat.
	OfferRoomFull
	// OfferShutdown: the server was closing.
	OfferShutdown
	// OfferFailed: the server failed.
	OfferFailed
	offerOutcomes
)

var offerNames = [offerOutcomes]string{
	"ok", "timeout", "ws_closed", "json_err", "sdp_err", "room_full", "shutdown", "internal",
}

// String returns the outcome's label.
func (o OfferOutcome) String() string {
	if o < offerOutcomes {
		return offerNames[o]
	}
	return "internal"
}

// Stats counts what happens on connections and sessions. The zero value is
// ready; all methods may be called from any goroutine.
type Stats struct {
	rejected, framesIn, framesOut, binary             atomic.Int64
	started, active, unknown, wrong, glare, throttled atomic.Int64
	offers                                            [offerOutcomes]atomic.Int64
	ends                                              [16]atomic.Int64 // by index in endLabels
}

var endLabels = func() []string {
	labels := []string{"1006", "other"}
	for _, c := range CloseCodes() {
		labels = append(labels, c.Label())
	}
	return labels
}()

func (s *Stats) ended(c CloseCode) {
	label := c.Label()
	for i, l := range endLabels {
		if l == label {
			s.ends[i].Add(1)
			return
		}
	}
}

// Snapshot is a copy of the counters. Counters are read one by one, so sums
// may be off by what happened meanwhile.
type Snapshot struct {
	// Rejected counts requests that did not become connections.
	Rejected int64
	// FramesIn and FramesOut count text messages, Binary ignored binary ones.
	FramesIn, FramesOut, Binary int64
	// Started counts sessions begun, Active those that have not ended.
	Started, Active int64
	// Unknown counts ignored frames of unknown name, Wrong frames answered with
	// an Error, Glare client offers ignored because ours was outstanding,
	// Throttled bandwidth hints that came too soon.
	Unknown, Wrong, Glare, Throttled int64
	// Offers counts first frames by the label of their outcome, Ends ended
	// sessions by the label of their close code. Every label is present.
	Offers, Ends map[string]int64
}

// Snapshot returns a copy of the counters.
func (s *Stats) Snapshot() Snapshot {
	snap := Snapshot{
		Rejected: s.rejected.Load(), FramesIn: s.framesIn.Load(), FramesOut: s.framesOut.Load(), Binary: s.binary.Load(),
		Started: s.started.Load(), Active: s.active.Load(),
		Unknown: s.unknown.Load(), Wrong: s.wrong.Load(), Glare: s.glare.Load(), Throttled: s.throttled.Load(),
		Offers: make(map[string]int64, offerOutcomes), Ends: make(map[string]int64, len(endLabels)),
	}
	for i := range s.offers {
		snap.Offers[offerNames[i]] = s.offers[i].Load()
	}
	for i, label := range endLabels {
		snap.Ends[label] = s.ends[i].Load()
	}
	return snap
}
