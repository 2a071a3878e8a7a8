package sfukit

import (
	"sync/atomic"
)

// counters are the totals of a Registry since it began.
type counters struct {
	joins, roomFull, speakers                                       atomic.Int64
	leaves                                                          [LeaveFailed + 1]atomic.Int64
	packetsIn, bytesIn, packetsOut, bytesOut, writeErrors           atomic.Int64
	ingress                                                         [dropReasons]atomic.Int64
	repaired, recovered, probes, resent                             atomic.Int64
	padding, shaperDrops                                            atomic.Int64
	nackSent, nackGaveUp, nackReceived                              atomic.Int64
	nack                                                            [nackOutcomes]atomic.Int64
	pliSent, pliReceived                                            atomic.Int64
	dataIn                                                          atomic.Int64
	data                                                            [dataDropReasons]atomic.Int64
	offersSent, offersResent, offersAbandoned                       atomic.Int64
	offersFailed, answersDropped, glare, noCodec                    atomic.Int64
	badOffers, badAnswers, badCandidates, badRTCP, eventsFull, ccfb atomic.Int64
}

// Counters are totals of a Registry since it began. They only grow.
type Counters struct {
	// Joins counts peers that joined; Leaves those that left, by LeaveReason
	// label; RoomFull those refused for want of a seat.
	Joins    int64            `json:"joins"`
	Leaves   map[string]int64 `json:"leaves"`
	RoomFull int64            `json:"room_full"`
	// SpeakerChanges counts elections with a new winner.
	SpeakerChanges int64 `json:"speaker_changes"`
	// PacketsIn and BytesIn count RTP taken from publishers, PacketsOut and
	// BytesOut first transmissions to subscribers: Resent and Padding are neither.
	// WriteErrors counts those of them that the transport refused.
	PacketsIn   int64 `json:"packets_in"`
	BytesIn     int64 `json:"bytes_in"`
	PacketsOut  int64 `json:"packets_out"`
	BytesOut    int64 `json:"bytes_out"`
	WriteErrors int64 `json:"write_errors"`
	// IngressDrops counts inbound packets that went no further, by reason.
	IngressDrops map[string]int64 `json:"ingress_drops"`
	// SocketDrops counts datagrams the socket did not send, by reason.
	SocketDrops map[string]int64 `json:"socket_drops"`
	// Repaired counts missing packets of publishers that came after all: sent again
	// or, the Recovered ones, out of the redundancy of the next (RFC 2198). Probes
	// counts those sent again that were not missing: bandwidth probes. Resent counts
	// those we sent again.
	Repaired  int64 `json:"repaired"`
	Recovered int64 `json:"recovered"`
	Probes    int64 `json:"probes"`
	// Padding is the bytes sent to probe subscribers' links where there was no media
	// to do it with. ShaperDrops counts packets that would have waited too long.
	Padding     int64 `json:"padding_bytes"`
	ShaperDrops int64 `json:"shaper_drops"`
	Resent      int64 `json:"resent"`
	// NACKs are counted in sequence numbers. Sent ones were asked of publishers, each
	// time anew; GaveUp counts those that never came. Of those that subscribers asked
	// for, Received, some were suppressed, since they had just been answered or there
	// were too many, and some missed: they could not be answered. NACKDrops tells all
	// those by reason.
	NACKSent       int64            `json:"nack_sent"`
	NACKGaveUp     int64            `json:"nack_gave_up"`
	NACKReceived   int64            `json:"nack_received"`
	NACKMissed     int64            `json:"nack_missed"`
	NACKSuppressed int64            `json:"nack_suppressed"`
	NACKDrops      map[string]int64 `json:"nack_drops"`
	// PLISent counts keyframe requests to publishers, PLIReceived those of
	// subscribers, FIR included.
	PLISent     int64 `json:"pli_sent"`
	PLIReceived int64 `json:"pli_received"`
	// DataIn counts data messages from peers; DataOut those to peers, by DataDrop
	// label ("sent" for those that were not dropped).
	DataIn  int64            `json:"data_in"`
	DataOut map[string]int64 `json:"data_out"`
	// The negotiation: offers of ours, and what went wrong.
	OffersSent      int64 `json:"offers_sent"`
	OffersResent    int64 `json:"offers_resent"`
	OffersAbandoned int64 `json:"offers_abandoned"`
	OffersFailed    int64 `json:"offers_failed"`
	AnswersDropped  int64 `json:"answers_dropped"`
	Glare           int64 `json:"glare"`
	// NoCodec counts tracks a subscriber cannot receive for want of the codec.
	NoCodec       int64 `json:"no_codec"`
	BadOffers     int64 `json:"bad_offers"`
	BadAnswers    int64 `json:"bad_answers"`
	BadCandidates int64 `json:"bad_candidates"`
	// CCFB counts reports by RFC 8888 that were taken.
	CCFB int64 `json:"ccfb"`
	// BadRTCP counts datagrams of RTCP from peers that could not be read.
	BadRTCP int64 `json:"bad_rtcp"`
	// EventsFull counts events lost because the application did not take them.
	EventsFull int64 `json:"events_full"`
}

func (r *Registry) countersNow() Counters {
	c := &r.counters
	out := Counters{
		Joins: c.joins.Load(), RoomFull: c.roomFull.Load(), SpeakerChanges: c.speakers.Load(),
		PacketsIn: c.packetsIn.Load(), BytesIn: c.bytesIn.Load(),
		PacketsOut: c.packetsOut.Load(), BytesOut: c.bytesOut.Load(), WriteErrors: c.writeErrors.Load(),
		Repaired: c.repaired.Load(), Recovered: c.recovered.Load(), Probes: c.probes.Load(), Padding: c.padding.Load(), ShaperDrops: c.shaperDrops.Load(), Resent: c.resent.Load(),
		NACKSent: c.nackSent.Load(), NACKGaveUp: c.nackGaveUp.Load(), NACKReceived: c.nackReceived.Load(),
		PLISent: c.pliSent.Load(), PLIReceived: c.pliReceived.Load(),
		DataIn: c.dataIn.Load(), OffersSent: c.offersSent.Load(), OffersResent: c.offersResent.Load(),
		OffersAbandoned: c.offersAbandoned.Load(), OffersFailed: c.offersFailed.Load(),
		AnswersDropped: c.answersDropped.Load(), Glare: c.glare.Load(), NoCodec: c.noCodec.Load(),
		BadOffers: c.badOffers.Load(), BadAnswers: c.badAnswers.Load(),
		BadCandidates: c.badCandidates.Load(), BadRTCP: c.badRTCP.Load(), CCFB: c.ccfb.Load(), EventsFull: c.eventsFull.Load(),
		Leaves: map[string]int64{}, IngressDrops: map[string]int64{}, DataOut: map[string]int64{},
		SocketDrops: r.network.Dropped(), NACKDrops: map[string]int64{},
	}
	for i := nackAnswered + 1; i < nackOutcomes; i++ {
		n := c.nack[i].Load()
		out.NACKDrops[nackOutcomeNames[i]] = n
		if i == nackSuperseded || i == nackTooSoon || i == nackTooMany {
			out.NACKSuppressed += n
		} else {
			out.NACKMissed += n
		}
	}
	for _, why := range LeaveReasons() {
		out.Leaves[why.String()] = c.leaves[why].Load()
	}
	for i, name := range dropIngressNames {
		out.IngressDrops[name] = c.ingress[i].Load()
	}
	for i := range c.data {
		out.DataOut[DataDrop(i).String()] = c.data[i].Load()
	}
	return out
}
