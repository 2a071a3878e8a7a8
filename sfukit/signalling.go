package sfukit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/negotiate"
)

// run delivers the peer's events, and negotiates whenever the peer watches
// something its client does not know of yet. It ends after the last event.
func (p *Peer) run() {
	defer close(p.ran)
	for {
		deadline, last := p.turn(p.registry.network.Now())
		if last {
			return
		}
		p.mail.wait(deadline)
	}
}

// turn delivers what waits and negotiates. It returns when it is due again
// without being woken, zero for never, and whether that was the last event.
func (p *Peer) turn(now time.Time) (deadline time.Time, last bool) {
	events, last := p.mail.take()
	for _, event := range events {
		event()
	}
	if last {
		return time.Time{}, true
	}
	tell, deadline := p.negotiate(now)
	for _, event := range tell {
		event()
	}
	return deadline, false
}

// negotiate brings the lines in step with what the peer should watch and does
// what the negotiation machine asks for. It returns what the client must be
// told, in order, and when to be called again.
func (p *Peer) negotiate(now time.Time) (tell []func(), deadline time.Time) {
	p.signal.Lock()
	defer p.signal.Unlock()
	if p.gone {
		return nil, time.Time{}
	}
	tell = p.syncLinesLocked()
	action, id := p.machine.Next(now)
	switch action {
	case negotiate.ActionOffer:
		text, mid, err := p.conn.Offer()
		if err != nil && p.wedgedLocked(err) {
			break
		}
		if err != nil {
			p.log.Error("cannot make an offer", "error", err)
			p.registry.counters.offersFailed.Add(1)
			p.machine.Failed(now)
			break
		}
		p.registry.counters.offersSent.Add(1)
		for _, l := range p.lines {
			l.offered = l.watched != nil
		}
		tell = append(tell, p.tellOffer(Offer{ID: id, SDP: text, MID: mid}), p.tellTracks(p.announceLocked()))
	case negotiate.ActionResend:
		p.registry.counters.offersResent.Add(1)
		text, mid := p.conn.PendingOffer()
		tell = append(tell, p.tellOffer(Offer{ID: id, SDP: text, MID: mid}), p.tellTracks(nil))
	case negotiate.ActionAbandon:
		p.registry.counters.offersAbandoned.Add(1)
		if err := p.conn.Abandon(); err != nil {
			p.wedgedLocked(err)
			break
		}
		p.machine.Abandoned(now)
		for _, l := range p.lines {
			if l.line.Params() == nil {
				l.announced = false // the next offer announces it again
			}
		}
		p.mail.wakeUp()
	}
	if due, ok := p.machine.Deadline(); ok {
		deadline = due
	}
	return tell, deadline
}

// syncLinesLocked frees the lines of tracks that went, gives lines to tracks
// that came, and starts lines that the client has accepted.
func (p *Peer) syncLinesLocked() (tell []func()) {
	wished := p.sub.wished()
	want := make(map[*track]bool, len(wished))
	for _, t := range wished {
		want[t] = true
	}
	maps.DeleteFunc(p.refused, func(t *track, _ bool) bool { return !want[t] })
	var removed []string
	for _, l := range p.lines {
		t := l.watched
		if t == nil {
			continue
		}
		if want[t] && sameFormat(l.line.Format(), *t.format.Load()) {
			delete(want, t)
			l.start()
			continue
		}
		if l.announced {
			removed = append(removed, l.line.MID())
		}
		l.detach()
		if !p.slots {
			l.line.SetActive(false)
			p.machine.Need()
		}
	}
	if len(removed) > 0 {
		if f := p.events.TracksRemoved; f != nil {
			tell = append(tell, func() { f(removed) })
		}
	}
	reused := false
	for _, t := range wished {
		if want[t] && p.giveLineLocked(t) {
			reused = true
		}
	}
	if reused && p.slots {
		if infos := p.announceReadyLocked(); len(infos) > 0 {
			tell = append(tell, p.tellTracks(infos))
		}
	}
	return tell
}

// giveLineLocked finds a line for a track: a free one of the same codec, or a
// new one. It reports whether one was reused. While an offer is outstanding
// there can be no new line; the track waits for the next turn.
func (p *Peer) giveLineLocked(t *track) (reused bool) {
	format := *t.format.Load()
	for _, l := range p.lines {
		if l.watched != nil || !sameFormat(l.line.Format(), format) || l.line.Params() == nil {
			continue
		}
		l.line.Name(t.owner.id.StreamID(), trackName(t))
		l.line.SetActive(true)
		l.attach(t, p.slots)
		if !p.slots {
			p.machine.Need()
		}
		return true
	}
	if p.machine.State() == negotiate.Offering {
		return false
	}
	l := &downLine{peer: p}
	line, err := p.conn.AddLine(format, t.owner.id.StreamID(), trackName(t))
	switch {
	case errors.Is(err, transport.ErrNoCodec):
		if !p.refused[t] {
			p.refused[t] = true
			p.registry.counters.noCodec.Add(1)
		}
		return false
	case err != nil:
		p.wedgedLocked(err)
		return false
	}
	l.line = line
	p.lines = append(p.lines, l)
	l.attach(t, false)
	p.machine.Need()
	return false
}

// trackName is the track id of a line's msid: unique within the stream, and
// different for a peer's camera and its screen.
func trackName(t *track) string {
	return t.owner.id.StreamID() + "-" + t.kind.String() + "-" + t.mid
}

