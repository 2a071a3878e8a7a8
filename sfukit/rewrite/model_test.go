package rewrite_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// sentPacket is what the model remembers of a forwarded packet.
type sentPacket struct {
	p   *rewrite.Packet
	out rewrite.Out
}

// model checks, from outside and with unbounded memory, that what a Rewriter
// sends is a valid, continuous RTP stream.
type model struct {
	t       *testing.T
	r       *rewrite.Rewriter
	target  rewrite.Source
	sent    map[int64]sentPacket // by unwrapped number
	highest int64                // unwrapped number of the newest packet
	newest  sentPacket
	arrived time.Time // latest arrival of a packet sent
	pic     int       // highest picture number sent, unwrapped

	// The current run.
	source     rewrite.Source
	line       int64 // number of its first packet
	first      *rewrite.Packet
	firstPic   int
	max        int64 // newest source number seen
	maxPic     int   // newest picture seen, from the first on
	skipped    []int64
	skippedPic []int
	mapped     map[*rewrite.Packet]bool
}

func newModel(t *testing.T, cfg rewrite.Config) *model {
	m := &model{t: t, r: newLine(t, cfg).Rewriter, sent: map[int64]sentPacket{}, highest: int64(cfg.FirstSeq) - 1}
	m.pic = int(cfg.PictureID) - 1
	m.newest.out.Timestamp = cfg.FirstTimestamp
	return m
}

func (m *model) want(src rewrite.Source) {
	m.r.Want(src)
	m.target = src
	if src == 0 {
		m.source = 0
	}
	if m.r.Current() != m.source || m.r.Target() != src {
		m.t.Fatalf("Want(%d): Current %d, Target %d; want %d, %d", src, m.r.Current(), m.r.Target(), m.source, src)
	}
}

// distance returns how many pictures p is after the first of the run.
func (m *model) distance(p *rewrite.Packet) int {
	d := p.Payload.Descriptor
	half := 1 << (d.PictureIDBits - 1)
	from := m.maxPic + int(m.first.Payload.Descriptor.PictureID)
	step := (int(d.PictureID) - from) & (2*half - 1)
	if step >= half {
		step -= 2 * half
	}
	return m.maxPic + step
}

func (m *model) skip(p *rewrite.Packet) {
	m.r.Skip(p)
	if p.Source != m.source || p.Seq <= m.max || p.Seq > m.max+3000 {
		return
	}
	offset, _, _ := m.r.Offset()
	step := int64(int32(p.Timestamp + offset - m.newest.out.Timestamp))
	if step < -10*90_000 || step > 10*90_000+m.elapsed(p) {
		return // a restart
	}
	m.max = p.Seq
	m.skipped = append(m.skipped, p.Seq)
	if p.Payload == nil {
		return
	}
	if d := m.distance(p); d > m.maxPic {
		m.maxPic = d
		m.skippedPic = append(m.skippedPic, d)
	}
}

func (m *model) mapPacket(p *rewrite.Packet) {
	var out rewrite.Out
	drop := m.r.Map(p, &out)
	if drop != rewrite.Forwarded {
		m.checkDrop(p, drop)
		return
	}
	if m.target == 0 {
		m.t.Fatalf("forwarded while paused: %+v", p)
	}
	if out.Switched {
		m.checkSwitch(p, out)
	} else if p.Source != m.source {
		m.t.Fatalf("packet of source %d in the run of %d", p.Source, m.source)
	}
	if m.mapped[p] {
		m.t.Fatalf("sent twice in one run: %+v", p)
	}
	m.mapped[p] = true
	m.checkNumbers(p, out)
	m.checkTime(p, out)
}

func (m *model) checkDrop(p *rewrite.Packet, drop rewrite.Drop) {
	switch {
	case (drop == rewrite.Paused) != (m.target == 0):
		m.t.Fatalf("%v with target %d", drop, m.target)
	case drop == rewrite.Duplicate && !m.mapped[p]:
		// A restarted source may use a number again that it had before.
		if src, _, ok := m.r.Missing(uint16(m.line + p.Seq - m.first.Seq - m.before(p.Seq))); ok {
			m.t.Fatalf("not sent, but a duplicate: %+v (missing at %d)", p, src)
		}
	case drop == rewrite.NotWanted && p.Source == m.target:
		m.t.Fatalf("the target is not wanted: %+v", p)
	case drop == rewrite.AwaitKeyframe && p.Payload.Keyframe:
		m.t.Fatalf("a key frame waits for a key frame: %+v", p)
	}
}

