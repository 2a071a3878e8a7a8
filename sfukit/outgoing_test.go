package sfukit

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const bigKey = 100 // packets

// burst has a camera whose keyframes are as large as many frames, a microphone, and
// viewers whose links carry the camera and little more. It returns when a keyframe is
// about to be sent.
func burst(t *testing.T, viewers int, change ...func(*Config)) (h *hall, sender *member, watching []*member) {
	t.Helper()
	h = newHall(t, change...)
	loud := mic(func(*member) int { return 30 })
	sender = h.join(1, single(400*units.Kbps), loud)
	for i := range viewers {
		watching = append(watching, h.join(PeerID(10+i), withTarget(600*units.Kbps)))
	}
	h.run(5 * time.Second)
	for _, v := range watching {
		if v.line(sender, KindVideo) == nil || v.line(sender, KindAudio) == nil {
			t.Fatalf("%d has tracks %v, want audio and video", v.peer.ID(), v.tracks)
		}
		for _, l := range v.lines {
			l.sent = nil
		}
	}
	sender.cameras[0].keySize, sender.cameras[0].key = bigKey, true
	return h, sender, watching
}

// primary returns what was sent on a line for the first time, repairs what was not.
func (l *hallLine) primary() []sentPacket { return l.of(l.params.SSRC) }
func (l *hallLine) repairs() []sentPacket { return l.of(l.params.RTXSSRC) }

func (l *hallLine) of(ssrc uint32) (out []sentPacket) {
	for _, p := range l.sent {
		if p.header.SSRC == ssrc {
			out = append(out, p)
		}
	}
	return out
}

// TestKeyframesAreSpread sends a keyframe of 100 packets to twenty viewers, together
// with audio.
func TestKeyframesAreSpread(t *testing.T) {
	h, sender, viewers := burst(t, 20)
	began := h.now
	h.run(time.Second)
	for _, v := range viewers {
		video := v.line(sender, KindVideo).primary()
		if len(video) < bigKey {
			t.Fatalf("%d packets of video, want %d and more", len(video), bigKey)
		}
		var first, last time.Time
		inSlot := map[int64]int{}
		for i := range video {
			p := &video[i]
			if i > 0 && p.header.SequenceNumber != video[i-1].header.SequenceNumber+1 {
				t.Fatalf("number %d after %d", p.header.SequenceNumber, video[i-1].header.SequenceNumber)
			}
			if i < bigKey+1 && len(p.payload) > 1000 {
				if first.IsZero() {
					first = p.at
				}
				last = p.at
				inSlot[p.at.Sub(began).Milliseconds()/50] += len(p.payload) + headerEstimate
			}
		}
		// At 2.5 times the target it would take 0.6 s; nothing waits longer than 0.3 s.
		if d := last.Sub(first); d < 200*time.Millisecond || d > 310*time.Millisecond {
			t.Errorf("the keyframe took %s, want some 300 ms", d)
		}
		for slot, n := range inSlot {
			if most := bigKey * 1144 / 4; n > most {
				t.Errorf("%d bytes of the keyframe in 50 ms from %d ms on, want at most %d", n, 50*slot, most)
			}
		}
		audio := v.line(sender, KindAudio).primary()
		if len(audio) < 49 {
			t.Errorf("%d packets of audio in a second, want 50", len(audio))
		}
		for i := 1; i < len(audio); i++ {
			if gap := audio[i].at.Sub(audio[i-1].at); gap != 20*time.Millisecond {
				t.Errorf("audio packets %s apart during a keyframe, want 20 ms", gap)
			}
		}
	}
	if n := h.reg.Stats().Counters.ShaperDrops; n != 0 {
		t.Errorf("%d packets dropped", n)
	}
}

// TestShaperOff sends the same as it comes.
func TestShaperOff(t *testing.T) {
	h, sender, viewers := burst(t, 2, func(c *Config) { c.Shaper.Off = true })
	h.run(time.Second)
	for _, v := range viewers {
		video := v.line(sender, KindVideo).primary()
		n := 0
		for i := range video {
			if video[i].at.Equal(video[bigKey/2].at) {
				n++
			}
		}
		if n < bigKey {
			t.Errorf("%d packets left with the middle of the keyframe, want all %d", n, bigKey)
		}
	}
}

