package sfukit

import (
	"sync/atomic"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/udpsock"
)

// counters are the totals of a Registry since it began.
type counters struct {
	joins, roomFull, speakers                                 atomic.Int64
	leaves                                                    [LeaveFailed + 1]atomic.Int64
	packetsIn, bytesIn, packetsOut, bytesOut, writeErrors     atomic.Int64
	ingress                                                   [dropReasons]atomic.Int64
	repaired, probes, resent                                  atomic.Int64
	nackSent, nackReceived, nackMissed, nackSuppressed        atomic.Int64
	pliSent, pliReceived                                      atomic.Int64
	dataIn                                                    atomic.Int64
	data                                                      [dataDropReasons]atomic.Int64
	offersSent, offersResent, offersAbandoned                 atomic.Int64
	offersFailed, answersDropped, glare, noCodec              atomic.Int64
	badOffers, badAnswers, badCandidates, badRTCP, eventsFull atomic.Int64
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
	// BytesOut first transmissions to subscribers. WriteErrors counts packets the
	// transport refused.
	PacketsIn   int64 `json:"packets_in"`
	BytesIn     int64 `json:"bytes_in"`
	PacketsOut  int64 `json:"packets_out"`
	BytesOut    int64 `json:"bytes_out"`
	WriteErrors int64 `json:"write_errors"`
	// IngressDrops counts inbound packets that went no further, by reason.
	IngressDrops map[string]int64 `json:"ingress_drops"`
	// SocketDrops counts datagrams the socket did not send, by reason.
	SocketDrops map[string]int64 `json:"socket_drops"`
	// Repaired counts packets publishers sent again that were missing, Probes those
	// that were not: bandwidth probes. Resent counts those we sent again.
	Repaired int64 `json:"repaired"`
	Probes   int64 `json:"probes"`
	Resent   int64 `json:"resent"`
	// NACKs are counted in sequence numbers asked for. Missed ones could not be
	// answered, suppressed ones had just been.
	NACKSent       int64 `json:"nack_sent"`
	NACKReceived   int64 `json:"nack_received"`
	NACKMissed     int64 `json:"nack_missed"`
	NACKSuppressed int64 `json:"nack_suppressed"`
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
		Repaired: c.repaired.Load(), Probes: c.probes.Load(), Resent: c.resent.Load(),
		NACKSent: c.nackSent.Load(), NACKReceived: c.nackReceived.Load(),
		NACKMissed: c.nackMissed.Load(), NACKSuppressed: c.nackSuppressed.Load(),
		PLISent: c.pliSent.Load(), PLIReceived: c.pliReceived.Load(),
		DataIn: c.dataIn.Load(), OffersSent: c.offersSent.Load(), OffersResent: c.offersResent.Load(),
		OffersAbandoned: c.offersAbandoned.Load(), OffersFailed: c.offersFailed.Load(),
		AnswersDropped: c.answersDropped.Load(), Glare: c.glare.Load(), NoCodec: c.noCodec.Load(),
		BadOffers: c.badOffers.Load(), BadAnswers: c.badAnswers.Load(),
		BadCandidates: c.badCandidates.Load(), BadRTCP: c.badRTCP.Load(), EventsFull: c.eventsFull.Load(),
		Leaves: map[string]int64{}, IngressDrops: map[string]int64{}, DataOut: map[string]int64{},
		SocketDrops: map[string]int64{},
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
	for i, n := range r.stack.Socket().Stats().Dropped {
		if reason := udpsock.Drop(i); i > 0 {
			out.SocketDrops[reason.String()] = int64(n)
		}
	}
	return out
}
