package sfukit

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// ask has a subscriber ask for a packet.
func (m *microphone) ask(l *downLine, seq uint16, at time.Time) {
	l.resend(at, seq, new(resendBuffer))
}

// wire is a packet as it would be encrypted.
func wire(t *testing.T, p rtp.Packet) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRepeatIsIdentical asks for every packet of plain and of redundant lines, of
// plain and of redundant publishers, with losses on the way in that were mended
// meanwhile. What comes is what was sent, to the last bit.
func TestRepeatIsIdentical(t *testing.T) {
	for name, say := range map[string]func(*microphone, int){
		"plain":     (*microphone).say,
		"redundant": func(m *microphone, n int) { m.sayRED(n, n-1) },
	} {
		m := newMicrophone(t)
		for _, n := range []int{1, 2, 3, 5, 6, 4, 7, 9, 10} {
			say(m, n)
		}
		for i, w := range []*tape{m.plain, m.red} {
			sent := w.packets
			next := m.lines[i].peer.sub.sent
			for _, p := range sent {
				w.packets = nil
				m.ask(m.lines[i], p.SequenceNumber, time.Now())
				if len(w.packets) != 1 {
					t.Errorf("%s publisher, line %d: number %d brought %d packets, want 1", name, i, p.SequenceNumber, len(w.packets))
					continue
				}
				if got, want := wire(t, w.packets[0]), wire(t, p); !bytes.Equal(got, want) {
					t.Errorf("%s publisher, line %d: sent\n% x and again\n% x", name, i, want, got)
				}
			}
			if a, b := next.Sent(time.Now(), 1, 0), m.lines[i].peer.sub.sent.Sent(time.Now(), 1, 0); a != b {
				t.Errorf("%s publisher, line %d: repeats took %d transport-wide numbers, want none", name, i, b-a)
			}
		}
		c := m.registry.Stats().Counters
		if want := int64(len(m.lines) * 9); c.Resent < want || c.NACKMissed != 0 || c.NACKSuppressed != 0 {
			t.Errorf("%s publisher: %d sent again, %d missed, %d suppressed; want %d, 0, 0", name, c.Resent, c.NACKMissed, c.NACKSuppressed, want)
		}
	}
}

// TestRepeatRefusals goes through the reasons for which nothing is sent.
func TestRepeatRefusals(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		reason string
		want   string // in the counters
		ask    func(m *microphone, l *downLine, seq uint16)
	}{
		{"never sent", "not_sent", func(m *microphone, l *downLine, seq uint16) { m.ask(l, seq+1, now) }},
		{"too many since", "not_sent", func(m *microphone, l *downLine, seq uint16) { m.ask(l, seq-repeatDepth, now) }},
		{"too old", "forgotten", func(m *microphone, l *downLine, seq uint16) { m.ask(l, seq, now.Add(2*time.Second)) }},
		{"asked twice within a round trip", "too_soon", func(m *microphone, l *downLine, seq uint16) {
			m.ask(l, seq, now)
			m.ask(l, seq, now.Add(unknownRTT-1))
		}},
		{"more than their share", "too_many", func(m *microphone, l *downLine, seq uint16) {
			l.peer.sub.resentBytes = 1 << 40
			m.ask(l, seq, now)
		}},
		{"another packet under the number", "changed", func(m *microphone, l *downLine, seq uint16) {
			// The history is emptied and given other bytes of the same number, as a hostile
			// publisher could bring about.
			m.enc.store.Clear()
			m.enc.store.Put(now, m.enc.highest, packetAt(m.t, uint16(m.enc.highest), 960, voice(0)))
			m.ask(l, seq, now)
		}},
		{"its redundancy is gone", "changed", func(m *microphone, l *downLine, seq uint16) {
			m.enc.store.Clear()
			m.enc.store.Put(now, m.enc.highest, packetAt(m.t, uint16(m.enc.highest), uint32(960*m.enc.highest), voice(int(m.enc.highest))))
			m.ask(m.lines[1], m.red.last().SequenceNumber, now)
		}},
	} {
		m := newMicrophone(t)
		for n := 1; n <= 100; n++ {
			m.say(n)
		}
		before := len(m.plain.packets) + len(m.red.packets)
		seq := m.plain.last().SequenceNumber
		tc.ask(m, m.lines[0], seq)
		c := m.registry.Stats().Counters
		for reason, n := range c.NACKDrops {
			if want := int64(0); reason == tc.want && n != 1 || reason != tc.want && n != want {
				t.Errorf("%s: %d counted as %s, want only one as %s", tc.reason, n, reason, tc.want)
			}
		}
		if sent := len(m.plain.packets) + len(m.red.packets) - before; sent != int(c.Resent) || sent > 1 {
			t.Errorf("%s: %d packets sent, %d counted", tc.reason, sent, c.Resent)
		}
	}
}

// TestRepeatAfterARoundTrip asks again once the answer must have been lost, too.
func TestRepeatAfterARoundTrip(t *testing.T) {
	m := newMicrophone(t)
	m.say(1)
	seq, now := m.plain.last().SequenceNumber, time.Now()
	m.lines[0].peer.sub.rtt.Store(int64(40 * time.Millisecond))
	for i, step := range []struct {
		after time.Duration
		want  int64
	}{{0, 1}, {39 * time.Millisecond, 1}, {40 * time.Millisecond, 2}, {79 * time.Millisecond, 2}, {80 * time.Millisecond, 3}} {
		m.ask(m.lines[0], seq, now.Add(step.after))
		if got := m.registry.Stats().Counters.Resent; got != step.want {
			t.Errorf("request %d: sent again %d times, want %d", i, got, step.want)
		}
	}
}

// TestDeafPublisher checks that one who never sends audio again is not asked for
// ever, and that one answer makes it worth while.
func TestDeafPublisher(t *testing.T) {
	m := newMicrophone(t)
	now, n := time.Now(), 1
	m.say(n)
	lose := func() (asked int64) {
		before := m.registry.Stats().Counters.NACKSent
		n += 2
		m.say(n)
		n++
		m.say(n)
		now = now.Add(time.Second) // every try and the giving up
		m.enc.tick(now, 0)
		return m.registry.Stats().Counters.NACKSent - before
	}
	for i := range maxUnanswered {
		if got := lose(); got != 1 {
			t.Fatalf("loss %d: asked for %d packets, want 1", i, got)
		}
	}
	if got := lose(); got != 0 {
		t.Errorf("after %d vain attempts: asked for %d packets, want 0", maxUnanswered, got)
	}
	if got, want := m.registry.Stats().Counters.NACKGaveUp, int64(maxUnanswered+1); got != want {
		t.Errorf("%d packets given up, want %d", got, want)
	}
	n += 2
	m.say(n)
	n++
	m.say(n)
	m.say(n - 2) // after all
	if got := m.registry.Stats().Counters.Repaired; got != 1 {
		t.Errorf("%d packets repaired, want 1", got)
	}
	if got := lose(); got != 1 {
		t.Errorf("after an answer: asked for %d packets, want 1", got)
	}
}

// TestAudioMemory bounds what is kept for repeats.
func TestAudioMemory(t *testing.T) {
	m := newMicrophone(t)
	for n := range 5000 {
		m.say(n)
	}
	if got := m.enc.store.Bytes(); got > 64*256 {
		t.Errorf("an audio encoding holds %d bytes, want at most 64 packets of 256", got)
	}
}
