package pionx_test

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v4/packetio"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/pionx"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/internal/transport"
)

// TestInventedSSRCs has a peer make up more than any may use, of either kind.
func TestInventedSSRCs(t *testing.T) {
	for name, kinds := range map[string][2]packetio.BufferPacketType{
		"media":    {packetio.RTPBufferPacket, packetio.RTCPBufferPacket},
		"feedback": {packetio.RTCPBufferPacket, packetio.RTPBufferPacket},
	} {
		t.Run(name, func(t *testing.T) {
			h := newListener()
			buffer := pionx.NewBuffer(h)
			for ssrc := range uint32(pionx.MaxSSRCs) {
				buffer(kinds[0], ssrc)
			}
			if len(h.states) != 0 {
				t.Fatalf("state %d after %d SSRCs, want none", <-h.states, pionx.MaxSSRCs)
			}
			taken := h.streams.Load()
			for ssrc := range uint32(100) {
				discards := buffer(kinds[0], pionx.MaxSSRCs+ssrc)
				if n, err := discards.Write(pli(pionx.MaxSSRCs + ssrc)); n != 12 || err != nil {
					t.Fatalf("write beyond the limit: %d, %v, want 12 and no error", n, err)
				}
			}
			if got := h.streams.Load() - taken; got != 0 || h.reports.Load() != 0 {
				t.Errorf("%d streams and %d reports taken beyond the limit, want none", got, h.reports.Load())
			}
			if len(h.states) != 1 || <-h.states != transport.Misbehaved {
				t.Error("want one report of Misbehaved")
			}
			if _, err := buffer(kinds[1], 1).Write(pli(1)); err != nil || h.streams.Load()+h.reports.Load() == taken {
				t.Errorf("the other kind is not taken any more (%v)", err)
			}
		})
	}
}

func pli(ssrc uint32) []byte {
	b := []byte{0x81, byte(rtcp.TypePayloadSpecificFeedback), 0, 2, 0, 0, 0, 7, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}
