package sfukit

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/allocate"
)

// selection says which tracks of a room are forwarded at all, where Config limits
// them: AudioTopN and VideoLastN. It is the same for all subscribers, but for their
// own tracks and what they have given a priority. Guarded by Room.mu.
type selection struct {
	voices  []talker             // the first to be heard first
	cameras []allocate.Candidate // the first to be shown first
	spoke   map[PeerID]time.Time // when a peer was last the dominant speaker
	settled time.Time            // when the latest changes of voices have been made up for
	offered []*track             // to all: of who is heard, then of cameras

	// Reused.
	audio   []*track          // of voices
	before  []*track          // offered, the last time
	byID    map[uint64]*track // those of cameras
	in      map[uint64]bool   // they were among the first
	heard   map[*Peer]bool    // as of the last time
	places  map[PeerID]int    // in loudest
	loudest []uint64
	chosen  []*track
}

// talker is a peer that sends audio.
type talker struct {
	peer   *Peer
	tracks []*track
	seat   int  // among the members
	place  int  // in order
	heard  bool // by all others
}

func newSelection() selection {
	return selection{
		spoke: map[PeerID]time.Time{}, byID: map[uint64]*track{}, in: map[uint64]bool{}, heard: map[*Peer]bool{},
		places: map[PeerID]int{},
	}
}

// limited reports whether a subscriber may be shown less than everything.
func (r *Room) limited() bool {
	return r.registry.config.AudioTopN > 0 || r.registry.config.VideoLastN > 0
}

// reselect chooses anew and, if that or what a client insists on has changed, has every
// subscriber watch what was chosen.
func (r *Room) reselect(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.members.Snapshot()
	if changed := r.rankLocked(now, members); r.repinned.Swap(false) || changed {
		r.watchLocked(members)
	}
}

// reselectLocked is reselect for when members or their tracks have changed.
func (r *Room) reselectLocked(now time.Time) {
	members := r.members.Snapshot()
	r.rankLocked(now, members)
	r.watchLocked(members)
}

// rankLocked chooses, and reports whether that differs from the last time.
func (r *Room) rankLocked(now time.Time, members []*Peer) (changed bool) {
	s := &r.selection
	s.gather(members)
	r.rankVoices(now, len(members))
	s.chooseVoices(now, r.registry.config.AudioTopN)
	s.rankCameras(r.registry.config.VideoLastN)
	return s.offer()
}

// watchLocked costs time in proportion to the members times what each is shown.
func (r *Room) watchLocked(members []*Peer) {
	for _, p := range members {
		p.watch(r.selection.choose(p, &r.registry.config))
	}
}

// gather lists what the members send.
func (s *selection) gather(members []*Peer) {
	clear(s.in)
	for i := range s.cameras {
		s.in[s.cameras[i].ID] = s.cameras[i].In
	}
	clear(s.heard)
	for i := range s.voices {
		s.heard[s.voices[i].peer] = s.voices[i].heard
	}
	clear(s.byID)
	s.voices, s.cameras, s.audio = s.voices[:0], s.cameras[:0], s.audio[:0]
	for seat, p := range members {
		v, first := talker{peer: p, seat: seat, heard: s.heard[p]}, len(s.audio)
		for _, t := range p.published() {
			if t.kind == KindAudio {
				s.audio = append(s.audio, t)
				continue
			}
			s.byID[t.id] = t
			s.cameras = append(s.cameras, allocate.Candidate{
				ID: t.id, Joined: t.id, Screen: t.screen.Load(), Spoke: s.spoke[p.id], In: s.in[t.id],
			})
		}
		if v.tracks = s.audio[first:]; len(v.tracks) > 0 {
			s.voices = append(s.voices, v)
		}
	}
}

// rankVoices puts the peers that send audio in order: relays, which speak for a
// whole room, the dominant speaker, the loudest, and those whose loudness is not
// known.
func (r *Room) rankVoices(now time.Time, members int) {
	s := &r.selection
	r.speakerMu.Lock()
	s.loudest = r.detector.Loudest(now, members, s.loudest[:0])
	dominant, some := r.detector.Dominant()
	r.speakerMu.Unlock()
	clear(s.places)
	for i, id := range s.loudest {
		s.places[PeerID(id)] = i + 1
	}
	if some {
		s.places[PeerID(dominant)] = 0
	}
	for i := range s.voices {
		v := &s.voices[i]
		place, known := s.places[v.peer.id]
		switch {
		case v.peer.origin.IsRelay():
			place = -1
		case !known:
			place = math.MaxInt
		}
		v.place = place
	}
	slices.SortStableFunc(s.voices, func(a, b talker) int { return cmp.Compare(a.place, b.place) })
}

