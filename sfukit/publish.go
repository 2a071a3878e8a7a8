package sfukit

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/fanout"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/report"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// maxStreams is how many SSRCs one peer may use over its life: a simulcast track
// with retransmissions takes six, and every new share of a screen takes new ones.
// An authenticated peer could otherwise invent them without end. What comes on
// further ones is discarded.
const maxStreams = 1024

// publisher is what a peer sends.
type publisher struct {
	peer      *Peer
	ssrc      uint32 // ours, as the sender of feedback
	domain    uint32 // the clock all its captures are comparable on
	encodings fanout.Group[*encoding]
	version   atomic.Uint32 // changes with tracks; streams resolve again then

	mu      sync.Mutex
	tracks  map[string]*track  // by mid; guarded by mu
	sorted  []*track           // the same, by mid; replaced, never changed; guarded by mu
	streams map[uint32]*stream // by SSRC; guarded by mu
	arrival pionx.Arrivals     // guarded by mu
	offset  report.Offset      // sender's clock to ours; guarded by mu
	epoch   time.Time          // constant; feedback times count from here
}

func (p *publisher) init(peer *Peer) {
	p.peer = peer
	p.ssrc = rand.Uint32() | 1
	p.domain = peer.registry.domains.Add(1)
	p.tracks, p.streams = map[string]*track{}, map[uint32]*stream{}
	p.arrival = pionx.NewArrivals(p.ssrc)
	p.epoch = peer.registry.network.Now()
}

// track is one published m-line.
type track struct {
	owner     *Peer
	mid       string
	kind      Kind
	formats   [128]transport.Format // by payload type
	rtx       [128]bool             // payload types of retransmissions
	ext       transport.Extensions
	encodings []*encoding
	watchers  fanout.Group[*downLine]
	id        uint64 // no other track of the registry has it
	dynacast  dynacast
	ladder    atomic.Pointer[ladder]
	screen    atomic.Bool                      // its packets say that it is a screen share
	format    atomic.Pointer[transport.Format] // what it sends, or most likely will
	reformed  time.Time                        // when that changed; owned by ingress
}

func newTrack(owner *Peer, t transport.Track) *track {
	tr := &track{owner: owner, mid: t.MID, kind: KindAudio, ext: t.Ext, id: owner.registry.tracks.Add(1)}
	if t.Video {
		tr.kind = KindVideo
	}
	for i := range t.Formats {
		f := t.Formats[i]
		tr.formats[f.PT&0x7f] = f
		if f.RTXPT != 0 {
			tr.rtx[f.RTXPT&0x7f] = true
		}
		if tr.format.Load() == nil && f.Codec.Video() == t.Video && f.Codec != codec.RED {
			tr.format.Store(&f)
		}
	}
	rids := t.RIDs
	if len(rids) == 0 {
		rids = []string{""}
	}
	for i, rid := range rids {
		tr.encodings = append(tr.encodings, newEncoding(tr, SfuRid(rid), i))
	}
	tr.dynacast.init(owner.registry.network.Now(), len(rids), owner.events.PublishLayers != nil)
	return tr
}

// same reports whether a renegotiated m-line is still the same track.
func (t *track) same(n *track) bool {
	return t.kind == n.kind && t.formats == n.formats && t.ext == n.ext &&
		slices.EqualFunc(t.encodings, n.encodings, func(a, b *encoding) bool { return a.rid == b.rid })
}

// encoding returns the track's encoding of a rid.
func (t *track) encoding(rid string) *encoding {
	for _, e := range t.encodings {
		if string(e.rid) == rid {
			return e
		}
	}
	return nil
}

// bySource returns the track's encoding of a source number.
func (t *track) bySource(s rewrite.Source) *encoding {
	for _, e := range t.encodings {
		if e.source == s {
			return e
		}
	}
	return nil
}

// publish replaces the peer's tracks by what its latest offer says; tracks that
// stayed the same go on.
func (p *publisher) publish(now []transport.Track) (added, removed []*track) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.tracks
	p.tracks = make(map[string]*track, len(now))
	for _, t := range now {
		fresh := newTrack(p.peer, t)
		if before := old[t.MID]; before != nil && before.same(fresh) {
			fresh = before
		} else {
			added = append(added, fresh)
		}
		if fresh.format.Load() == nil {
			continue // nothing in it that we forward
		}
		p.tracks[t.MID] = fresh
		p.declareLocked(fresh, t)
	}
	p.sortLocked()
	for mid, t := range old {
		if p.tracks[mid] != t {
			removed = append(removed, t)
		}
	}
	added = slices.DeleteFunc(added, func(t *track) bool { return p.tracks[t.mid] != t })
	for _, t := range removed {
		for _, e := range t.encodings {
			p.encodings.Remove(e)
			e.store.Clear() // its streams may be remembered for as long as the peer stays
		}
	}
	for _, t := range added {
		for _, e := range t.encodings {
			p.encodings.Add(e)
		}
	}
	p.version.Add(1)
	return added, removed
}