// TestRepairsAreSpread: requests for more than the link carries at once are answered
// over time, before the video that waits, and numbered as they leave.
func TestRepairsAreSpread(t *testing.T) {
	for _, during := range []string{"silence", "keyframe"} {
		t.Run(during, func(t *testing.T) {
			h, sender, viewers := burst(t, 1)
			v := viewers[0]
			l := v.line(sender, KindVideo)
			h.run(2 * time.Second)
			sent := l.primary()
			if during == "keyframe" {
				sender.cameras[0].key = true
				h.until("a keyframe to wait", time.Second, func() bool { n, _ := v.peer.sub.shaper.Queued(); return n > 50 })
			}
			const asked = 40 // of the last second, which is remembered
			began := h.now
			nack := &rtcp.TransportLayerNack{MediaSSRC: l.params.SSRC}
			for i := range asked {
				nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: sent[len(sent)-asked+i].header.SequenceNumber})
			}
			v.handler.RTCP(h.now, nack)
			v.handler.RTCP(h.now, nack) // again, within a round trip
			h.run(500 * time.Millisecond)
			repairs := l.repairs()
			if len(repairs) != asked {
				t.Fatalf("%d repairs, want %d", len(repairs), asked)
			}
			for i := 1; i < len(repairs); i++ {
				if a, b := repairs[i-1].header, repairs[i].header; b.SequenceNumber != a.SequenceNumber+1 {
					t.Errorf("repair %d follows %d", b.SequenceNumber, a.SequenceNumber)
				}
			}
			at := repairs[asked-1].at
			if d := at.Sub(began); d < 20*time.Millisecond || d > 310*time.Millisecond {
				t.Errorf("the last repair left %s after it was asked for, want them spread over up to 300 ms", d)
			}
			if during == "keyframe" {
				waited := 0
				for _, p := range l.primary() {
					if p.at.After(at) && len(p.payload) > 1000 {
						waited++
					}
				}
				if waited < 10 {
					t.Errorf("%d packets of the keyframe left after the repairs, want them to wait", waited)
				}
			}
		})
	}
}

// TestLeavingWhilePacketsWait: who leaves in the middle of a keyframe gets nothing
// more, keeps nothing, and delays nobody.
func TestLeavingWhilePacketsWait(t *testing.T) {
	h, sender, viewers := burst(t, 6)
	h.run(100 * time.Millisecond)
	for i, v := range viewers {
		if n, _ := v.peer.sub.shaper.Queued(); n == 0 {
			t.Fatalf("nothing waits for %d in the middle of a keyframe", v.peer.ID())
		}
		if i%2 == 0 {
			continue
		}
		before := len(v.lines[0].sent) + len(v.lines[1].sent)
		v.peer.Close()
		if n, _ := v.peer.sub.shaper.Queued(); n != 0 {
			t.Errorf("%d packets wait for %d, which has left", n, v.peer.ID())
		}
		h.run(10 * time.Millisecond)
		if n := len(v.lines[0].sent) + len(v.lines[1].sent) - before; n != 0 {
			t.Errorf("%d packets were sent to %d after it left", n, v.peer.ID())
		}
	}
	h.run(time.Second)
	if n := len(viewers[0].line(sender, KindVideo).primary()); n < bigKey {
		t.Errorf("%d packets for who stayed, want the keyframe and more", n)
	}
	// The publisher, and then the room, ends while packets wait.
	sender.cameras[0].key = true
	h.run(100 * time.Millisecond)
	sender.peer.Close()
	viewers[0].peer.Close()
	h.run(time.Second)
	for _, v := range []*member{viewers[2], viewers[4]} {
		if n, _ := v.peer.sub.shaper.Queued(); n != 0 {
			t.Errorf("%d packets still wait for %d a second after the publisher left", n, v.peer.ID())
		}
		v.peer.Close()
	}
}

// TestLatePacer has a pacer that comes late, and takes its time: what it sends is
// stamped when it leaves.
func TestLatePacer(t *testing.T) {
	told := map[*member]*told{}
	h, _, viewers := burst(t, 5, estimators(told))
	h.until("a keyframe to wait", time.Second, func() bool { n, _ := viewers[4].peer.sub.shaper.Queued(); return n > 50 })
	h.now, h.slow = h.now.Add(9*time.Millisecond), time.Millisecond
	for _, v := range viewers {
		told[v].sent = nil
	}
	due := h.now
	var b resendBuffer
	viewers[0].peer.room.flush(&b)
	h.slow = 0
	last := due
	for i, v := range viewers {
		if len(told[v].sent) == 0 {
			t.Fatalf("nothing was sent to viewer %d", i)
		}
		for _, at := range told[v].sent {
			if !at.After(last) {
				t.Errorf("viewer %d's packets are said to leave %s after the pacer came, those before %s", i, at.Sub(due), last.Sub(due))
			}
		}
		last = told[v].sent[0]
	}
}

// TestLongProbe has a prober ask for a cluster of 400 ms: the second half is spread
// as evenly as the first.
func TestLongProbe(t *testing.T) {
	told := map[*member]*told{}
	h, _, viewers := burst(t, 1, estimators(told))
	h.run(2 * time.Second)
	v := viewers[0]
	told[v].sent = nil
	const rate = 3 * units.Mbps
	told[v].cluster = bwe.Cluster{ID: 1, Rate: rate, Bytes: rate.Bytes(400 * time.Millisecond), Packets: 5}
	began := h.now
	h.run(time.Second)
	halves := [2]int{}
	var last time.Time
	var longest [2]time.Duration
	for _, at := range told[v].sent {
		d := at.Sub(began)
		if d < 50*time.Millisecond || d >= 400*time.Millisecond {
			continue // the probe is not asked for at once
		}
		half := int(d / (225 * time.Millisecond))
		halves[half]++
		if !last.IsZero() {
			longest[half] = max(longest[half], at.Sub(last))
		}
		last = at
	}
	for i := range halves {
		// A packet of 1144 bytes takes 3.05 ms at this rate.
		if longest[i] > 4*time.Millisecond || halves[i] < 40 {
			t.Errorf("half %d: %d packets, at most %s apart, want 50 or so and at most 4 ms", i, halves[i], longest[i])
		}
	}
}