// voicePause is how long after another a voice may take the place of one that is
// still there; n may at once. Many who cough or type in turn would otherwise have
// every client's lines change their meaning ten times a second.
const voicePause = time.Second

// chooseVoices says who is heard: relays, and n others. Who comes first has a place at
// once if one is free or it is the dominant speaker, and else as voicePause allows.
func (s *selection) chooseVoices(now time.Time, n int) {
	rest, held := s.voices, 0
	for len(rest) > 0 && rest[0].place < 0 {
		rest[0].heard = true
		rest = rest[1:]
	}
	if n == 0 || n > len(rest) {
		n = len(rest)
	}
	for i := range rest {
		if rest[i].heard {
			held++
		}
	}
	for i := range rest[:n] {
		switch v := &rest[i]; {
		case v.heard:
		case held < n, v.place == 0, s.mayChange(now, n):
			v.heard = true
			held++
		}
	}
	for i := len(rest) - 1; held > n; i-- {
		if rest[i].heard {
			rest[i].heard = false
			held--
		}
	}
}

// mayChange accounts for a change of voices: n at once, then one in voicePause.
func (s *selection) mayChange(now time.Time, n int) bool {
	if s.settled.Before(now) {
		s.settled = now
	}
	if s.settled.Sub(now) > time.Duration(n-1)*voicePause {
		return false
	}
	s.settled = s.settled.Add(voicePause)
	return true
}

// rankCameras puts the video tracks in order, unless all are shown.
func (s *selection) rankCameras(n int) {
	if n > 0 {
		allocate.LastN(n+1, s.cameras) // who is among the first does not see itself
	}
}

// offer lists what is chosen for all, and reports whether it has changed. Voices come
// in the order of the members, so that it does not change with how loud they are.
func (s *selection) offer() (changed bool) {
	slices.SortFunc(s.voices, func(a, b talker) int { return cmp.Compare(a.seat, b.seat) })
	s.before, s.offered = s.offered, s.before[:0]
	for i := range s.voices {
		if s.voices[i].heard {
			s.offered = append(s.offered, s.voices[i].tracks...)
		}
	}
	for i := range s.cameras {
		s.offered = append(s.offered, s.byID[s.cameras[i].ID])
	}
	return !slices.Equal(s.offered, s.before)
}

// choose returns what a subscriber watches: of its own nothing, of the others who is
// heard, and of the video what it has given a priority, then the first in order. The slice is
// valid until the next call.
func (s *selection) choose(p *Peer, c *Config) []*track {
	s.chosen = s.chosen[:0]
	for i := range s.voices {
		if v := &s.voices[i]; v.heard && v.peer != p {
			s.chosen = append(s.chosen, v.tracks...)
		}
	}
	left := c.VideoLastN
	if left == 0 {
		left = len(s.cameras)
	}
	pins := p.pins()
	for _, t := range pins {
		if left > 0 && s.byID[t.id] == t {
			s.chosen = append(s.chosen, t)
			left--
		}
	}
	for i := range s.cameras {
		if left == 0 {
			break
		}
		if t := s.byID[s.cameras[i].ID]; t.owner != p && !slices.Contains(pins, t) {
			s.chosen = append(s.chosen, t)
			left--
		}
	}
	return s.chosen
}

// pins returns the tracks to which the client has given a priority, the highest
// first.
func (p *Peer) pins() []*track {
	p.sub.mu.Lock()
	defer p.sub.mu.Unlock()
	var lines []*downLine
	for _, l := range p.sub.order {
		if l.track != nil && l.wish.Priority > 0 {
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b *downLine) int { return cmp.Compare(b.wish.Priority, a.wish.Priority) })
	var tracks []*track
	for _, l := range lines {
		tracks = append(tracks, l.track)
	}
	return tracks
}

// repinLocked has the room heed that a line which may be a pin carries another track.
func (l *downLine) repinLocked() {
	if l.wish.Priority > 0 {
		l.peer.room.repinned.Store(true)
	}
}

// watch replaces what the peer watches. Tracks are borrowed.
func (p *Peer) watch(tracks []*track) {
	p.sub.wishes.Lock()
	same := slices.Equal(tracks, p.sub.tracks)
	if !same {
		p.sub.tracks = slices.Clone(tracks)
	}
	p.sub.wishes.Unlock()
	if !same {
		p.mail.wakeUp()
	}
}
