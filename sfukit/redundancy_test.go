package sfukit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// received unpacks what a subscriber of RED got: frames by timestamp in frames
// since the first, as "primary<redundant".
func (m *microphone) received(w *tape) (out []string) {
	m.t.Helper()
	for i := range w.packets {
		p := &w.packets[i]
		switch p.PayloadType {
		case lineOpus:
			out = append(out, fmt.Sprint(m.frame(p.Payload)))
		case lineRED:
			primary, pt, ok := codec.PrimaryRED(p.Payload)
			blocks, _ := codec.REDBlocks(p.Payload, nil)
			s := fmt.Sprint(m.frame(primary))
			for _, b := range blocks {
				s += fmt.Sprint("<", m.frame(b.Data))
				if want := 960 * (m.frame(primary) - m.frame(b.Data)); int(b.Offset) != want || b.PT != lineOpus {
					m.t.Errorf("packet %d: offset %d, payload type %d; want %d, %d", i, b.Offset, b.PT, want, lineOpus)
				}
			}
			if !ok || pt != lineOpus {
				m.t.Errorf("packet %d: primary has payload type %d (%t), want %d", i, pt, ok, lineOpus)
			}
			out = append(out, s)
		default:
			m.t.Errorf("packet %d: payload type %d", i, p.PayloadType)
		}
	}
	return out
}

