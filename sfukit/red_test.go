package sfukit_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// audioCodecs are Opus and RED (0: none) with payload types of one's own.
func audioCodecs(opus, red webrtc.PayloadType) func(*webrtc.MediaEngine) error {
	return func(m *webrtc.MediaEngine) error {
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: capability(webrtc.MimeTypeOpus), PayloadType: opus,
		}, webrtc.RTPCodecTypeAudio); err != nil || red == 0 {
			return err
		}
		return m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: redCapability(opus), PayloadType: red}, webrtc.RTPCodecTypeAudio)
	}
}

func redCapability(opus webrtc.PayloadType) webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: fmt.Sprintf("%d/%d", opus, opus)}
}

// redundant is a RED payload of two blocks (RFC 2198 section 3).
func redundant(pt uint8, before, now []byte) []byte {
	const offset = 960 // ticks between the two
	b := binary.BigEndian.AppendUint32(nil, uint32(0x80|pt)<<24|offset<<10|uint32(len(before)))
	return append(append(append(b, pt), before...), now...)
}

// TestRED has a publisher send redundant audio to one subscriber who takes it,
// under other payload types, and one who does not.
func TestRED(t *testing.T) {
	virtually(t, func(w *world) {
		const opus, red = 100, 101
		var local *webrtc.TrackLocalStaticRTP
		publisher := w.join("room", 1, clientConfig{codecs: audioCodecs(opus, red), prepare: func(pc *webrtc.PeerConnection) {
			var err error
			if local, err = webrtc.NewTrackLocalStaticRTP(redCapability(opus), "mic", "local"); err != nil {
				t.Fatal(err)
			}
			if _, err = pc.AddTransceiverFromTrack(local, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
				t.Fatal(err)
			}
		}})
		silent := func(pc *webrtc.PeerConnection) { addTrack(w.t, pc, webrtc.MimeTypeOpus, "mic") } // its offer sets the numbers
		listeners := []struct {
			*client
			opus, red uint8
		}{
			{w.join("room", 2, clientConfig{codecs: audioCodecs(120, 121), prepare: silent}), 120, 121},
			{w.join("room", 3, clientConfig{codecs: audioCodecs(96, 0), prepare: silent}), 96, 0},
		}
		for _, l := range listeners {
			l.from(1, sfukit.KindAudio)
			l.wait("connection", func() bool { return l.peer.Stats().Connected && publisher.peer.Stats().Connected })
		}
		time.Sleep(time.Second)
		const packets = 50
		frame := func(i int) []byte { return fmt.Appendf([]byte{0xfc}, "frame %d of the voice", i) }
		for i := range packets {
			h := rtp.Header{Version: 2, SequenceNumber: uint16(1000 + i), Timestamp: uint32(i * 960)}
			if err := local.WriteRTP(&rtp.Packet{Header: h, Payload: redundant(opus, frame(i-1), frame(i))}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		for _, l := range listeners {
			got := l.packets(l.from(1, sfukit.KindAudio), packets)
			for i, p := range got {
				pt, want := l.opus, frame(i)
				if l.red != 0 {
					pt, want = l.red, redundant(l.opus, frame(i-1), frame(i))
				}
				if p.PayloadType != pt || !bytes.Equal(p.Payload, want) {
					t.Fatalf("peer %d, packet %d: payload type %d, %q; want %d, %q", l.peer.ID(), i, p.PayloadType, p.Payload, pt, want)
				}
			}
		}
		// Something else inside is not what subscribers were promised.
		h := rtp.Header{Version: 2, SequenceNumber: 1000 + packets, Timestamp: packets * 960}
		if err := local.WriteRTP(&rtp.Packet{Header: h, Payload: redundant(13, frame(0), frame(1))}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for _, l := range listeners {
			if n := l.count(l.from(1, sfukit.KindAudio)); n != packets {
				t.Errorf("peer %d got %d packets, want %d: the last was no Opus", l.peer.ID(), n, packets)
			}
		}
		if n := w.reg.Stats().Counters.IngressDrops["bad_payload"]; n != 1 {
			t.Errorf("%d bad payloads counted, want 1", n)
		}
	})
}
