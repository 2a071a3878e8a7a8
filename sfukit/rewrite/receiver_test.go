package rewrite_test

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec/dd"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/seqno"
)

// media is a packet as it reaches the receiver: what SRTP protects.
type media struct {
	seq       uint16
	timestamp uint32
	marker    bool
	payload   []byte
	extension []byte
}

// received is a packet in the receiver's buffer.
type received struct {
	seq         int64
	timestamp   uint32
	marker      bool
	empty       bool
	first, last bool // of its frame, as the format says
	read        codec.Payload
	dependency  dd.Descriptor
	diffs       []byte // of VP9 in flexible mode
	frame       uint32 // truth, from the payload
	index       byte
	count       byte
}

// frame is an assembled frame.
type frame struct {
	*received       // its first packet
	end       int64 // sequence number of its last packet
	picture   bool  // ends a picture
	key       bool
	id        int64
	refs      []int64
}

// receiver is a model of what libwebrtc does with a video stream: it assembles
// frames as PacketBuffer does, finds what they refer to as the reference
// finders do, puts pictures together as FrameBuffer does, and decodes a picture
// as soon as it can. What it decodes it compares with the truth.
//
// It never gives up waiting and never asks for a key frame: what it does not
// decode stays frozen.
type receiver struct {
	codec   codec.Codec
	truths  map[uint32]*truth
	seqs    seqno.Unwrapper
	packets map[int64]*received
	framed  map[int64]bool // first packets of assembled frames
	finder  finder
	stash   []*frame
	parser  dd.Parser

	waiting []*frame // by id
	done    map[int64]bool
	newest  int64 // id of the newest decoded frame
	cleared int64 // sequence number before which nothing is of interest any more
	started bool
	decoded map[uint32]bool
	seen    map[uint32]bool // frames of which a packet came
	faults  []string

	lastTimestamp int64 // of the newest picture decoded
	// split counts pictures of which a spatial layer came back after the layer
	// below had ended the picture. The receiver decodes it in two parts.
	split  int
	stamps seqno.Unwrapper32
}

// finder finds the id of a frame and of those it refers to.
type finder interface {
	find(f *frame) verdict
	padding(seq int64)
}

type verdict int

const (
	handOff verdict = iota
	wait
	discard
)

func newReceiver(c codec.Codec, truths map[uint32]*truth) *receiver {
	r := &receiver{
		codec: c, truths: truths, packets: map[int64]*received{}, framed: map[int64]bool{},
		done: map[int64]bool{}, decoded: map[uint32]bool{}, seen: map[uint32]bool{},
	}
	switch c {
	case codec.VP8:
		r.finder = newVP8Finder()
	case codec.VP9:
		r.finder = newVP9Finder()
	case codec.H264:
		r.finder = newSeqFinder()
	case codec.AV1:
		r.finder = &ddFinder{}
	}
	return r
}

func (r *receiver) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// receive takes a packet off the network.
func (r *receiver) receive(m *media) {
	seq := r.seqs.Unwrap(m.seq)
	if r.packets[seq] != nil {
		r.fault("number %d comes twice", m.seq)
		return
	}
	p := &received{seq: seq, timestamp: m.timestamp, marker: m.marker}
	r.packets[seq] = p
	if len(m.payload) == 0 {
		p.empty = true
		r.finder.padding(seq)
		r.retry()
		r.assemble(seq + 1)
		return
	}
	if !r.read(p, m) {
		return
	}
	r.seen[p.frame] = true
	r.assemble(seq)
	r.assemble(seq + 1)
	if seq%256 == 0 {
		r.forget(seq - 4096)
	}
}

// forget bounds the memory of the model.
func (r *receiver) forget(before int64) {
	for seq := range r.packets {
		if seq < before {
			delete(r.packets, seq)
			delete(r.framed, seq)
		}
	}
}

func (r *receiver) read(p *received, m *media) bool {
	if err := codec.Parse(r.codec, m.payload, &p.read); err != nil {
		r.fault("payload of %d: %v", m.seq, err)
		return false
	}
	tail := m.payload[len(m.payload)-7:]
	p.frame, p.index, p.count = binary.BigEndian.Uint32(tail), tail[4], tail[5]
	switch r.codec {
	case codec.VP8:
		p.first, p.last = p.read.Start, p.marker
	case codec.VP9:
		p.first, p.last = p.read.Start, p.read.End
		if p.read.Flexible && p.read.InterPicture {
			for _, b := range m.payload[2+p.read.Descriptor.PictureIDBits/7 : p.read.Descriptor.Size] {
				p.diffs = append(p.diffs, b>>1)
			}
		}
	case codec.H264:
		p.first, p.last = p.read.Keyframe, p.marker
	case codec.AV1:
		if err := r.parser.Parse(m.extension, &p.dependency); err != nil {
			r.fault("descriptor of %d: %v", m.seq, err)
			return false
		}
		p.first, p.last = p.dependency.Start, p.dependency.End
	}
	return true
}

