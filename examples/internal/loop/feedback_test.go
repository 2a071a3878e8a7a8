package loop_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/examples/internal/loop"
)

func TestArrivals(t *testing.T) {
	fb := &rtcp.TransportLayerCC{
		PacketStatusCount: 4,
		PacketChunks: []rtcp.PacketStatusChunk{
			&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketNotReceived, RunLength: 1},
			&rtcp.StatusVectorChunk{SymbolList: []uint16{
				rtcp.TypeTCCPacketReceivedSmallDelta, rtcp.TypeTCCPacketReceivedLargeDelta,
				rtcp.TypeTCCPacketReceivedSmallDelta, rtcp.TypeTCCPacketReceivedSmallDelta, // no delta; beyond the count
			}},
		},
		RecvDeltas: []*rtcp.RecvDelta{{Delta: 250}, {Delta: -500}},
	}
	type arrival struct {
		arrived bool
		delta   time.Duration
	}
	var got []arrival
	for arrived, delta := range loop.Arrivals(fb) {
		got = append(got, arrival{arrived, delta})
	}
	want := []arrival{{}, {true, 250 * time.Microsecond}, {true, -500 * time.Microsecond}, {}}
	if !slices.Equal(got, want) {
		t.Errorf("Arrivals = %v, want %v", got, want)
	}
}