func (m *model) checkSwitch(p *rewrite.Packet, out rewrite.Out) {
	if p.Source != m.target && p.Source != m.source {
		m.t.Fatalf("switched to %d, want %d or a restart of %d", p.Source, m.target, m.source)
	}
	if !p.Payload.Start || !p.Payload.Keyframe {
		m.t.Fatalf("source %d begins without a key frame", p.Source)
	}
	if m.r.Current() != p.Source {
		m.t.Fatalf("Current = %d after a switch to %d", m.r.Current(), p.Source)
	}
	m.source, m.line, m.first = p.Source, m.highest+1, p
	m.max, m.maxPic, m.firstPic = p.Seq, 0, m.pic+1
	m.skipped, m.skippedPic = nil, nil
	m.mapped = map[*rewrite.Packet]bool{}
}

// before counts the skipped source numbers that closed up before seq.
func (m *model) before(seq int64) (n int64) {
	for _, s := range m.skipped {
		if s < seq {
			n++
		}
	}
	return n
}

// checkNumbers requires that a packet is as far from the first of its run as it
// was at the source, less what was skipped in between.
func (m *model) checkNumbers(p *rewrite.Packet, out rewrite.Out) {
	line := m.line + p.Seq - m.first.Seq - m.before(p.Seq)
	if out.Seq != uint16(line) {
		m.t.Fatalf("source %d packet %d is sent as %d, want %d", p.Source, p.Seq, out.Seq, uint16(line))
	}
	if old, ok := m.sent[line]; ok {
		m.t.Fatalf("number %d for %+v was used for %+v", line, p, old.p)
	}
	m.sent[line] = sentPacket{p, out}

	distance := m.distance(p)
	want := m.firstPic + distance
	for _, s := range m.skippedPic {
		if s < distance {
			want--
		}
	}
	if int(out.PictureID) != want&0x7fff {
		m.t.Fatalf("source %d picture %d is sent as %d, want %d", p.Source,
			p.Payload.Descriptor.PictureID, out.PictureID, want&0x7fff)
	}
	m.max, m.maxPic, m.pic = max(m.max, p.Seq), max(m.maxPic, distance), max(m.pic, want)
	if src, seq, again, ok := m.r.Original(out.Seq); !ok || src != p.Source || seq != p.Seq ||
		again.Timestamp != out.Timestamp || again.PictureID != out.PictureID || again.KeyIdx != out.KeyIdx {
		m.t.Fatalf("Original(%d) = %d, %d, %+v, %v; sent %+v", out.Seq, src, seq, again, ok, out)
	}
}

// checkTime requires that timestamps of a run keep their distances, that new
// frames are later than old ones, and that no step is beyond real time.
func (m *model) checkTime(p *rewrite.Packet, out rewrite.Out) {
	line := m.line + p.Seq - m.first.Seq - m.before(p.Seq)
	if offset, src, ok := m.r.Offset(); !ok || src != p.Source || p.Timestamp+offset != out.Timestamp {
		m.t.Fatalf("Offset = %d, %d, %v for %+v sent as %+v", offset, src, ok, p, out)
	}
	if first := m.sent[m.line]; out.Timestamp-first.out.Timestamp != p.Timestamp-m.first.Timestamp {
		m.t.Fatalf("the offset of source %d has changed within its run", p.Source)
	}
	if line > m.highest {
		step := int64(int32(out.Timestamp - m.newest.out.Timestamp))
		bound := int64(10 * 90_000)
		if out.Switched {
			bound = 90_000
		}
		if !m.arrived.IsZero() {
			if bound += m.elapsed(p); step > bound {
				m.t.Fatalf("timestamp step of %d ticks in %v", step, p.Arrival.Sub(m.arrived))
			}
			same := !out.Switched && p.Timestamp == m.newest.p.Timestamp
			if same != (step == 0) || step < 0 {
				m.t.Fatalf("timestamp step of %d, same frame %v", step, same)
			}
		}
		m.highest, m.newest = line, sentPacket{p, out}
	}
	if p.Arrival.After(m.arrived) {
		m.arrived = p.Arrival
	}
}

// elapsed returns the ticks from the latest arrival sent to that of p.
func (m *model) elapsed(p *rewrite.Packet) int64 {
	return int64(max(p.Arrival.Sub(m.arrived), 0) * 90_000 / time.Second)
}
