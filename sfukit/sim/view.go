package sim

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// View is what a subscriber saw and heard, from Settle on where it says so.
type View struct {
	// Media is the mean rate of video that arrived, without repairs, padding and
	// audio, and Feasible that of the best sum of rungs that the link carried at each
	// time to each of those who share it, measured at the publishers, with room for
	// audio and all headers. Both from Settle on.
	Media, Feasible units.Bitrate
	// Tracks are the video tracks it watched.
	Tracks []TrackView
	// Concealed is the share of audio that the jitter buffer had to make up, 0 to 1.
	Concealed float64
}

// TrackView is what became of one video track.
type TrackView struct {
	MID string
	// Frames is how many pictures were decoded, Backwards how many of them were
	// older than the one before.
	Frames, Backwards int
	// Foreign is how many frames that are no keyframes came right behind one of another
	// encoding: a decoder would make rubbish of them.
	Foreign int
	// FirstFrame is when the first was decoded.
	FirstFrame time.Duration
	// Shown are the encodings in turn, from when the first picture of each was decoded;
	// Flips is how often the encoding changed.
	Shown []Shown
	Flips int
	// Freezes are the times that the picture stood still while it should have moved.
	Freezes []Freeze
	// Suspended is how long the room chose to send nothing.
	Suspended time.Duration
	// Skew is by how much the stream's timestamps differ from the times at which its
	// pictures were captured, from the least to the most.
	Skew time.Duration
	// NACKs and PLIs are what the receiver asked for, in packets and keyframes.
	NACKs, PLIs int
}

// Shown is what a subscriber saw of a track from a time on.
type Shown struct {
	At time.Duration
	// Encoding is a place in the camera's ladder, the lowest 0; -1 says that the room
	// chose to send nothing.
	Encoding int
}

// Frozen returns how long pictures stood still in all, the longest single time, and
// how many times the room is to blame.
func (v *View) Frozen() (total, longest time.Duration, room int) {
	for _, t := range v.Tracks {
		for _, f := range t.Freezes {
			total += f.Lasted
			longest = max(longest, f.Lasted)
			if f.Cause == CauseRoom {
				room++
			}
		}
	}
	return total, longest, room
}

// Share returns Media over Feasible, 0 if nothing was feasible.
func (v *View) Share() float64 { return share(float64(v.Media), float64(v.Feasible)) }

// FlipsPerMinute returns the changes of encoding in a minute, of the track that had
// most of them.
func (v *View) FlipsPerMinute(d time.Duration) float64 {
	most := 0
	for _, t := range v.Tracks {
		most = max(most, t.Flips)
	}
	return float64(most) / d.Minutes()
}

// finish adds to a result what the subscribers saw.
func (w *world) finish(r *Result) {
	feasible := w.feasible()
	for i, v := range w.viewers {
		out := &View{Feasible: feasible}
		var concealed, played time.Duration
		for _, a := range v.client.audio {
			concealed += a.concealed
			played += a.played
		}
		out.Concealed = share(float64(concealed), float64(played+concealed))
		var media int64
		for _, rx := range v.client.video {
			rx.pause(false)
			rx.end()
			media += rx.out.media
			t := &rx.out
			out.Tracks = append(out.Tracks, TrackView{
				MID: rx.mid, Frames: t.frames, Backwards: t.backwards, Foreign: rx.decoder.foreign, FirstFrame: t.firstFrame, Shown: t.shown, Flips: t.flips,
				Freezes: t.freezes, Suspended: t.suspended,
				Skew: rx.strayHigh - rx.strayLow, NACKs: t.nacked, PLIs: t.plis,
			})
			for _, f := range t.freezes {
				r.Decisions = (r.Decisions ^ uint64(f.Lasted)) * fnvPrime
			}
			r.Decisions = (r.Decisions ^ uint64(t.frames)) * fnvPrime
		}
		out.Media = units.Bitrate(float64(8*media) / (w.scenario.Duration - w.scenario.Settle).Seconds())
		r.Flows[i].View = out
	}
}

// rung is one way to send a track: what arrives of it and what it takes.
type rung struct{ media, wire units.Bitrate }

func (r rung) scaled(share float64) rung {
	return rung{units.Bitrate(share * float64(r.media)), units.Bitrate(share * float64(r.wire))}
}

// feasible returns the mean, from Settle on, of the best sum of rungs.
func (w *world) feasible() units.Bitrate {
	trace := w.scenario.Down.Rate
	voices := 0
	type ladder struct {
		encoders []*encoder
		rungs    []rung
	}
	var ladders []ladder
	overhead := w.scenario.Down.Overhead
	for _, c := range w.publishers {
		if c.microphone != nil {
			voices++
		}
		for _, cam := range c.cameras {
			l := ladder{encoders: cam.encoders}
			for _, e := range cam.encoders {
				l.rungs = append(l.rungs, e.rung(overhead))
			}
			ladders = append(ladders, l)
		}
	}
	if n := w.scenario.Call.Config.AudioTopN; n > 0 {
		voices = min(voices, n)
	}
	audio := units.Bitrate(voices * 8 * (audioSize + rtpHeader + overhead) * int(time.Second/audioInterval))
	known := map[string]units.Bitrate{}
	var sum float64
	n := 0
	for at := w.scenario.Settle; at < w.scenario.Duration; at += sampleInterval {
		key := []byte(trace.Rate(at).String())
		var options [][]rung
		for _, l := range ladders {
			var on []rung
			cam := l.encoders[0].camera
			activity := cam.c.share(at)
			for i, e := range l.encoders {
				if e.running(at) && !(cam.stop > 0 && at >= cam.stop) {
					on = append(on, l.rungs[i].scaled(activity))
					key = append(key, byte('0'+i))
				}
			}
			key = fmt.Appendf(key, "/%v", activity)
			options = append(options, on)
		}
		best, found := known[string(key)]
		if !found {
			best = bestSum(options, trace.Rate(at)/units.Bitrate(len(w.viewers))-audio, trace == nil)
			known[string(key)] = best
		}
		sum += float64(best)
		n++
	}
	return units.Bitrate(sum / float64(max(n, 1)))
}

// rtpHeader is what a forwarded packet has in front of its payload, in bytes: the
// header and one-byte extensions for feedback and send time (RFC 8285).
const rtpHeader = 12 + 4 + 8

// rung returns what the encoding needed while it was sent at its full rate.
func (e *encoder) rung(overhead int) rung {
	seconds := max(e.active, frameInterval).Seconds()
	return rung{
		media: units.Bitrate(float64(8*e.media) / seconds),
		wire:  units.Bitrate(float64(8*(e.media+e.wire*int64(rtpHeader+overhead))) / seconds),
	}
}

// bestSum picks one rung or none of each track so that together they fit and the
// most media arrives.
func bestSum(tracks [][]rung, budget units.Bitrate, unlimited bool) units.Bitrate {
	const grain = 2 * units.Kbps
	if unlimited {
		budget = 1000 * units.Mbps
	}
	if budget <= 0 {
		return 0
	}
	var all units.Bitrate
	for _, t := range tracks {
		var most units.Bitrate
		for _, r := range t {
			most = max(most, r.wire+grain)
		}
		all += most
	}
	slots := int(min(budget, all) / grain)
	best := make([]units.Bitrate, slots+1)
	for _, t := range tracks {
		for room := slots; room >= 0; room-- {
			for _, r := range t {
				if need := int((r.wire + grain - 1) / grain); need <= room {
					best[room] = max(best[room], best[room-need]+r.media)
				}
			}
		}
	}
	return best[slots]
}
