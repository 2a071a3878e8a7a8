package signal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/edge/signal"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

func TestSessionHandshake(t *testing.T) {
	rooms := newFakeRooms()
	rooms.publishers = []sfukit.PeerID{4, 7, 9} // 7 is this client's own former self
	s := begin(t, rooms, signal.Session{ICEServers: []signal.ICEServer{{URLs: []string{"stun:x"}}}})
	s.send(signal.Offer{SDP: "o1", Features: []string{"slots"}})
	s.want(
		signal.Answer{SDP: "answer to o1"},
		signal.Welcome{PeerID: 7, Room: "den", ICEServers: []signal.ICEServer{{URLs: []string{"stun:x"}}}},
		signal.TracksMap{Tracks: []signal.PeerStream{{StreamID: "peer-4", PeerID: 4}, {StreamID: "peer-9", PeerID: 9}}},
	)
	p := <-rooms.joined
	if j := p.join; j.Room != "den" || j.ID != 7 || j.Offer != "o1" || !j.Slots {
		t.Errorf("joined as %+v", j)
	}
	s.send(signal.Leave{})
	s.wantEnd(signal.CloseNormal, signal.ReasonSessionEnded)
	if got := s.stats.Snapshot(); got.Started != 1 || got.Offers["ok"] != 1 {
		t.Errorf("stats %+v", got)
	}
}

func TestSessionWithoutSlots(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	s.send(signal.Offer{SDP: "o1", Features: []string{"hats"}})
	s.want(signal.Answer{SDP: "answer to o1"})
	if p := <-s.rooms.joined; p.join.Slots {
		t.Error("slots for a client that did not ask for them")
	}
}

func TestSessionFirstFrame(t *testing.T) {
	for _, tc := range []struct {
		name    string
		send    signal.ClientFrame
		joinErr error
		before  signal.ServerFrame
		code    signal.CloseCode
		reason  string
		outcome signal.OfferOutcome
	}{
		{"silence", nil, nil, nil, signal.CloseBadOffer, signal.ReasonOfferTimeout, signal.OfferTimeout},
		{"another frame", signal.Leave{}, nil, nil, signal.CloseBadOffer, signal.ReasonBadOffer, signal.OfferMalformed},
		{"wrong shape", signal.Offer{}, nil, nil, signal.CloseBadOffer, signal.ReasonBadOffer, signal.OfferMalformed},
		{
			"refused",
			signal.Offer{SDP: "o"},
			fmt.Errorf("no mid: %w", sfukit.ErrBadOffer), nil,
			signal.CloseBadOffer, signal.ReasonBadSDP, signal.OfferRefused,
		},
		{
			"room full",
			signal.Offer{SDP: "o"},
			sfukit.ErrRoomFull,
			signal.Error{Code: signal.ErrorRoomFull, Message: "the room is full", Retryable: true},
			signal.CloseOverloaded, signal.ReasonRoomFull, signal.OfferRoomFull,
		},
		{
			"shutdown",
			signal.Offer{SDP: "o"},
			sfukit.ErrRegistryClosed,
			signal.GoAway{Reason: "shutdown"},
			signal.CloseGoingAway, signal.ReasonShutdown, signal.OfferShutdown,
		},
		{
			"failure",
			signal.Offer{SDP: "o"},
			errors.New("out of sockets"), nil,
			signal.CloseInternal, signal.ReasonInternal, signal.OfferFailed,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := signal.Session{OfferTimeout: 10 * time.Second}
			if tc.send == nil {
				cfg.OfferTimeout = 10 * time.Millisecond
			}
			rooms := newFakeRooms()
			rooms.err = tc.joinErr
			s := begin(t, rooms, cfg)
			if tc.send != nil {
				s.send(tc.send)
			}
			if tc.before != nil {
				s.want(tc.before)
			}
			s.wantEnd(tc.code, tc.reason)
			if n := s.stats.Snapshot().Offers[tc.outcome.String()]; n != 1 {
				t.Errorf("outcome %s counted %d times, want 1", tc.outcome, n)
			}
		})
	}
}

func TestSessionResumeFallsBackToOffer(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	s.send(signal.Resume{Token: "t"})
	if f, ok := s.read().(signal.Error); !ok || f.Code != signal.ErrorNoResume {
		t.Fatalf("got %#v, want the error no_resume", f)
	}
	s.join()
}

