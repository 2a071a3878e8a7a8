package sfukit_test

import (
	"maps"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/sim"
)

// watched is one line of a viewer.
type watched struct {
	mid   string
	ssrc  uint32 // 0 until something has come
	video bool

	begun   bool
	highest int64
	missing map[int64]*missing
	packets map[int64]*part
	last    int64 // of the latest decoded frame

	decoded  bool // anything
	shownAt  time.Duration
	askedAt  time.Duration
	packetAt time.Duration
	gaps     []time.Duration

	paused bool
	out    watchedTally
}

// missing is a packet that was asked for.
type missing struct {
	at    time.Time
	tries int
}

// part is a packet of a frame that is not decoded.
type part struct {
	ts     uint32
	marker bool
	mark   camMark
	at     time.Duration
}

// watchedTally is what a line has come to.
type watchedTally struct {
	shown   []sim.Shown
	freezes []sim.Freeze
	frames  int
	latest  map[int]time.Duration // when the latest packet of an encoding came
	heard   []heardFrame          // of audio
}

// receive takes a packet, and returns what is missing before it.
func (l *watched) receive(now time.Duration, p *rtp.Packet) (ask []int64) {
	if len(p.Payload) == 0 {
		return nil
	}
	if !l.begun {
		l.begun, l.highest, l.last, l.packetAt = true, int64(p.SequenceNumber)-1, int64(p.SequenceNumber)-1, now
		l.askedAt = now
	}
	seq := l.highest + int64(int16(p.SequenceNumber-uint16(l.highest)))
	delete(l.missing, seq)
	for m := l.highest + 1; m < seq; m++ {
		l.missing[m] = &missing{time.Now(), 1}
		ask = append(ask, m)
	}
	l.highest = max(l.highest, seq)
	l.packetAt = now
	if !l.video {
		if l.playable(seq) {
			l.out.heard = append(l.out.heard, heardFrame{uint32(opusMark(p.Payload)), now})
		}
		return ask
	}
	mark, ok := readCamMark(p.Payload)
	if !ok || seq <= l.last || l.packets[seq] != nil {
		return ask
	}
	l.packets[seq] = &part{p.Timestamp, p.Marker, mark, now}
	l.out.latest[mark.encoding] = now
	l.decode(now)
	return ask
}

// playable reports whether an audio packet has not come before.
func (l *watched) playable(seq int64) bool {
	if l.packets[seq] != nil {
		return false
	}
	l.packets[seq] = &part{}
	delete(l.packets, seq-500)
	return true
}

// decode shows what it can: the next frame, or else a keyframe further on.
func (l *watched) decode(now time.Duration) {
	for {
		end, ok := l.frame(l.last + 1)
		first := l.packets[l.last+1]
		if ok = ok && (l.decoded || first.mark.key); !ok {
			for _, seq := range slices.Sorted(maps.Keys(l.packets)) {
				if p := l.packets[seq]; p.mark.key && p.mark.first {
					if end, ok = l.frame(seq); ok {
						first = p
						break
					}
				}
			}
		}
		if !ok {
			return
		}
		for seq := range l.packets {
			if seq <= end {
				delete(l.packets, seq)
			}
		}
		for seq := range l.missing {
			if seq <= end {
				delete(l.missing, seq)
			}
		}
		l.decoded, l.last = true, end
		l.out.frames++
		if !l.paused {
			l.show(now, first.mark.encoding)
		}
		l.picture(now)
	}
}

// frame returns the last packet of the frame that begins at seq, if it is all here.
func (l *watched) frame(seq int64) (end int64, ok bool) {
	p := l.packets[seq]
	if p == nil || !p.mark.first {
		return 0, false
	}
	for ts := p.ts; ; seq++ {
		if p = l.packets[seq]; p == nil || p.ts != ts {
			return 0, false
		}
		if p.marker {
			return seq, true
		}
	}
}

func (l *watched) show(now time.Duration, encoding int) {
	if n := len(l.out.shown); n == 0 || l.out.shown[n-1].Encoding != encoding {
		l.out.shown = append(l.out.shown, sim.Shown{At: now, Encoding: encoding})
	}
}

// picture notes when a picture came, and the freeze that it ends if it does: as
// libwebrtc counts them (video_quality_observer), without a jitter buffer.
func (l *watched) picture(now time.Duration) {
	gap := now - l.shownAt
	if l.shownAt > 0 {
		if l.stands(gap) {
			l.out.freezes = append(l.out.freezes, sim.Freeze{At: l.shownAt, Lasted: gap})
		}
		if l.gaps = append(l.gaps, gap); len(l.gaps) > 30 {
			l.gaps = l.gaps[1:]
		}
	}
	l.shownAt = now
}

func (l *watched) stands(gap time.Duration) bool {
	if len(l.gaps) < 5 {
		return false
	}
	var sum time.Duration
	for _, g := range l.gaps {
		sum += g
	}
	mean := sum / time.Duration(len(l.gaps))
	return gap >= max(3*mean, mean+150*time.Millisecond)
}

func (l *watched) due(now time.Time) (ask []int64) {
	for _, seq := range slices.Sorted(maps.Keys(l.missing)) {
		m := l.missing[seq]
		switch {
		case now.Sub(m.at) < viewerRepeat:
		case m.tries == viewerTries:
			delete(l.missing, seq)
		default:
			m.at = now
			m.tries++
			ask = append(ask, seq)
		}
	}
	return ask
}

func (l *watched) stuck(now time.Duration) bool {
	wait := viewerStuck
	if !l.decoded {
		wait = viewerFirst
	}
	return l.begun && !l.paused && now-max(l.shownAt, l.askedAt) >= wait && now-l.packetAt < 5*time.Second
}
