package rewrite

import (
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// maxLeap is how many sequence numbers a source may move at once and still
// count as the same stream: MAX_DROPOUT of RFC 3550 appendix A.1.
const maxLeap = 3000

// Rewriter decides, for one outgoing SSRC, which packets are forwarded and what
// they look like. It must be made with New. It is not safe for concurrent use.
type Rewriter struct {
	video   bool
	target  Source
	run     run
	ended   ending // of the run before
	started bool   // something was sent
	highest int64  // highest sequence number sent
	key     int64  // that of the newest key frame's first packet
	time    timeline
	picture pictures
	layers  layers
	frames  *dependency // AV1 only, and not before the first Want
	sent    history
}

// run is an uninterrupted stretch of one source; the zero value is none.
type run struct {
	source  Source
	first   int64  // number it began with on the line
	max     int64  // highest source number seen
	stamp   uint32 // source timestamp of max
	offset  uint32 // line timestamp - source timestamp
	numbers numbering
}

// ending is where a source was when the line left it.
type ending struct {
	source Source
	max    int64
	stamp  uint32
}

// New returns a Rewriter that is paused: it forwards nothing until Want. The
// error wraps ErrConfig and names the field and its value.
func New(cfg Config) (*Rewriter, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	rate := cfg.ClockRate
	if rate == 0 {
		rate = cfg.Codec.ClockRate()
	}
	return &Rewriter{
		video:   cfg.Codec.Video(),
		highest: int64(cfg.FirstSeq) - 1,
		time:    newTimeline(rate, cfg.FirstTimestamp),
		picture: newPictures(cfg),
		layers:  newLayers(cfg.Codec),
		sent:    history{codec: cfg.Codec},
	}, nil
}

// Want sets the source the line should have. What flows now keeps flowing
// until a packet of src arrives with which a receiver can begin: the first of a
// key frame for video, any for audio. Wanting the current source cancels a
// switch that is waiting. Wanting 0 pauses the line from the next packet on;
// after that even the same source needs a key frame again.
//
// The first call with a source allocates the memory of sent packets.
func (r *Rewriter) Want(src Source) {
	r.target = src
	if src == 0 {
		r.leave()
		return
	}
	r.sent.allocate()
	if r.frames == nil && r.sent.codec == codec.AV1 {
		r.frames = &dependency{}
		r.frames.selector.Want(r.layers.spatial, r.layers.temporal)
	}
}

// Current returns the source that flows, 0 if none.
func (r *Rewriter) Current() Source { return r.run.source }

// Target returns the source last wanted, 0 if paused.
func (r *Rewriter) Target() Source { return r.target }

// Offset returns what is added, modulo 2^32, to timestamps of the current
// source to make those of the line. With it a sender report of the source
// becomes one of the line. Ok is false while no source flows.
func (r *Rewriter) Offset() (offset uint32, src Source, ok bool) {
	return r.run.offset, r.run.source, r.run.source != 0
}

// Map decides what happens to p and, if it is Forwarded, fills out with what it
// must look like; otherwise out is left alone. A packet of a layer that the line
// does not have is dropped as Layer and its number closed up. If newer packets
// were sent before it came, its number is spoken for: it is Forwarded as
// Out.Empty, or receivers would ask for it again and again. Map must see every packet of
// every source that may feed the line, in order of arrival, other than those
// given to Skip. P and out are borrowed until it returns. It does not allocate.
//
// A source whose sequence numbers leap by more than 3000 either way, or whose
// timestamps go back, or ahead of real time, by more than ten seconds, has been
// restarted by its sender. Its packets then count as those of a new source.
func (r *Rewriter) Map(p *Packet, out *Out) Drop {
	if r.target == 0 {
		return Paused
	}
	switch {
	case p.Source == 0:
		return NotWanted
	case p.Source == r.run.source:
		if !r.restarts(p) {
			return r.carry(p, out)
		}
	case r.ended.has(p):
		return Late
	case p.Source != r.target:
		return NotWanted
	}
	if r.video && (p.Payload == nil || !p.Payload.Start || !p.Payload.Keyframe) {
		return AwaitKeyframe
	}
	r.begin(p, out)
	return Forwarded
}

// Skip gives up a packet instead of mapping it: padding without media, or a
// frame the subscriber does not need. If it belongs to the current source and
// is the newest of it, the numbers of those that follow close up, including the
// picture numbers of VP8 when a picture is skipped from its first packet on;
// VP9 refers to pictures by their distance, so there they stay. If newer
// packets have gone out already, their numbers are settled: the number of p
// remains unused. P is borrowed. It does not allocate.
func (r *Rewriter) Skip(p *Packet) {
	if p.Source == 0 || p.Source != r.run.source || p.Seq <= r.run.max || r.restarts(p) {
		return
	}
	r.close(p)
}

// begin makes p the first packet of a new run.
func (r *Rewriter) begin(p *Packet, out *Out) {
	r.leave()
	if !r.started {
		r.started = true
		r.sent.epoch = p.Arrival
	}
	r.highest++
	r.run.source, r.run.first, r.run.max, r.run.stamp = p.Source, r.highest, p.Seq, p.Timestamp
	r.run.offset = r.time.begin(p)
	r.run.numbers.reset(p.Seq, r.highest)
	r.picture.begin()
	r.layers.begin(p)
	if r.frames != nil {
		r.frames.begin(p)
	}
	_, last := r.take(p, true)
	r.fill(p, out, r.highest, 0, last, true)
	out.Switched = true
}

// leave ends the current run, if any.
func (r *Rewriter) leave() {
	if r.run.source == 0 {
		return
	}
	r.ended = ending{source: r.run.source, max: r.run.max, stamp: r.run.stamp}
	r.run.source = 0
	r.run.offset = 0
}

// carry forwards a packet of the current run.
func (r *Rewriter) carry(p *Packet, out *Out) Drop {
	span, drop := r.run.numbers.find(p.Seq)
	if drop != Forwarded {
		return drop
	}
	n := p.Seq + span.shift
	switch {
	case n <= r.highest-r.sent.size():
		return Late
	case r.sent.at(n) != nil:
		return Duplicate
	}
	next := p.Seq > r.run.max
	var last bool
	if r.frames != nil || r.layers.limited {
		var ok bool
		if ok, last = r.take(p, next); !ok {
			return r.leaveOut(p, out, n, next)
		}
	}
	if next {
		r.run.max, r.run.stamp = p.Seq, p.Timestamp
	}
	newest := n > r.highest
	r.highest = max(r.highest, n)
	r.fill(p, out, n, span.pictures, last, newest)
	return Forwarded
}

// take reports whether p is of a layer that the line has, and whether it is the
// last packet of its picture that is. Next is set if none newer was seen.
func (r *Rewriter) take(p *Packet, next bool) (ok, last bool) {
	if r.frames != nil {
		return r.frames.take(p)
	}
	return r.layers.take(p, next)
}

// leaveOut disposes of a packet of a layer that the line does not have.
func (r *Rewriter) leaveOut(p *Packet, out *Out, n int64, next bool) Drop {
	if next {
		r.close(p)
		return Layer
	}
	r.highest = max(r.highest, n)
	*out = Out{Seq: uint16(n), Timestamp: p.Timestamp + r.run.offset, Empty: true}
	r.sent.put(n, p, out)
	return Forwarded
}

// close leaves out p, which must be newer than all of the run.
func (r *Rewriter) close(p *Packet) {
	r.run.numbers.skip(p.Seq, r.picture.close(p.Payload))
	r.run.max, r.run.stamp = p.Seq, p.Timestamp
}

// fill writes out for p as number n and remembers it.
func (r *Rewriter) fill(p *Packet, out *Out, n, closedPictures int64, last, newest bool) {
	*out = Out{
		Seq:       uint16(n),
		Timestamp: p.Timestamp + r.run.offset,
		Marker:    p.Marker || last,
	}
	if p.Payload != nil {
		r.picture.number(&p.Payload.Descriptor, out, closedPictures, newest)
	}
	if r.frames != nil && !r.frames.number(p, out) {
		out.Empty = true
	}
	if p.Payload != nil && p.Payload.Keyframe && !out.Empty {
		r.key = max(r.key, n)
	}
	r.time.sent(p, out.Timestamp)
	r.sent.put(n, p, out)
}

// restarts reports whether a packet of the current source belongs to a new
// stream under the same name. One whose number and timestamp are both older
// does not: it was merely long under way, and must not cut the stream.
func (r *Rewriter) restarts(p *Packet) bool {
	leap := p.Seq - r.run.max
	return r.time.strays(p, p.Timestamp+r.run.offset) ||
		leap > maxLeap ||
		leap < -maxLeap && int32(p.Timestamp-r.run.stamp) > 0
}

// has reports whether p was already there when its source was left.
func (e *ending) has(p *Packet) bool {
	return p.Source == e.source && p.Seq <= e.max && p.Seq > e.max-maxLeap &&
		int32(p.Timestamp-e.stamp) <= 0
}

// Patch writes out's picture numbers into payload, in place and without
// changing its size. Payload must be the caller's own copy of the payload that
// d was parsed from (its first d.Size bytes suffice). It does nothing when the
// descriptor has no numbers, so it may be called for every codec.
func Patch(payload []byte, d *codec.Descriptor, out *Out) {
	d.Put(payload, out.PictureID, out.TL0PICIDX, out.KeyIdx)
}