// TestRedundancyAdded has a publisher of plain Opus: who negotiated RED gets every
// packet with the one before, but none that is not the one before.
func TestRedundancyAdded(t *testing.T) {
	for _, tc := range []struct {
		name  string
		order []int
		want  string
	}{
		{"in order", []int{1, 2, 3}, "[1 2<1 3<2]"},
		{"after a loss", []int{1, 2, 4, 5}, "[1 2<1 4 5<4]"},
		{"overtaken", []int{1, 2, 4, 3, 5}, "[1 2<1 4 3<2 5<4]"},
	} {
		m := newMicrophone(t)
		for _, n := range tc.order {
			m.say(n)
		}
		if got := fmt.Sprint(m.received(m.red)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
		if got, want := m.heard(m.plain), fmt.Sprint(tc.order); got != want {
			t.Errorf("%s: without RED got %s, want %s", tc.name, got, want)
		}
	}
}

// TestNoRedundancyWithoutRoom takes away the bandwidth of the subscriber that has
// negotiated RED: as long as there is no room for video it gets plain Opus, whatever
// the publisher sends.
func TestNoRedundancyWithoutRoom(t *testing.T) {
	for _, mode := range []VideoMode{ModeAudioOnly, ModeSuspended} {
		m := newMicrophone(t)
		sub := &m.lines[1].peer.sub
		m.say(1)
		m.say(2)
		sub.allocation.Mode = mode
		m.say(3)
		m.sayRED(4, 3)
		sub.allocation.Mode = ModeVideo
		m.sayRED(5, 4)
		if got, want := fmt.Sprint(m.received(m.red)), "[1 2<1 3 4 5<4]"; got != want {
			t.Errorf("with %s in between: got %s, want %s", mode, got, want)
		}
	}
}

// TestRedundancyAfterSilence checks that discontinuous transmission, whose numbers go
// on while its timestamps leap, leads to no block that RFC 2198 cannot date.
func TestRedundancyAfterSilence(t *testing.T) {
	for _, tc := range []struct {
		leap int // ticks
		want uint8
	}{{960, lineRED}, {16383, lineRED}, {16384, lineOpus}, {19200, lineOpus}} {
		m := newMicrophone(t)
		m.say(1)
		h := m.plain.last().Header
		b := packetAt(t, 2, uint32(960+tc.leap), voice(2))
		m.stream.Packet(time.Now(), b)
		if got := m.red.last().PayloadType; got != tc.want {
			t.Errorf("leap of %d: payload type %d, want %d", tc.leap, got, tc.want)
		}
		if got := m.plain.last().Timestamp - h.Timestamp; got != uint32(tc.leap) {
			t.Errorf("leap of %d: timestamp moves by %d", tc.leap, got)
		}
	}
}

// TestRedundancySize checks that what does not fit goes plain.
func TestRedundancySize(t *testing.T) {
	for _, tc := range []struct {
		before, now int
		want        uint8
	}{{1023, 100, lineRED}, {1024, 100, lineOpus}, {600, 595, lineRED}, {600, 596, lineOpus}} {
		m := newMicrophone(t)
		m.stream.Packet(time.Now(), packetAt(t, 1, 960, make([]byte, tc.before)))
		m.stream.Packet(time.Now(), packetAt(t, 2, 1920, make([]byte, tc.now)))
		if got := m.red.last(); got.PayloadType != tc.want {
			t.Errorf("%d bytes after %d: payload type %d, want %d", tc.now, tc.before, got.PayloadType, tc.want)
		}
	}
}

// TestRedundancyRecoversLoss loses 10 % on the way to a subscriber of RED and counts
// the frames it has in the end.
func TestRedundancyRecoversLoss(t *testing.T) {
	m := newMicrophone(t)
	const frames = 5000
	for n := 1; n <= frames; n++ {
		m.say(n)
	}
	random := rand.New(rand.NewPCG(1, 2))
	got := map[int]bool{}
	lost := 0
	for i := range m.red.packets {
		if random.IntN(10) == 0 {
			lost++
			continue
		}
		p := &m.red.packets[i]
		if p.PayloadType == lineOpus {
			got[m.frame(p.Payload)] = true
			continue
		}
		primary, _, _ := codec.PrimaryRED(p.Payload)
		got[m.frame(primary)] = true
		blocks, _ := codec.REDBlocks(p.Payload, nil)
		got[m.frame(blocks[0].Data)] = true
	}
	missing := frames - len(got)
	t.Logf("%d of %d packets lost, %d frames missing", lost, frames, missing)
	// Gone is what was lost with the packet behind it: one in a hundred.
	if lost < frames*9/100 || missing > frames*2/100 {
		t.Errorf("%d packets lost, %d frames missing, want one in ten of those lost", lost, missing)
	}
}

// TestRecovery loses packets of redundant audio on the way from the publisher. What
// a later packet repeats goes to everybody, in its order and without being asked for.
func TestRecovery(t *testing.T) {
	one := func(m *microphone, n int) { m.sayRED(n, n-1) }
	two := func(m *microphone, n int) { m.sayRED(n, n-2, n-1) }
	for _, tc := range []struct {
		name      string
		say       func(*microphone, int)
		order     []int
		want      string
		recovered int64
	}{
		{"none lost", one, []int{1, 2, 3}, "[1 2 3]", 0},
		{"one lost", one, []int{1, 2, 4, 5}, "[1 2 3 4 5]", 1},
		{"two lost, one repeated", one, []int{1, 2, 5, 6}, "[1 2 4 5 6]", 1},
		{"two lost, two repeated", two, []int{1, 2, 5, 6}, "[1 2 3 4 5 6]", 2},
		{"every second lost", one, []int{1, 3, 5, 7}, "[1 2 3 4 5 6 7]", 3},
		{"merely late", one, []int{1, 2, 4, 3, 5}, "[1 2 3 4 5]", 1},
		{"too many lost", one, []int{1, 2, 12, 13}, "[1 2 12 13]", 0},
		{"wrapping around", one, []int{65535, 65537, 65538}, "[65535 65536 65537 65538]", 1},
	} {
		m := newMicrophone(t)
		for _, n := range tc.order {
			tc.say(m, n)
		}
		if got := m.heard(m.plain); got != tc.want {
			t.Errorf("%s: plain audio is %s, want %s", tc.name, got, tc.want)
		}
		var primaries []int
		for i := range m.red.packets {
			p := &m.red.packets[i]
			payload := p.Payload
			if p.PayloadType == lineRED {
				payload, _, _ = codec.PrimaryRED(payload)
			}
			primaries = append(primaries, m.frame(payload))
		}
		if got := fmt.Sprint(primaries); got != tc.want {
			t.Errorf("%s: redundant audio is %s, want %s", tc.name, got, tc.want)
		}
		c := m.registry.Stats().Counters
		if c.Recovered != tc.recovered || c.Repaired != tc.recovered {
			t.Errorf("%s: %d recovered, %d repaired; want %d", tc.name, c.Recovered, c.Repaired, tc.recovered)
		}
	}
}

// TestRecoveryAsksForTheRest checks that what redundancy did not bring is asked for
// and what it did is not.
func TestRecoveryAsksForTheRest(t *testing.T) {
	m := newMicrophone(t)
	m.sayRED(1, 0)
	m.sayRED(5, 4) // 2 and 3 are missing
	if n := m.registry.Stats().Counters.NACKSent; n != 2 {
		t.Errorf("%d packets asked for, want 2", n)
	}
	if got := m.enc.loss.Pending(); got != 2 {
		t.Errorf("%d packets missing, want 2", got)
	}
	for seq, want := range map[int64]bool{2: true, 3: true, 4: false} {
		if got := m.enc.loss.Asked(m.enc.highest - 5 + seq); got != want {
			t.Errorf("packet %d asked for: %t, want %t", seq, got, want)
		}
	}
}

// TestRecoveryRefuses gives blocks that are not what they would have to be.
func TestRecoveryRefuses(t *testing.T) {
	for name, payload := range map[string][]byte{
		"from before the newest packet": {0x80 | micOpus, 1920 >> 6, 1920 << 2 & 0xff, 1, micOpus, 1, 2},
		"of the packet's own time":      {0x80 | micOpus, 0, 0, 1, micOpus, 1, 2},
		"empty":                         {0x80 | micOpus, 960 >> 6, 0, 0, micOpus, 2},
		"not Opus":                      {0x80 | 13, 960 >> 6, 0, 1, micOpus, 1, 2},
		"redundancy in redundancy":      {0x80 | micRED, 960 >> 6, 0, 1, micOpus, 1, 2},
	} {
		m := newMicrophone(t)
		m.sayRED(1, 0)
		m.deliver(3, micRED, payload)
		if n := m.registry.Stats().Counters.Recovered; n != 0 {
			t.Errorf("a block %s: %d recovered, want 0", name, n)
		}
	}
}