// declareLocked binds the SSRCs that the offer names. Simulcast encodings are
// not among them: their packets say by rid what they are.
func (p *publisher) declareLocked(t *track, d transport.Track) {
	if len(d.RIDs) > 0 || len(d.SSRCs) == 0 {
		return
	}
	primary := d.SSRCs[0]
	if s := p.streamLocked(primary); s != nil {
		s.declared, s.declaredRTX = t.encodings[0], false
	}
	if rtx := d.RTX[primary]; rtx != 0 {
		if s := p.streamLocked(rtx); s != nil {
			s.declared, s.declaredRTX = t.encodings[0], true
		}
	}
}

// sortLocked lists the tracks by mid.
func (p *publisher) sortLocked() {
	p.sorted = make([]*track, 0, len(p.tracks))
	for _, t := range p.tracks {
		p.sorted = append(p.sorted, t)
	}
	slices.SortFunc(p.sorted, func(a, b *track) int {
		return cmp.Or(cmp.Compare(len(a.mid), len(b.mid)), cmp.Compare(a.mid, b.mid)) // "2" before "10"
	})
}

// published returns what the peer publishes now, by mid. The caller must not change it.
func (p *Peer) published() []*track {
	p.pub.mu.Lock()
	defer p.pub.mu.Unlock()
	return p.pub.sorted
}

// stream is one inbound SSRC. All but the declaration is owned by the goroutine
// that delivers the peer's packets.
type stream struct {
	pub  *publisher
	ssrc uint32

	declared    *encoding // guarded by publisher.mu
	declaredRTX bool      // guarded by publisher.mu

	header  rtp.Header // reused
	version uint32
	enc     *encoding
	rtx     bool
}

// stream returns the sink of an SSRC, nil if the peer has too many.
func (p *publisher) stream(ssrc uint32) *stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streamLocked(ssrc)
}

func (p *publisher) streamLocked(ssrc uint32) *stream {
	s := p.streams[ssrc]
	if s == nil {
		if len(p.streams) >= maxStreams {
			p.peer.registry.counters.ingress[dropTooManyStreams].Add(1)
			return nil
		}
		s = &stream{pub: p, ssrc: ssrc}
		p.streams[ssrc] = s
	}
	return s
}

// resolve finds out which encoding the stream is, from its declaration or from
// the mid, rid and repaired-rid extensions of the packet in s.header (RFC 8852,
// RFC 8843 section 9.2). Browsers stop sending those once we have reported on
// the stream, so the result is kept until the tracks change.
func (s *stream) resolve() bool {
	version := s.pub.version.Load()
	if s.enc != nil && s.version == version {
		return true
	}
	s.pub.mu.Lock()
	defer s.pub.mu.Unlock()
	if s.declared != nil && s.pub.tracks[s.declared.track.mid] == s.declared.track {
		s.enc, s.rtx = s.declared, s.declaredRTX
	} else if s.enc == nil {
		s.enc, s.rtx = s.findLocked()
	} else if t := s.pub.tracks[s.enc.track.mid]; t != s.enc.track {
		// The m-line was renegotiated. Its packets may not say any more what they are.
		if t != nil {
			s.enc = t.encoding(string(s.enc.rid))
		}
		if t == nil || s.enc == nil {
			s.enc, s.rtx = s.findLocked()
		}
	}
	s.version = version
	if s.enc != nil && !s.rtx {
		s.enc.ssrc.Store(s.ssrc)
	}
	return s.enc != nil
}

func (s *stream) findLocked() (enc *encoding, rtx bool) {
	pt := s.header.PayloadType & 0x7f
	var only *track
	carriers := 0
	for _, t := range s.pub.tracks {
		isRTX := t.rtx[pt]
		if !isRTX && t.formats[pt].PT == 0 {
			continue
		}
		if mid := s.header.GetExtension(t.ext.MID); t.ext.MID != 0 && mid != nil {
			if string(mid) != t.mid {
				continue
			}
			return s.encodingOf(t, isRTX)
		}
		only = t
		carriers++
	}
	if carriers == 1 {
		return s.encodingOf(only, only.rtx[pt])
	}
	return nil, false
}

func (s *stream) encodingOf(t *track, rtx bool) (*encoding, bool) {
	if len(t.encodings) == 1 && t.encodings[0].rid == "" {
		return t.encodings[0], rtx
	}
	rid := s.header.GetExtension(t.ext.RID)
	if rtx && t.ext.RepairedRID != 0 {
		// RFC 8852 section 4.2. Some senders, pion among them, put the rid there.
		if repaired := s.header.GetExtension(t.ext.RepairedRID); len(repaired) > 0 {
			rid = repaired
		}
	}
	return t.encoding(string(rid)), rtx
}

// writeRTCP sends feedback to the peer. Before the connection is up it is
// nobody's loss.
func (p *Peer) writeRTCP(packets ...rtcp.Packet) {
	if len(packets) > 0 && p.connected.Load() {
		_ = p.conn.WriteRTCP(packets)
	}
}