// Nothing of the peer's events may overtake the answer, however early it comes.
func TestSessionAnswerFirst(t *testing.T) {
	rooms := newFakeRooms()
	rooms.early = func(e sfukit.PeerEvents) {
		e.PeerJoined(4)
		e.Offer(sfukit.Offer{ID: 1, SDP: "s1", MID: "2"})
		e.Tracks([]sfukit.TrackInfo{{MID: "2", Peer: 4, Kind: sfukit.KindVideo, StreamID: "peer-4", SourceMID: "1"}})
	}
	s := begin(t, rooms, signal.Session{})
	s.join()
	s.want(
		signal.PeerJoined{PeerID: 4},
		signal.OfferRenegotiate{SDP: "s1", MID: "2", ID: 1},
		signal.TracksMapUpdate{Tracks: []signal.Track{{MID: "2", PeerID: 4, Kind: "video", StreamID: "peer-4", SourceMID: "1"}}},
	)
}

func TestSessionEvents(t *testing.T) {
	four, zero, two := uint64(4), 0, 2
	line, mid := uint16(0), "0"
	s := begin(t, newFakeRooms(), signal.Session{})
	p := s.join()
	p.events <- func(e sfukit.PeerEvents) {
		e.Offer(sfukit.Offer{ID: 3, SDP: "s3"})
		e.Tracks(nil)
		e.TracksRemoved([]string{"2"})
		e.Candidate(&sfukit.ICECandidate{Candidate: "c", SDPMid: &mid, SDPMLineIndex: &line})
		e.Candidate(nil)
		e.PeerLeft(4, sfukit.LeaveICEFailed)
		e.Speaker(sfukit.SpeakerChange{Peer: 4, Confidence: 2.5, Top: []sfukit.PeerID{4, 9}})
		e.Speaker(sfukit.SpeakerChange{None: true})
		e.Layer(sfukit.LayerChange{MID: "2", RID: "h", Temporal: 2, Reason: sfukit.ReasonBandwidth, Budget: 600_000})
		e.Layer(sfukit.LayerChange{MID: "2", Paused: true, Reason: sfukit.ReasonPriority})
		e.Mode(sfukit.ModeChange{Mode: sfukit.ModeAudioOnly, Budget: 64_000})
		e.PublishLayers(sfukit.PublishLayers{MID: "1", RIDs: []sfukit.SfuRid{"q", "h"}})
	}
	s.want(
		signal.OfferRenegotiate{SDP: "s3", ID: 3},
		signal.TracksMapUpdate{Tracks: []signal.Track{}},
		signal.TracksRemoved{MIDs: []string{"2"}},
		signal.ICE{Candidate: &signal.Candidate{Candidate: "c", SDPMid: "0", SDPMLineIndex: &line}},
		signal.ICE{},
		signal.PeerLeft{PeerID: 4, Reason: "ice_failed"},
		signal.Speaker{PeerID: &four, Confidence: 2.5, Top: []uint64{4, 9}},
		signal.Speaker{Top: []uint64{}},
		signal.Layer{MID: "2", RID: "h", Spatial: &zero, Temporal: &two, Reason: "bandwidth", BudgetBPS: 600_000},
		signal.Layer{MID: "2", Paused: true, Reason: "priority"},
		signal.VideoMode{Mode: "audio_only", BudgetBPS: 64_000},
		signal.PublishLayers{MID: "1", RIDs: []string{"q", "h"}},
	)
}

func TestSessionCalls(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	p := s.join()
	for _, f := range []signal.ClientFrame{
		signal.Offer{SDP: "o2"},
		signal.AnswerRenegotiate{SDP: "a", ID: 5},
		signal.ICE{Candidate: &signal.Candidate{Candidate: "c", SDPMid: "0"}},
		signal.ICE{Candidate: &signal.Candidate{}},
		signal.ICE{},
		signal.SetLayer{MID: "2", MaxRID: "q", MaxWidth: 320, Priority: 1, Paused: true},
		signal.ClientStats{},
		signal.BWEHint{From: "a", Timestamp: 1, BPS: 1 << 63},
		signal.BWEHint{From: "a", Timestamp: 1, BPS: 5}, // within 100 ms: dropped
	} {
		s.send(f)
	}
	for _, want := range []string{"offer o2", "answer a 5", "ice c 0", "ice end", "ice end", "layer 2 q 320 1 true", "hint 9223372036854775807"} {
		if got := <-p.calls; got != want {
			t.Errorf("call %q, want %q", got, want)
		}
	}
	s.want(signal.Answer{SDP: "answer to o2"})
	s.send(signal.Leave{})
	s.wantEnd(signal.CloseNormal, signal.ReasonSessionEnded)
	if got := s.stats.Snapshot(); got.Throttled != 1 || got.Wrong != 0 {
		t.Errorf("throttled %d, wrong %d, want 1 and 0", got.Throttled, got.Wrong)
	}
}

