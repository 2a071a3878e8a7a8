package sfukit_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

// audioNACK has a pion client do for audio what libwebrtc does: ask for what it
// lost and send again what is asked for.
func audioNACK(m *webrtc.MediaEngine, _ *interceptor.Registry) error {
	m.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, webrtc.RTPCodecTypeAudio)
	return nil
}

// TestAudioLossIsRepaired loses a tenth of the audio on the way in and out, for a
// listener with redundancy and one without. All of it comes, and nothing is ever
// encrypted twice in two ways.
func TestAudioLossIsRepaired(t *testing.T) {
	virtually(t, func(w *world) {
		var mic *source
		publisher := w.join("room", 1, clientConfig{feedback: audioNACK, codecs: audioCodecs(111, 0), prepare: func(pc *webrtc.PeerConnection) {
			mic = addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic")
		}})
		listeners := map[string]*client{
			"plain":     w.join("room", 2, clientConfig{feedback: audioNACK, codecs: audioCodecs(111, 0)}),
			"redundant": w.join("room", 3, clientConfig{feedback: audioNACK, codecs: audioCodecs(111, 63)}),
		}
		for _, l := range listeners {
			l.from(1, sfukit.KindAudio)
			l.wait("connection", func() bool { return l.peer.Stats().Connected && publisher.peer.Stats().Connected })
		}
		time.Sleep(time.Second)
		type number struct {
			to   string
			ssrc uint32
			seq  uint16
		}
		wire := map[number][]byte{}
		random := rand.New(rand.NewPCG(3, 4))
		count, lost, repeated := 0, 0, 0
		w.lose(func(d datagram) bool {
			if d.rtp == nil {
				return false
			}
			n := number{d.to, d.rtp.SSRC, d.rtp.SequenceNumber}
			before, again := wire[n]
			if again && d.from == nodeIP {
				repeated++
				if !bytes.Equal(before, d.body) {
					t.Errorf("number %d of %d goes to %s in two forms", n.seq, n.ssrc, n.to)
				}
			}
			wire[n] = bytes.Clone(d.body)
			count++
			if count < 20 || count > 3000 || random.IntN(10) > 0 {
				return false
			}
			lost++
			return true
		})
		mic.feedback()
		mic.talk(func() uint8 { return 30 })
		time.Sleep(25 * time.Second)
		w.lose(nil)
		for name, l := range listeners {
			packets := l.packets(l.from(1, sfukit.KindAudio), 1000)
			have := map[int]bool{}
			for _, p := range packets {
				have[opusMark(p.Payload)] = true
				if p.PayloadType == 63 {
					blocks, _ := codec.REDBlocks(p.Payload, nil)
					for _, b := range blocks {
						have[opusMark(b.Data)] = true
					}
				}
			}
			first, last := opusMark(packets[0].Payload), opusMark(packets[len(packets)-1].Payload)
			missing := last - first + 1 - len(have)
			t.Logf("%s: %d packets, %d of %d frames missing", name, len(packets), missing, last-first+1)
			// What the publisher could not send again in time is missing, nothing else.
			if gaveUp := int(w.reg.Stats().Counters.NACKGaveUp); missing > gaveUp || gaveUp > 3 {
				t.Errorf("%s: %d of %d frames are missing, %d were given up", name, missing, last-first+1, gaveUp)
			}
		}
		c := w.reg.Stats().Counters
		t.Logf("%d datagrams, %d lost; %d asked for, %d repaired, %d given up; %d sent again, drops %v",
			count, lost, c.NACKSent, c.Repaired, c.NACKGaveUp, c.Resent, c.NACKDrops)
		if lost < 200 || repeated == 0 || c.Repaired == 0 || c.Resent < int64(repeated) || c.NACKDrops["changed"] != 0 {
			t.Errorf("%d datagrams lost, %d repeated, %d repaired, %d sent again, drops %v", lost, repeated, c.Repaired, c.Resent, c.NACKDrops)
		}
	})
}
