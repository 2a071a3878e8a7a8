package rewrite_test

import (
	"fmt"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// A subscriber on a narrow path gets the base layer of a VP9 stream. It ends the
// picture now, so it carries the marker.
func ExampleRewriter_WantLayers() {
	line, err := rewrite.New(rewrite.Config{Codec: codec.VP9})
	if err != nil {
		fmt.Println(err)
		return
	}
	line.Want(1)
	line.WantLayers(0, rewrite.MaxLayer)
	for i, payload := range [][]byte{
		{0xac, 5, 0x10, 9, 0x86}, // key picture 5: spatial layer 0
		{0xac, 5, 0x13, 9, 0x86}, // spatial layer 1, predicted from it
	} {
		var read codec.Payload
		if err := codec.Parse(codec.VP9, payload, &read); err != nil {
			fmt.Println(err)
			return
		}
		p := rewrite.Packet{Source: 1, Seq: int64(i), Marker: i == 1, Payload: &read}
		var out rewrite.Out
		drop := line.Map(&p, &out)
		fmt.Printf("spatial layer %d: %v, marker %v\n", read.SpatialID, drop, out.Marker)
	}
	fmt.Println(line.Layers())
	// Output:
	// spatial layer 0: forwarded, marker true
	// spatial layer 1: layer, marker false
	// 0 7
}

// A subscriber watches the low encoding of a camera and is moved to the high
// one, which happens at its key frame and continues all counters.
func ExampleRewriter() {
	const low, high rewrite.Source = 1, 2
	line, err := rewrite.New(rewrite.Config{Codec: codec.VP8, FirstSeq: 100, FirstTimestamp: 9000, PictureID: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	forward := func(src rewrite.Source, seq int64, timestamp uint32, at time.Duration, payload []byte) {
		var read codec.Payload
		if err := codec.Parse(codec.VP8, payload, &read); err != nil {
			fmt.Println(err)
			return
		}
		var out rewrite.Out
		p := rewrite.Packet{
			Source: src, Seq: seq, Timestamp: timestamp, Marker: true,
			Arrival: start.Add(at), Payload: &read,
		}
		if drop := line.Map(&p, &out); drop != rewrite.Forwarded {
			fmt.Printf("source %d: %v\n", src, drop)
			return
		}
		rewrite.Patch(payload, &read.Descriptor, &out)
		fmt.Printf("source %d: seq %d, timestamp %d, descriptor % x\n",
			src, out.Seq, out.Timestamp, payload[:read.Descriptor.Size])
	}
	key := []byte{0x50, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}
	picture := func(id byte, frame ...byte) []byte { return append([]byte{0x90, 0x80, id}, frame...) }

	line.Want(low)
	forward(low, 70_000, 111_000, 0, picture(40, key...))
	line.Want(high)
	forward(high, 90_000, 555_000, 30*time.Millisecond, picture(77, 0x51))
	forward(low, 70_001, 114_000, 33*time.Millisecond, picture(41, 0x51))
	forward(high, 90_001, 558_000, 66*time.Millisecond, picture(78, key...))
	forward(low, 70_002, 117_000, 66*time.Millisecond, picture(42, 0x51))

	src, seq, _, _ := line.Original(102)
	fmt.Printf("102 was source %d packet %d\n", src, seq)
	// Output:
	// source 1: seq 100, timestamp 9000, descriptor 90 80 05
	// source 2: await_keyframe
	// source 1: seq 101, timestamp 12000, descriptor 90 80 06
	// source 2: seq 102, timestamp 14940, descriptor 90 80 07
	// source 1: not_wanted
	// 102 was source 2 packet 90001
}
