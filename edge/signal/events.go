package signal

import (
	"math"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// events turns what happens to the peer into frames. They flow from Peer.Start
// on, when the answer is queued. An offer and its tracks come from the kit in
// order, one after the other, and leave so.
func (r *running) events() sfukit.PeerEvents {
	push := func(f ServerFrame) { r.send(f) }
	return sfukit.PeerEvents{
		Offer:         func(o sfukit.Offer) { push(OfferRenegotiate{o.SDP, o.MID, o.ID}) },
		Tracks:        func(tracks []sfukit.TrackInfo) { push(tracksFrame(tracks)) },
		TracksRemoved: func(mids []string) { push(TracksRemoved{mids}) },
		Candidate:     func(c *sfukit.ICECandidate) { push(candidateFrame(c)) },
		PeerJoined:    func(id sfukit.PeerID) { push(PeerJoined{uint64(id)}) },
		PeerLeft:      func(id sfukit.PeerID, why sfukit.LeaveReason) { push(PeerLeft{uint64(id), why.String()}) },
		Speaker:       func(s sfukit.SpeakerChange) { push(speakerFrame(s)) },
		Layer:         func(l sfukit.LayerChange) { push(layerFrame(l)) },
		Mode:          func(m sfukit.ModeChange) { push(VideoMode{m.Mode.String(), int64(m.Budget)}) },
		PublishLayers: func(l sfukit.PublishLayers) { push(publishFrame(l)) },
		Closed:        r.peerClosed,
	}
}

// peerClosed ends the connection of a peer that left by itself. It must not
// wait: Serve may be waiting for the peer.
func (r *running) peerClosed(why sfukit.LeaveReason) {
	switch why {
	case sfukit.LeaveReplaced:
		r.end(CloseReplaced, ReasonReplaced)
	case sfukit.LeaveSlow, sfukit.LeaveMisbehaved:
		r.end(CloseTooSlow, ReasonSlow)
	case sfukit.LeaveFailed:
		r.end(CloseInternal, ReasonInternal)
	case sfukit.LeaveShutdown:
		r.goAway()
	case sfukit.LeaveICEFailed, sfukit.LeaveDTLSFailed:
		r.send(Error{ErrorMediaLost, "no media path: " + why.String(), true})
		r.end(CloseGoingAway, ReasonMediaLost)
	default:
		r.end(CloseNormal, ReasonSessionEnded)
	}
}

func tracksFrame(tracks []sfukit.TrackInfo) TracksMapUpdate {
	u := TracksMapUpdate{Tracks: make([]Track, 0, len(tracks))}
	for _, t := range tracks {
		u.Tracks = append(u.Tracks, Track{t.MID, uint64(t.Peer), t.Kind.String(), t.StreamID, t.SourceMID})
	}
	return u
}

func speakerFrame(s sfukit.SpeakerChange) Speaker {
	f := Speaker{Top: make([]uint64, 0, len(s.Top))}
	if !s.None {
		id := uint64(s.Peer)
		f.PeerID = &id
	}
	if !math.IsNaN(s.Confidence) && !math.IsInf(s.Confidence, 0) { // JSON has neither
		f.Confidence = s.Confidence
	}
	for _, id := range s.Top {
		f.Top = append(f.Top, uint64(id))
	}
	return f
}

func layerFrame(l sfukit.LayerChange) Layer {
	f := Layer{MID: l.MID, RID: string(l.RID), Paused: l.Paused, Reason: l.Reason.String(), BudgetBPS: int64(l.Budget)}
	if !l.Paused {
		spatial, temporal := int(l.Spatial), int(l.Temporal)
		f.Spatial, f.Temporal = &spatial, &temporal
	}
	return f
}

func publishFrame(l sfukit.PublishLayers) PublishLayers {
	f := PublishLayers{MID: l.MID, RIDs: make([]string, 0, len(l.RIDs))}
	for _, rid := range l.RIDs {
		f.RIDs = append(f.RIDs, string(rid))
	}
	return f
}