func sameFormat(a, b transport.Format) bool {
	return a.Codec == b.Codec && pionx.SameProfile(a.Codec, a.FMTP, b.FMTP)
}

// announceLocked returns what the client is not told yet.
func (p *Peer) announceLocked() (infos []TrackInfo) {
	for _, l := range p.lines {
		if l.watched != nil && !l.announced {
			l.announced = true
			infos = append(infos, l.info())
		}
	}
	return infos
}

// announceReadyLocked is announceLocked for lines that need no offer.
func (p *Peer) announceReadyLocked() (infos []TrackInfo) {
	for _, l := range p.lines {
		if l.watched != nil && !l.announced && l.line.Params() != nil {
			l.announced = true
			infos = append(infos, l.info())
		}
	}
	return infos
}

func (l *downLine) info() TrackInfo {
	t := l.watched
	return TrackInfo{MID: l.line.MID(), Peer: t.owner.id, Kind: t.kind, StreamID: t.owner.id.StreamID(), SourceMID: t.mid}
}

func (p *Peer) tellOffer(o Offer) func() {
	return func() {
		if f := p.events.Offer; f != nil {
			f(o)
		}
	}
}

func (p *Peer) tellTracks(infos []TrackInfo) func() {
	return func() {
		if f := p.events.Tracks; f != nil {
			f(infos)
		}
	}
}

// acceptOfferLocked answers the client's offer and publishes what it says.
func (p *Peer) acceptOfferLocked(sdp string) (string, error) {
	answer, tracks, err := p.conn.AcceptOffer(sdp)
	if err != nil && p.wedgedLocked(err) {
		return "", fmt.Errorf("%w: %w", ErrPeerClosed, err)
	}
	if err != nil {
		p.registry.counters.badOffers.Add(1)
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	added, removed := p.pub.publish(tracks)
	p.room.republish(p, added, removed)
	return answer, nil
}

// wedgedLocked closes the peer if an error has left its connection where no
// description leads out of; pion has no way back.
func (p *Peer) wedgedLocked(err error) bool {
	if !errors.Is(err, transport.ErrWedged) {
		return false
	}
	p.log.Error("connection cannot go on", "error", err)
	select {
	case <-p.joining:
		p.closeAsync(LeaveFailed)
	default: // Join itself undoes what it has begun
	}
	return true
}

// Offer answers an offer the client makes during the call: new or ended tracks,
// an ICE restart. It calls send with the answer before anything else can be told
// to the client, so that no offer of ours overtakes it; send must not block.
// Offer returns ErrGlare while an offer of ours is outstanding, ErrBadOffer,
// after which the call goes on as before, or ErrPeerClosed.
func (p *Peer) Offer(ctx context.Context, sdp string, send func(answer string)) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sfukit: offer: %w", err)
	}
	if err := p.registry.network.CheckOffer(sdp); err != nil {
		p.registry.counters.badOffers.Add(1)
		return fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	p.signal.Lock()
	defer p.signal.Unlock()
	if p.gone {
		return ErrPeerClosed
	}
	if p.machine.ClientOffer() != negotiate.Accept {
		p.registry.counters.glare.Add(1)
		return ErrGlare
	}
	answer, err := p.acceptOfferLocked(sdp)
	if err != nil {
		return err
	}
	send(answer)
	return nil
}

// Answer takes the client's answer to an offer of ours. The id is the offer's if
// the client echoes it, 0 if not. An answer that comes late, twice or unasked is
// dropped without error; ErrBadAnswer says that it could not be used and that
// the offer will be repeated, ErrPeerClosed that the peer has left.
func (p *Peer) Answer(ctx context.Context, sdp string, id uint64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sfukit: answer: %w", err)
	}
	p.signal.Lock()
	defer p.signal.Unlock()
	if p.gone {
		return ErrPeerClosed
	}
	if verdict := p.machine.Answer(id); verdict != negotiate.Accept {
		p.registry.counters.answersDropped.Add(1)
		return nil
	}
	err := p.conn.AcceptAnswer(sdp)
	p.machine.Applied(err == nil)
	for _, l := range p.lines {
		l.agreed = l.agreed || err == nil && l.offered
	}
	p.mail.wakeUp()
	if err != nil && p.wedgedLocked(err) {
		return fmt.Errorf("%w: %w", ErrPeerClosed, err)
	}
	if err != nil {
		p.registry.counters.badAnswers.Add(1)
		return fmt.Errorf("%w: %w", ErrBadAnswer, err)
	}
	return nil
}

// AddICECandidate takes a candidate of the client's; nil says that there are no
// more. Being ICE-lite (RFC 8445 section 2.5) we never send checks and learn the
// client's address from its own, so a candidate is checked and then not needed.
func (p *Peer) AddICECandidate(c *ICECandidate) error {
	if c == nil || c.Candidate == "" {
		return nil
	}
	if len(c.Candidate) > 512 {
		p.registry.counters.badCandidates.Add(1)
		return fmt.Errorf("%w: %d bytes", ErrBadCandidate, len(c.Candidate))
	}
	if err := pionx.CheckCandidate(c.Candidate); err != nil {
		p.registry.counters.badCandidates.Add(1)
		return fmt.Errorf("%w: %w", ErrBadCandidate, err)
	}
	return nil
}
