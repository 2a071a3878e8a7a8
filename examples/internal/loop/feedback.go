package loop

import (
	"iter"
	"time"

	"github.com/pion/rtcp"
)

// Arrivals tells of each packet that a transport-wide feedback message is about,
// from its base number on, whether it arrived and how long after the previous
// one that did. Chunks may run past the last packet; the count in the message
// says where to stop.
func Arrivals(fb *rtcp.TransportLayerCC) iter.Seq2[bool, time.Duration] {
	var states []uint16
	for _, chunk := range fb.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				states = append(states, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			states = append(states, c.SymbolList...)
		}
	}
	states = states[:min(len(states), int(fb.PacketStatusCount))]
	return func(yield func(bool, time.Duration) bool) {
		deltas := fb.RecvDeltas
		for _, state := range states {
			arrived := state == rtcp.TypeTCCPacketReceivedSmallDelta || state == rtcp.TypeTCCPacketReceivedLargeDelta
			var delta time.Duration
			if arrived = arrived && len(deltas) > 0; arrived {
				delta, deltas = time.Duration(deltas[0].Delta)*time.Microsecond, deltas[1:]
			}
			if !yield(arrived, delta) {
				return
			}
		}
	}
}
