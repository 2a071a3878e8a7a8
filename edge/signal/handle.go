package signal

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// handle does what a frame of an established session asks for.
func (r *running) handle(ctx context.Context, frame ClientFrame) {
	switch f := frame.(type) {
	case Offer:
		r.offer(ctx, f)
	case AnswerRenegotiate:
		if err := r.peer.Answer(ctx, f.SDP, f.ID); err != nil {
			r.mistake(ErrorBadAnswer, err)
		}
	case ICE:
		if err := r.peer.AddICECandidate(f.Candidate.toKit()); err != nil {
			r.mistake(ErrorBadCandidate, err)
		}
	case SetLayer:
		r.setLayer(f)
	case BWEHint:
		r.hint(f)
	case Leave:
		r.end(CloseNormal, ReasonSessionEnded)
	case ClientStats:
		r.log.Debug("client stats", "bytes", len(f.Report))
	case Resume:
		r.mistake(ErrorUnexpected, errors.New("resume is only for the first frame"))
	case Unknown:
		r.stats.unknown.Add(1)
		r.log.Debug("unknown frame ignored", "name", f.Name)
	}
}

// offer answers a client's later offer. One that crosses ours is dropped
// without a word: the polite side rolls back when it sees ours.
func (r *running) offer(ctx context.Context, f Offer) {
	err := r.peer.Offer(ctx, f.SDP, func(answer string) { r.send(Answer{answer}) })
	switch {
	case err == nil:
	case errors.Is(err, sfukit.ErrGlare):
		r.stats.glare.Add(1)
	default:
		r.mistake(ErrorBadOffer, err)
	}
}

func (r *running) setLayer(f SetLayer) {
	wish := sfukit.LayerWish{MID: f.MID, MaxWidth: f.MaxWidth, Priority: f.Priority, Paused: f.Paused}
	if f.MaxRID != "" {
		rid, err := sfukit.ParseSfuRid(f.MaxRID)
		if err != nil {
			r.mistake(ErrorBadFrame, &FrameError{"set_layer", "max_rid", "want 1 to 8 ASCII letters or digits"})
			return
		}
		wish.MaxRID = rid
	}
	if err := r.peer.SetLayer(wish); err != nil {
		r.mistake(ErrorNoTrack, err)
	}
}

func (r *running) hint(f BWEHint) {
	now := time.Now()
	if now.Sub(r.lastHint) < hintInterval {
		r.stats.throttled.Add(1)
		return
	}
	r.lastHint = now
	r.peer.HintBandwidth(units.Bitrate(min(f.BPS, math.MaxInt64)))
}

// mistake tells the client that a frame of its was wrong; the session goes on,
// unless that happens too often. Errors that are not the client's are told as
// such and do not count.
func (r *running) mistake(code ErrorCode, err error) {
	_, shape := errors.AsType[*FrameError](err)
	switch {
	case errors.Is(err, sfukit.ErrPeerClosed), errors.Is(err, sfukit.ErrRegistryClosed), errors.Is(err, context.Canceled):
		return // the end is on its way
	case shape, code == ErrorUnexpected, errors.Is(err, sfukit.ErrBadOffer), errors.Is(err, sfukit.ErrBadAnswer),
		errors.Is(err, sfukit.ErrBadCandidate), errors.Is(err, sfukit.ErrNoTrack):
	default:
		r.log.Error("frame not handled", "code", string(code), "err", err)
		r.send(Error{ErrorInternal, "the server failed", true})
		return
	}
	r.stats.wrong.Add(1)
	text := err.Error()
	r.send(Error{code, text[:min(len(text), 256)], false})
	if !r.wrong.take(time.Now()) {
		r.end(CloseTooSlow, ReasonTooManyMistakes)
	}
}

// toKit converts a candidate; one that says "no more" becomes nil.
func (c *Candidate) toKit() *sfukit.ICECandidate {
	if c == nil || c.Candidate == "" {
		return nil
	}
	out := &sfukit.ICECandidate{Candidate: c.Candidate, SDPMLineIndex: c.SDPMLineIndex}
	if c.SDPMid != "" {
		out.SDPMid = &c.SDPMid
	}
	if c.UsernameFragment != "" {
		out.UsernameFragment = &c.UsernameFragment
	}
	return out
}

func candidateFrame(c *sfukit.ICECandidate) ICE {
	if c == nil {
		return ICE{}
	}
	out := &Candidate{Candidate: c.Candidate, SDPMLineIndex: c.SDPMLineIndex}
	if c.SDPMid != nil {
		out.SDPMid = *c.SDPMid
	}
	if c.UsernameFragment != nil {
		out.UsernameFragment = *c.UsernameFragment
	}
	return ICE{out}
}
