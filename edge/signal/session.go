package signal

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

const (
	defaultOfferTimeout = 30 * time.Second
	// A client may be wrong wrongBurst times at once and wrongRate times a second
	// for ever, enough for an honest bug and too little to be worth an attack.
	wrongRate, wrongBurst = 0.5, 20
	// hintInterval is the least time between two bandwidth hints that count
	// (version 1).
	hintInterval = 100 * time.Millisecond
)

// Session describes one client's stay in a room. The caller has decided who the
// client is and that it may enter. Rooms, Room and Peer must be set.
type Session struct {
	// Rooms is where to join.
	Rooms Rooms
	// Room is the room.
	Room sfukit.RoomID
	// Peer is who the client is in it.
	Peer sfukit.PeerID
	// ICEServers is passed on in Welcome; nil for none.
	ICEServers []ICEServer
	// OfferTimeout is how long the first frame may take. 0 means 30 s.
	OfferTimeout time.Duration
	// Logger receives what is worth telling an operator. Nil means silence.
	Logger *slog.Logger
}

// Serve runs the session on c until either side ends it, and returns how. Then
// the peer has left, c is closed, and nothing of the session runs any more.
// When ctx ends the client gets a GoAway and CloseGoingAway. Serve calls
// c.Read, so nobody else may.
func (s Session) Serve(ctx context.Context, c *Conn) CloseStatus {
	if s.OfferTimeout == 0 {
		s.OfferTimeout = defaultOfferTimeout
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	r := &running{
		Session: s,
		conn:    c,
		stats:   c.s.opts.Stats,
		log:     s.Logger.With("room", string(s.Room), "peer", uint64(s.Peer)),
		wrong:   newBucket(time.Now(), wrongRate, wrongBurst),
	}
	r.stats.started.Add(1)
	r.stats.active.Add(1)
	stop := context.AfterFunc(ctx, r.goAway)
	r.serve(ctx)
	stop()
	c.Close(CloseNormal, ReasonSessionEnded)
	end := c.Status()
	r.stats.active.Add(-1)
	r.stats.ended(end.Code)
	r.log.Info("session ended", "code", int(end.Code), "remote", end.Remote)
	return end
}

// running is a Session being served. Its methods run on the goroutine of Serve,
// except those of events.go, which run on the peer's.
type running struct {
	Session
	conn  *Conn
	stats *Stats
	log   *slog.Logger
	peer  Peer // set once, before it is started

	wrong    bucket
	lastHint time.Time

	going atomic.Bool // goAway was called
}

func (r *running) serve(ctx context.Context) {
	offer, outcome := r.firstOffer()
	if outcome == OfferOK {
		outcome = r.join(ctx, offer)
	}
	r.stats.offers[outcome].Add(1)
	if outcome != OfferOK {
		r.log.Info("no session", "outcome", outcome.String())
		return
	}
	for {
		frame, err := r.conn.Read(context.Background())
		if err == nil {
			r.handle(ctx, frame)
			continue
		}
		if fe, ok := errors.AsType[*FrameError](err); ok {
			r.mistake(ErrorBadFrame, fe)
			continue
		}
		break
	}
	// The connection is gone or going, and the peer goes with it, whatever the
	// status: this is the place where a grace period would tell 1006 from 1000.
	r.peer.Close()
}

// firstOffer reads until the offer that starts the session. If there is none
// the connection is closing afterwards.
func (r *running) firstOffer() (Offer, OfferOutcome) {
	timer := time.AfterFunc(r.OfferTimeout, func() { r.end(CloseBadOffer, ReasonOfferTimeout) })
	defer timer.Stop()
	for {
		frame, err := r.conn.Read(context.Background())
		if errors.Is(err, ErrClosed) {
			switch r.conn.Status() {
			case CloseStatus{Code: CloseBadOffer, Reason: ReasonOfferTimeout}:
				return Offer{}, OfferTimeout
			case CloseStatus{Code: CloseGoingAway, Reason: ReasonShutdown}:
				return Offer{}, OfferShutdown
			}
			return Offer{}, OfferGone
		}
		switch f := frame.(type) {
		case Offer:
			return f, OfferOK
		case Resume: // no session is kept for anyone yet, so no token is known
			r.send(Error{ErrorNoResume, "this session cannot be resumed, offer instead", true})
			continue
		}
		r.end(CloseBadOffer, ReasonBadOffer)
		return Offer{}, OfferMalformed
	}
}

// join enters the room and greets the client.
func (r *running) join(ctx context.Context, offer Offer) OfferOutcome {
	peer, answer, err := r.Rooms.Join(ctx, sfukit.Join{
		Room: r.Room, ID: r.Peer, Offer: offer.SDP, Slots: offer.Has(FeatureSlots), Events: r.events(),
	})
	if err != nil {
		return r.refused(err)
	}
	r.peer = peer
	r.send(Answer{answer})
	r.send(Welcome{PeerID: uint64(r.Peer), Room: string(r.Room), ICEServers: r.ICEServers})
	r.send(r.tracksMap())
	peer.Start()
	return OfferOK
}

func (r *running) tracksMap() TracksMap {
	m := TracksMap{Tracks: []PeerStream{}}
	for _, id := range r.Rooms.Publishers(r.Room) {
		if id != r.Peer {
			m.Tracks = append(m.Tracks, PeerStream{id.StreamID(), uint64(id)})
		}
	}
	return m
}

// refused tells the client why it could not join.
func (r *running) refused(err error) OfferOutcome {
	switch {
	case errors.Is(err, sfukit.ErrBadOffer):
		r.log.Info("offer refused", "err", err)
		r.end(CloseBadOffer, ReasonBadSDP)
		return OfferRefused
	case errors.Is(err, sfukit.ErrRoomFull):
		r.send(Error{ErrorRoomFull, "the room is full", true})
		r.end(CloseOverloaded, ReasonRoomFull)
		return OfferRoomFull
	case errors.Is(err, sfukit.ErrRegistryClosed), r.going.Load():
		r.goAway()
		return OfferShutdown
	}
	r.log.Error("join failed", "err", err)
	r.end(CloseInternal, ReasonInternal)
	return OfferFailed
}

// send queues a frame. An error needs no handling: either the connection is
// closing, which Read reports, or it now is.
func (r *running) send(f ServerFrame) {
	if err := r.conn.Send(f); err != nil && !errors.Is(err, ErrClosed) {
		r.log.Warn("frame not sent", "err", err)
	}
}

// end starts closing the connection, without waiting.
func (r *running) end(code CloseCode, reason string) {
	r.conn.s.begin(CloseStatus{Code: code, Reason: reason}, true)
}

// goAway announces the end and closes. It may be called from any goroutine.
func (r *running) goAway() {
	if !r.going.Swap(true) {
		r.send(GoAway{Reason: "shutdown"})
		r.end(CloseGoingAway, ReasonShutdown)
	}
}
