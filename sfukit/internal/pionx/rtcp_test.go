package pionx_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// reader is a Handler that keeps what it is given.
type reader struct {
	*listener
	packets []rtcp.Packet
	bad     int
}

func (r *reader) RTCP(_ time.Time, p rtcp.Packet) { r.packets = append(r.packets, p) }
func (r *reader) Malformed()                      { r.bad++ }

// deliver gives b to the buffers of SSRCs as pion does, in any order.
func deliver(h transport.Handler, b []byte, ssrcs ...uint32) {
	buffer := pionx.NewBuffer(h)
	slices.Sort(ssrcs)
	for _, ssrc := range slices.Compact(ssrcs) {
		_, _ = buffer(packetio.RTCPBufferPacket, ssrc).Write(b)
	}
}

// feedback makes a transport-wide feedback message of raw chunks and deltas.
func feedback(ssrc uint32, count uint16, chunks []uint16, deltas int) []byte {
	b := []byte{0x8f, byte(rtcp.TypeTransportSpecificFeedback), 0, 0, 0, 0, 0, 7}
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint16(b, count)
	b = append(b, 0, 0, 1, 0)
	for _, c := range chunks {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	b = append(b, make([]byte, deltas)...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

const (
	run      = 0x2000 // of packets that arrived, to which a length is added
	runLarge = 0x4000 // the same with deltas of two octets
	runLost  = 0x0000
	wrapping = 0xc000 // seven that did not arrive: more than a count of 65535 has room for
)

// claims are messages that speak of more than they hold.
func claims() map[string][]byte {
	all := slices.Repeat([]uint16{run | 8191}, 9)
	return map[string][]byte{
		"forty octets":   feedback(1, 65535, slices.Repeat([]uint16{run | 8191}, 8), 2),
		"a datagram":     feedback(1, 65535, slices.Repeat([]uint16{run | 8191}, 690), 0),
		"wrapped around": feedback(1, 65535, append(append(slices.Repeat([]uint16{runLost | 8191}, 8), runLost|6, wrapping), all...), 0),
		"one run":        feedback(1, 8191, []uint16{run | 8191}, 100),
		"large deltas":   feedback(1, 100, []uint16{runLarge | 100}, 195),
		"vector":         feedback(1, 140, slices.Repeat([]uint16{0xbfff}, 10), 100),
		"no chunks":      feedback(1, 10, nil, 0),
		"many lost":      feedback(1, 65535, slices.Repeat([]uint16{runLost | 8191}, 9), 2),
	}
}

// TestClaims has messages claim what they do not hold. Nothing may be allocated for
// what they claim.
func TestClaims(t *testing.T) {
	for name, b := range claims() {
		var h reader
		tap := pionx.NewBuffer(&h)(packetio.RTCPBufferPacket, 1)
		allocs := testing.AllocsPerRun(10, func() { _, _ = tap.Write(b) })
		if h.bad != 11 || len(h.packets) != 0 {
			t.Errorf("%s: %d complaints and %d packets for 11 writes, want 11 and 0", name, h.bad, len(h.packets))
		}
		if allocs > 0 {
			t.Errorf("%s: %v allocations for %d octets, want none", name, allocs, len(b))
		}
	}
	// What a message does hold costs a few for each octet.
	full := feedback(1, 1300, []uint16{run | 1300}, 1300)
	var h reader
	tap := pionx.NewBuffer(&h)(packetio.RTCPBufferPacket, 1)
	if allocs := testing.AllocsPerRun(10, func() { _, _ = tap.Write(full) }); allocs > 1400 || len(h.packets) != 11 || h.bad != 0 {
		t.Errorf("%v allocations and %d packets for 11 writes of %d octets, want at most 1400 and 11", allocs, len(h.packets), len(full))
	}
}

// TestEachPacketOnce delivers compound packets of all kinds as pion does: each is
// passed on once, whatever the number of SSRCs that it and its neighbours speak of.
func TestEachPacketOnce(t *testing.T) {
	report := rtcp.ReceptionReport{SSRC: 11}
	packets := []rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1},
		&rtcp.SenderReport{SSRC: 1, Reports: []rtcp.ReceptionReport{report, {SSRC: 12}}},
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 12}, report}},
		&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 11},
		&rtcp.FullIntraRequest{SenderSSRC: 1, FIR: []rtcp.FIREntry{{SSRC: 11}, {SSRC: 12}, {SSRC: 11}}},
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 12, Nacks: []rtcp.NackPair{{PacketID: 7}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 1e6, SSRCs: []uint32{12, 11}},
		&rtcp.CCFeedbackReport{SenderSSRC: 1, ReportBlocks: []rtcp.CCFeedbackReportBlock{
			{MediaSSRC: 11, MetricBlocks: make([]rtcp.CCFeedbackMetricBlock, 2)}, {MediaSSRC: 12},
		}},
	}
	wide := feedback(13, 3, []uint16{run | 3}, 3)
	rand.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	b, err := rtcp.Marshal(packets)
	if err != nil {
		t.Fatal(err)
	}
	// Kinds that nobody has a use for are passed over.
	bye, err := rtcp.Marshal([]rtcp.Packet{&rtcp.Goodbye{Sources: []uint32{11}}, &rtcp.SourceDescription{}, &rtcp.ReceiverReport{SSRC: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var h reader
	deliver(&h, slices.Concat(b, wide, bye), 1, 11, 12, 13)
	if got, want := len(h.packets), len(packets)+1; got != want || h.bad != 0 {
		t.Errorf("%d packets and %d complaints, want %d and none", got, h.bad, want)
	}
	for _, want := range packets {
		found := 0
		for _, got := range h.packets {
			a, _ := got.Marshal()
			b, _ := want.Marshal()
			if slices.Equal(a, b) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%T is delivered %d times, want once", want, found)
		}
	}
}

// TestTooMuchMalformed ends a client that sends RTCP that cannot be read, unless it
// does so seldom.
func TestTooMuchMalformed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		often := func(n int, every time.Duration) (ended int) {
			h := &reader{listener: newListener()}
			g := pionx.Guard(h)
			for range n {
				g.Malformed()
				time.Sleep(every)
			}
			if h.bad != n {
				t.Errorf("%d complaints passed on, want %d", h.bad, n)
			}
			return len(h.states)
		}
		for _, test := range []struct {
			n     int
			every time.Duration
			ended int
		}{
			{pionx.MalformedBurst, 0, 0},
			{pionx.MalformedBurst + 1, 0, 1},
			{1000, 0, 1},
			{1000, time.Second, 0},
			{1000, time.Second / 2, 1},
		} {
			if got := often(test.n, test.every); got != test.ended {
				t.Errorf("%d of them %s apart: ended %d times, want %d", test.n, test.every, got, test.ended)
			}
		}
	})
}