func TestSessionMistakes(t *testing.T) {
	for _, tc := range []struct {
		name string
		send signal.ClientFrame
		err  error
		want signal.ErrorCode // "" for no frame
	}{
		{"shape", signal.Offer{}, nil, signal.ErrorBadFrame},
		{"rid", signal.SetLayer{MID: "2", MaxRID: "Ü"}, nil, signal.ErrorBadFrame},
		{"late resume", signal.Resume{Token: "t"}, nil, signal.ErrorUnexpected},
		{"offer", signal.Offer{SDP: "o"}, sfukit.ErrBadOffer, signal.ErrorBadOffer},
		{"glare", signal.Offer{SDP: "o"}, sfukit.ErrGlare, ""},
		{"answer", signal.AnswerRenegotiate{SDP: "a"}, sfukit.ErrBadAnswer, signal.ErrorBadAnswer},
		{"candidate", signal.ICE{Candidate: &signal.Candidate{Candidate: "c"}}, sfukit.ErrBadCandidate, signal.ErrorBadCandidate},
		{"track", signal.SetLayer{MID: "2"}, sfukit.ErrNoTrack, signal.ErrorNoTrack},
		{"gone", signal.SetLayer{MID: "2"}, sfukit.ErrPeerClosed, ""},
		{"failure", signal.SetLayer{MID: "2"}, errors.New("no memory"), signal.ErrorInternal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := begin(t, newFakeRooms(), signal.Session{})
			p := s.join()
			p.fail(tc.err)
			s.send(tc.send)
			if tc.want != "" {
				f, ok := s.read().(signal.Error)
				if !ok || f.Code != tc.want || f.Message == "" {
					t.Fatalf("got %#v, want an error %s", f, tc.want)
				}
			}
			s.send(signal.Leave{})
			s.wantEnd(signal.CloseNormal, signal.ReasonSessionEnded)
		})
	}
}

func TestSessionTooManyMistakes(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	s.join()
	for range 21 {
		s.send(signal.Offer{}) // an empty sdp
	}
	for range 21 {
		if f, ok := s.read().(signal.Error); !ok || f.Code != signal.ErrorBadFrame {
			t.Fatalf("got %#v, want an error", f)
		}
	}
	s.wantEnd(signal.CloseTooSlow, signal.ReasonTooManyMistakes)
}

func TestSessionPeerEnds(t *testing.T) {
	for _, tc := range []struct {
		why    sfukit.LeaveReason
		before signal.ServerFrame
		code   signal.CloseCode
		reason string
	}{
		{sfukit.LeaveReplaced, nil, signal.CloseReplaced, signal.ReasonReplaced},
		{sfukit.LeaveRemoteClosed, nil, signal.CloseNormal, signal.ReasonSessionEnded},
		{sfukit.LeaveClosed, nil, signal.CloseNormal, signal.ReasonSessionEnded},
		{sfukit.LeaveSlow, nil, signal.CloseTooSlow, signal.ReasonSlow},
		{
			sfukit.LeaveICEFailed,
			signal.Error{Code: signal.ErrorMediaLost, Message: "no media path: ice_failed", Retryable: true},
			signal.CloseGoingAway, signal.ReasonMediaLost,
		},
		{sfukit.LeaveShutdown, signal.GoAway{Reason: "shutdown"}, signal.CloseGoingAway, signal.ReasonShutdown},
	} {
		t.Run(tc.why.String(), func(t *testing.T) {
			s := begin(t, newFakeRooms(), signal.Session{})
			s.join().leave(tc.why)
			if tc.before != nil {
				s.want(tc.before)
			}
			s.wantEnd(tc.code, tc.reason)
		})
	}
}

func TestSessionServerGoesAway(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	p := s.join()
	s.stop()
	s.want(signal.GoAway{Reason: "shutdown"})
	s.wantEnd(signal.CloseGoingAway, signal.ReasonShutdown)
	p.wantClosed(t)
}

func TestSessionServerGoesAwayBeforeOffer(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	s.stop()
	s.want(signal.GoAway{Reason: "shutdown"})
	s.wantEnd(signal.CloseGoingAway, signal.ReasonShutdown)
	if n := s.stats.Snapshot().Offers["shutdown"]; n != 1 {
		t.Errorf("outcome shutdown counted %d times, want 1", n)
	}
}

func TestSessionClientGone(t *testing.T) {
	s := begin(t, newFakeRooms(), signal.Session{})
	p := s.join()
	s.client.Close(signal.CloseGoingAway, "tab closed")
	if got := s.end(); got != (signal.CloseStatus{Code: signal.CloseGoingAway, Reason: "tab closed", Remote: true}) {
		t.Errorf("Serve returned %+v", got)
	}
	p.wantClosed(t)
}
