package sfukit

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// FuzzRTCP has a viewer in a call send a datagram of RTCP, again and again: from the
// tap to the estimator and the encodings, nothing may panic, allocate more than a
// datagram is worth, or give an estimate that is none; and another viewer still gets
// the picture.
func FuzzRTCP(f *testing.F) {
	const video = 2 << 16 // the SSRC of the viewer's first line
	run := func(symbol, n uint16) *rtcp.RunLengthChunk {
		return &rtcp.RunLengthChunk{PacketStatusSymbol: symbol, RunLength: n}
	}
	seeds := []rtcp.Packet{
		&rtcp.TransportLayerCC{
			Header:    rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 6},
			MediaSSRC: video, PacketStatusCount: 6, ReferenceTime: 3,
			PacketChunks: []rtcp.PacketStatusChunk{run(rtcp.TypeTCCPacketReceivedSmallDelta, 4), run(rtcp.TypeTCCPacketNotReceived, 2)},
			RecvDeltas: []*rtcp.RecvDelta{
				{Type: 1, Delta: 250}, {Type: 1, Delta: 1000}, {Type: 1, Delta: 0}, {Type: 1, Delta: 250},
			},
		},
		&rtcp.TransportLayerNack{MediaSSRC: video, Nacks: []rtcp.NackPair{{PacketID: 1000, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: video},
		&rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: video}, {SSRC: 1}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 0x3ffff << 63, SSRCs: []uint32{video}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: video, FractionLost: 255, LastSenderReport: 1, Delay: 1}}},
		&rtcp.SenderReport{SSRC: 1<<16 | 0x8010, NTPTime: 1 << 63},
		&rtcp.CCFeedbackReport{ReportBlocks: []rtcp.CCFeedbackReportBlock{
			{MediaSSRC: video, BeginSequence: 1000, MetricBlocks: []rtcp.CCFeedbackMetricBlock{{Received: true, ArrivalTimeOffset: 8190}, {}}},
		}},
	}
	for _, s := range seeds {
		b, err := rtcp.Marshal([]rtcp.Packet{s})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(1))
	}
	b, err := rtcp.Marshal(seeds)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, uint8(20))
	claim := []byte{0x8f, 205, 0, 9, 0, 0, 0, 7, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0}
	f.Add(append(claim, slices.Repeat([]byte{0x3f, 0xff}, 10)...), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, times uint8) {
		b = b[:min(len(b), 1500)]
		h := newHall(t, func(c *Config) {
			c.NewEstimator = func() BandwidthEstimator {
				e, err := bwe.NewSendSide(bwe.SendSideConfig{})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
		})
		publisher := h.join(1, single(400*units.Kbps))
		odd, other := h.join(2), h.join(3)
		h.run(300 * time.Millisecond)
		line := odd.line(publisher, KindVideo)
		if line == nil || line.params.SSRC != video {
			t.Fatal("the viewer's line has another SSRC than the seeds")
		}
		buffer := pionx.NewBuffer(odd.handler)
		for range min(times, 20) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, ssrc := range []uint32{video, line.params.RTXSSRC, publisher.cameras[0].ssrc, 0, 1} {
				_, _ = buffer(packetio.RTCPBufferPacket, ssrc).Write(slices.Clone(b))
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
				t.Fatalf("%d bytes allocated for a datagram of %d", n, len(b))
			}
			h.run(20 * time.Millisecond)
			e := odd.peer.sub.estimate
			if e.Target < 0 || e.Target > 50*units.Mbps || e.Loss < 0 || e.Loss > 1 || e.Queue < 0 || e.Drained < e.Target {
				t.Fatalf("estimate %+v", e)
			}
		}
		l := other.line(publisher, KindVideo)
		had := len(l.sent)
		h.run(100 * time.Millisecond)
		if len(l.sent) == had {
			t.Error("the other viewer gets nothing any more")
		}
	})
}
