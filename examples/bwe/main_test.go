package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "the link carries") < 2 || !strings.Contains(got, "kbit/s") {
		t.Errorf("printed %q, want at least two estimates", got)
	}
}

func TestSymbols(t *testing.T) {
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
	want := []bwe.Symbol{{}, {Received: true, Delta: 250 * time.Microsecond}, {Received: true, Delta: -500 * time.Microsecond}, {}}
	if got := symbols(fb); !slices.Equal(got, want) {
		t.Errorf("symbols = %v, want %v", got, want)
	}
}
