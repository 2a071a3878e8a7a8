package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

// text writes metrics in the Prometheus text format 0.0.4.
type text struct{ w io.Writer }

func (t text) head(name, kind, help string) {
	fmt.Fprintf(t.w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (t text) gauge(name, help string, v float64) {
	t.head(name, "gauge", help)
	fmt.Fprintf(t.w, "%s %g\n", name, v)
}

func (t text) counter(name, help string, n int64) {
	t.head(name, "counter", help)
	fmt.Fprintf(t.w, "%s %d\n", name, n)
}

// counters writes one counter with a label of a closed set.
func (t text) counters(name, label, help string, by map[string]int64) {
	t.labelled(name, "counter", label, help, by)
}

// gauges writes one gauge with a label of a closed set.
func (t text) gauges(name, label, help string, by map[string]int64) {
	t.labelled(name, "gauge", label, help, by)
}

func (t text) labelled(name, kind, label, help string, by map[string]int64) {
	t.head(name, kind, help)
	for _, value := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(t.w, "%s{%s=%q} %d\n", name, label, value, by[value])
	}
}

func (s *server) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	s.writeMetrics(text{&b})
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, b.String())
}

func (s *server) writeMetrics(t text) {
	t.signalling(s)
	t.media(s)
}

func (t text) signalling(s *server) {
	sig := s.stats.Snapshot()
	t.gauge("sfu_client_ws_active_sessions", "Sessions that have not ended.", float64(sig.Active))
	t.counter("sfu_client_ws_sessions_started_total", "Sessions begun.", sig.Started)
	t.counter("sfu_client_ws_rejected_total", "Requests that did not become WebSockets.", sig.Rejected)
	t.counter("sfu_client_ws_frames_received_total", "Text messages received.", sig.FramesIn)
	t.counter("sfu_client_ws_frames_sent_total", "Text messages sent.", sig.FramesOut)
	t.counter("sfu_client_ws_wrong_frames_total", "Frames answered with an error.", sig.Wrong)
	t.counter("sfu_client_ws_unknown_frames_total", "Frames of unknown name, ignored.", sig.Unknown)
	t.counter("sfu_client_ws_glare_total", "Client offers ignored because ours was outstanding.", sig.Glare)
	t.counters("sfu_client_ws_offer_processed_total", "outcome", "First frames by what became of them.", sig.Offers)
	t.counters("sfu_client_ws_session_ended_total", "close_code", "Sessions ended, by close code.", sig.Ends)
}

func (t text) media(s *server) {
	stats := s.registry.Stats()
	c := stats.Counters
	var peers, published, watched, paused int
	terms, modes, bindings := labels(bwe.TermMax), labels(sfukit.ModeSuspended), labels(sfukit.ReasonPriority)
	for _, room := range stats.Rooms {
		peers += len(room.Peers)
		for _, p := range room.Peers {
			terms[p.Term]++
			modes[p.Mode]++
			published += len(p.Published)
			watched += len(p.Watched)
			for _, w := range p.Watched {
				bindings[w.Binding]++
				if w.Paused {
					paused++
				}
			}
		}
	}
	t.gauge("sfu_active_rooms", "Rooms with a peer.", float64(len(stats.Rooms)))
	t.gauge("sfu_active_participants", "Peers in all rooms.", float64(peers))
	t.gauge("sfu_tracks_published", "Tracks that publishers send.", float64(published))
	t.gauge("sfu_tracks_watched", "Lines on which subscribers receive a track.", float64(watched))
	t.gauge("sfu_tracks_paused", "Watched lines on which nothing is being sent.", float64(paused))
	t.gauges("sfu_tracks_bound", "binding", "Watched lines by what keeps them from more; start where nothing does.", bindings)
	t.gauges("sfu_participants_by_estimate_term", "term", "Peers by what binds their bandwidth estimate.", terms)
	t.gauges("sfu_participants_by_video_mode", "mode", "Peers by whether there is bandwidth for video.", modes)
	t.counter("sfu_client_connect_total", "Peers that joined.", c.Joins)
	t.counters("sfu_client_disconnect_total", "reason", "Peers that left.", c.Leaves)
	t.counter("sfu_admission_rejected_total", "Joins refused because the room was full.", c.RoomFull)
	t.counter("sfu_dominant_speaker_changes_total", "Elections with a new winner.", c.SpeakerChanges)
	t.counter("sfu_received_packets_total", "RTP packets taken from publishers.", c.PacketsIn)
	t.counter("sfu_received_bytes_total", "Bytes of RTP taken from publishers.", c.BytesIn)
	t.counter("sfu_forwarded_packets_total", "RTP packets sent to subscribers, repairs excluded.", c.PacketsOut)
	t.counter("sfu_forwarded_bytes_total", "Bytes of RTP sent to subscribers, repairs excluded.", c.BytesOut)
	t.counter("sfu_write_errors_total", "Packets the transport refused.", c.WriteErrors)
	t.counters("sfu_ingress_dropped_total", "reason", "Inbound packets that went no further.", c.IngressDrops)
	t.counters("sfu_udp_dropped_total", "reason", "Datagrams the socket did not send.", c.SocketDrops)
	t.counter("sfu_resent_packets_total", "Packets sent again to subscribers.", c.Resent)
	t.counter("sfu_repaired_packets_total", "Packets that publishers sent again.", c.Repaired)
	t.counter("sfu_recovered_packets_total", "Of these, those taken from the redundancy of the next packet.", c.Recovered)
	t.counter("sfu_padding_bytes_total", "Bytes sent to probe links for want of media.", c.Padding)
	t.counter("sfu_shaper_dropped_total", "Packets that would have waited too long in the shaper.", c.ShaperDrops)
	t.counter("sfu_congestion_reports_total", "Feedback by RFC 8888 that was taken.", c.CCFB)
	t.counter("sfu_nack_sent_total", "Sequence numbers asked of publishers.", c.NACKSent)
	t.counter("sfu_nack_gave_up_total", "Of these, those that never came.", c.NACKGaveUp)
	t.counter("sfu_nack_received_total", "Sequence numbers subscribers asked for.", c.NACKReceived)
	t.counter("sfu_nack_missed_total", "Of these, those that could not be answered.", c.NACKMissed)
	t.counter("sfu_nack_suppressed_total", "And those that had just been answered, or were too many.", c.NACKSuppressed)
	t.counter("sfu_pli_sent_total", "Keyframe requests to publishers.", c.PLISent)
	t.counter("sfu_pli_received_total", "Keyframe requests of subscribers.", c.PLIReceived)
	t.counters("sfu_data_messages_total", "outcome", "Data channel messages to peers.", c.DataOut)
	t.counter("sfu_renegotiation_offers_sent_total", "Offers to subscribers.", c.OffersSent)
	t.counter("sfu_renegotiation_offers_resent_total", "Offers repeated for want of an answer.", c.OffersResent)
}

// labels returns a count of 0 for every value of a closed set, from its zero value
// to last.
func labels[T interface {
	~uint8
	fmt.Stringer
}](last T) map[string]int64 {
	by := make(map[string]int64, last+1)
	for v := range last + 1 {
		by[v.String()] = 0
	}
	return by
}
