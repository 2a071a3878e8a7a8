package sfukit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// Stats is a snapshot of a Registry. All of it is plain values, fit for JSON.
type Stats struct {
	Rooms    []RoomStats `json:"rooms"`
	Counters Counters    `json:"counters"`
}

// RoomStats is a snapshot of a room.
type RoomStats struct {
	ID    RoomID      `json:"id"`
	Peers []PeerStats `json:"peers"`
}

// PeerStats is a snapshot of a peer.
type PeerStats struct {
	ID        PeerID `json:"id"`
	Connected bool   `json:"connected"`
	Relay     string `json:"relay,omitempty"`
	// RTT is the round trip in milliseconds, 0 if not known.
	RTT float64 `json:"rtt_ms"`
	// Estimate is the bandwidth estimate in bit/s and Term what binds it; 0 and
	// "none" while there is none. Mode says whether there is video (VideoMode).
	Estimate units.Bitrate `json:"estimate_bps"`
	Term     string        `json:"term"`
	Mode     string        `json:"mode"`
	// Published and Watched are the tracks it sends and receives.
	Published []TrackStats `json:"published"`
	Watched   []WatchStats `json:"watched"`
}

// TrackStats is a snapshot of a published track.
type TrackStats struct {
	MID       string          `json:"mid"`
	Kind      string          `json:"kind"`
	Codec     string          `json:"codec"`
	Watchers  int             `json:"watchers"`
	Encodings []EncodingStats `json:"encodings"`
}

// EncodingStats is a snapshot of one inbound stream.
type EncodingStats struct {
	RID     SfuRid        `json:"rid,omitempty"`
	Live    bool          `json:"live"`
	Width   int           `json:"width,omitempty"`
	Height  int           `json:"height,omitempty"`
	Bitrate units.Bitrate `json:"bitrate_bps"`
	// Loss is the fraction lost in the last report interval, Jitter in ms.
	Loss      float64 `json:"loss"`
	Jitter    float64 `json:"jitter_ms"`
	Packets   int64   `json:"packets"`
	Frames    int64   `json:"frames"`
	Keyframes int64   `json:"keyframes"`
	PLISent   int64   `json:"pli_sent"`
	NACKSent  int64   `json:"nack_sent"`
	// History is the memory held for retransmission, in bytes.
	History int `json:"history_bytes"`
}

// WatchStats is a snapshot of one line a peer receives on.
type WatchStats struct {
	// Explanation names the track and says why it gets what it gets.
	Explanation
	// RID and Paused are what the client was last told (LayerChange).
	RID      SfuRid `json:"rid,omitempty"`
	Paused   bool   `json:"paused"`
	Sent     int64  `json:"sent"`
	Bytes    int64  `json:"bytes"`
	Resent   int64  `json:"resent"`
	Switches int64  `json:"switches"`
	// Loss and Jitter (ms) are what the client last reported.
	Loss   float64          `json:"loss"`
	Jitter float64          `json:"jitter_ms"`
	Drops  map[string]int64 `json:"drops"`
}

// Stats returns a snapshot of every room. It costs time in proportion to the
// number of tracks watched; call it at the pace of a scrape, not of packets.
func (r *Registry) Stats() Stats {
	s := Stats{Rooms: []RoomStats{}, Counters: r.countersNow()}
	for _, room := range r.Rooms() {
		s.Rooms = append(s.Rooms, room.Stats())
	}
	slices.SortFunc(s.Rooms, func(a, b RoomStats) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return s
}

// Stats returns a snapshot of the room.
func (r *Room) Stats() RoomStats {
	s := RoomStats{ID: r.id, Peers: []PeerStats{}}
	for _, p := range r.Peers() {
		s.Peers = append(s.Peers, p.Stats())
	}
	return s
}

// Stats returns a snapshot of the peer.
func (p *Peer) Stats() PeerStats {
	now := p.registry.network.Now()
	s := PeerStats{
		ID: p.id, Connected: p.connected.Load(), Relay: p.origin.Relay(),
		RTT: milliseconds(time.Duration(p.sub.rtt.Load())), Published: []TrackStats{}, Watched: []WatchStats{},
	}
	p.sub.mu.Lock()
	s.Estimate, s.Term = p.sub.estimate.Target, p.sub.estimate.Term.String()
	s.Mode = p.sub.allocation.Mode.String()
	p.sub.mu.Unlock()
	for _, t := range p.published() {
		s.Published = append(s.Published, t.stats(now))
	}
	for _, l := range p.sub.all() {
		if w, ok := l.watchStats(now); ok {
			s.Watched = append(s.Watched, w)
		}
	}
	slices.SortFunc(s.Watched, func(a, b WatchStats) int {
		return cmp.Or(cmp.Compare(len(a.MID), len(b.MID)), strings.Compare(a.MID, b.MID))
	})
	return s
}

func (t *track) stats(now time.Time) TrackStats {
	s := TrackStats{MID: t.mid, Kind: t.kind.String(), Codec: t.format.Load().Codec.String(), Watchers: t.watchers.Len()}
	for _, e := range t.encodings {
		s.Encodings = append(s.Encodings, e.stats(now))
	}
	return s
}

func (e *encoding) stats(now time.Time) EncodingStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return EncodingStats{
		RID: e.rid, Live: e.live.Live(now), Width: e.width, Height: e.height, Bitrate: e.rate,
		Loss: e.receiver.Loss(), Jitter: milliseconds(e.receiver.Jitter()), Packets: e.packets,
		Frames: e.frames, Keyframes: e.keyCount, PLISent: e.askedPLI, NACKSent: e.askedNck,
		History: e.store.Bytes(),
	}
}

func (l *downLine) watchStats(now time.Time) (WatchStats, bool) {
	l.peer.sub.mu.Lock()
	defer l.peer.sub.mu.Unlock()
	if l.track == nil {
		return WatchStats{}, false
	}
	w := WatchStats{
		Explanation: l.explainLocked(now), RID: l.shown.RID, Paused: l.shown.Paused,
		Sent: l.stats.sent, Bytes: l.stats.bytes, Resent: l.stats.resent, Switches: l.stats.switches,
		Loss: l.stats.loss, Jitter: milliseconds(l.stats.jitter), Drops: map[string]int64{},
	}
	for _, d := range rewrite.Drops() {
		w.Drops[d.String()] = l.stats.drops[d]
	}
	return w, true
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