// assemble looks for a complete frame that seq is part of.
func (r *receiver) assemble(seq int64) {
	p := r.packets[seq]
	if p == nil || p.empty {
		return
	}
	first := seq
	for !r.begins(first) {
		if q := r.packets[first-1]; q == nil || q.empty || q.timestamp != p.timestamp {
			return
		}
		first--
	}
	last := seq
	for !r.packets[last].last {
		last++
		q := r.packets[last]
		if q == nil || q.empty || q.timestamp != p.timestamp {
			return
		}
	}
	if r.framed[first] {
		return
	}
	r.framed[first] = true
	f := &frame{received: r.packets[first], end: last, picture: r.packets[last].marker}
	for i := first; i <= last; i++ {
		q := r.packets[i]
		if q.frame != f.frame || int64(q.index) != i-first || int64(q.count) != last-first+1 {
			r.fault("packet %d of frame %d is of frame %d", i, f.frame, q.frame)
			return
		}
	}
	r.offer(f)
	r.retry()
}

// begins reports whether a frame begins with a packet.
func (r *receiver) begins(seq int64) bool {
	p := r.packets[seq]
	if p.first || r.codec != codec.H264 {
		return p.first
	}
	before := r.packets[seq-1] // H264 does not say: the packet before tells
	return before != nil && (before.empty || before.timestamp != p.timestamp)
}

// maxStash is how many frames wait for others at most: kMaxStashedFrames.
const maxStash = 100

func (r *receiver) offer(f *frame) {
	if f.seq < r.cleared {
		return
	}
	switch r.finder.find(f) {
	case handOff:
		r.insert(f)
	case wait:
		if len(r.stash) == maxStash {
			r.stash = r.stash[1:]
		}
		r.stash = append(r.stash, f)
	}
}

// retry offers stashed frames until none gets anywhere.
func (r *receiver) retry() {
	for again := true; again; {
		again = false
		stash := r.stash
		r.stash = nil
		for _, f := range stash {
			if f.seq < r.cleared {
				continue
			}
			switch r.finder.find(f) {
			case handOff:
				again = true
				r.insert(f)
			case wait:
				r.stash = append(r.stash, f)
			}
		}
	}
}

// insert puts a frame into the frame buffer.
func (r *receiver) insert(f *frame) {
	if r.started && f.id <= r.newest {
		return // too late
	}
	at, found := slices.BinarySearchFunc(r.waiting, f, func(a, b *frame) int { return int(a.id - b.id) })
	if found {
		r.fault("frame number %d comes twice", f.id)
		return
	}
	r.waiting = slices.Insert(r.waiting, at, f)
	for r.decode() {
	}
}

// decode decodes the first picture that is complete and has all it refers to,
// and forgets those before it.
func (r *receiver) decode() bool {
	for begin := 0; begin < len(r.waiting); {
		end := begin
		for end < len(r.waiting) && r.waiting[end].timestamp == r.waiting[begin].timestamp {
			end++
			if r.waiting[end-1].picture && r.decodable(r.waiting[begin:end]) {
				r.show(r.waiting[begin:end])
				r.waiting = slices.Delete(r.waiting, 0, end)
				return true
			}
		}
		begin = end
	}
	return false
}

func (r *receiver) decodable(picture []*frame) bool {
	for i, f := range picture {
		for _, ref := range f.refs {
			if !r.done[ref] && !slices.ContainsFunc(picture[:i], func(g *frame) bool { return g.id == ref }) {
				return false
			}
		}
	}
	return true
}

// show decodes a picture, with the truth at hand.
func (r *receiver) show(picture []*frame) {
	for _, f := range picture {
		t := r.truths[f.frame]
		if t == nil {
			r.fault("frame %d was forgotten before it was decoded", f.frame)
			continue
		}
		for _, ref := range t.refs {
			if !r.decoded[ref.id] {
				r.fault("frame %d (S%dT%d, picture %d) is decoded without frame %d (S%dT%d, picture %d)",
					t.id, t.s, t.t, t.picture, ref.id, ref.s, ref.t, ref.picture)
			}
		}
		r.decoded[f.frame] = true
		r.done[f.id] = true
		delete(r.done, f.id-10_000)
		r.cleared = max(r.cleared, f.end)
	}
	f := picture[0]
	stamp := r.stamps.Unwrap(f.timestamp)
	switch {
	case !r.started || stamp > r.lastTimestamp:
	case stamp == r.lastTimestamp && r.truths[f.frame].s > 0:
		r.split++
	default:
		r.fault("picture at %d follows one at %d", stamp, r.lastTimestamp)
	}
	r.started, r.newest, r.lastTimestamp = true, picture[len(picture)-1].id, stamp
}
