package rewrite_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
)

var (
	switches    = flag.Int("switches", 150, "switches of TestReceiver for each scheme")
	updateBench = flag.String("update-bench", "", "write the table of TestReceiver into this Markdown file")
)

var schemes = []struct {
	name string
	scheme
}{
	{"VP8/L1T1", scheme{codec: codec.VP8, spatial: 1, temporal: 1}},
	{"VP8/L1T2", scheme{codec: codec.VP8, spatial: 1, temporal: 2, deep: true}},
	{"VP8/L1T3", scheme{codec: codec.VP8, spatial: 1, temporal: 3, deep: true}},
	{"VP8/L1T3_short", scheme{codec: codec.VP8, spatial: 1, temporal: 3, deep: true, short: true}},
	{"VP9/L1T1", scheme{codec: codec.VP9, spatial: 1, temporal: 1}},
	{"VP9/L1T3", scheme{codec: codec.VP9, spatial: 1, temporal: 3}},
	{"VP9/L3T3", scheme{codec: codec.VP9, spatial: 3, temporal: 3}},
	{"VP9/L3T3_KEY", scheme{codec: codec.VP9, spatial: 3, temporal: 3, keyed: true}},
	{"VP9/L3T3_flexible", scheme{codec: codec.VP9, spatial: 3, temporal: 3, flexible: true, deep: true}},
	{"VP9/L3T3_KEY_flexible", scheme{codec: codec.VP9, spatial: 3, temporal: 3, keyed: true, flexible: true}},
	{"H264/L1T1", scheme{codec: codec.H264, spatial: 1, temporal: 1}},
	{"H264/L1T2", scheme{codec: codec.H264, spatial: 1, temporal: 2, deep: true}},
	{"H264/L1T3", scheme{codec: codec.H264, spatial: 1, temporal: 3}},
	{"AV1/L1T1", scheme{codec: codec.AV1, spatial: 1, temporal: 1}},
	{"AV1/L1T2", scheme{codec: codec.AV1, spatial: 1, temporal: 2}},
	{"AV1/L1T3", scheme{codec: codec.AV1, spatial: 1, temporal: 3}},
	{"AV1/L2T1", scheme{codec: codec.AV1, spatial: 2, temporal: 1}},
	{"AV1/L3T3", scheme{codec: codec.AV1, spatial: 3, temporal: 3}},
	{"AV1/L3T3_KEY", scheme{codec: codec.AV1, spatial: 3, temporal: 3, keyed: true}},
}

// TestReceiver lets a model of a browser's receiver watch a line whose source and
// layers change at random, without loss and with: whatever is sent must be
// decoded.
func TestReceiver(t *testing.T) {
	var rows []row
	for i, s := range schemes {
		for _, lossy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/lossy=%v", s.name, lossy), func(t *testing.T) {
				w := newWorld(t, s.scheme, rand.NewPCG(uint64(i), 7), lossy)
				w.run(*switches)
				t.Logf("%+v", w.tally)
				rows = append(rows, row{s.name, lossy, w.tally})
				if w.tally.held*100 > w.tally.frames {
					t.Errorf("%d of %d frames held up, want at most 1 %%", w.tally.held, w.tally.frames)
				}
				if w.tally.split > w.tally.layers {
					t.Errorf("%d pictures in two parts, want at most one for each of %d changes of layers", w.tally.split, w.tally.layers)
				}
				if w.tally.frozen != 0 || w.tally.stalls != 0 {
					t.Errorf("%d frames frozen, %d stalls; want none", w.tally.frozen, w.tally.stalls)
				}
			})
		}
	}
	if *updateBench != "" {
		if err := os.WriteFile(*updateBench, []byte(report(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// row is the outcome of one scheme.
type row struct {
	scheme string
	lossy  bool
	tally
}

const preface = `# Streams put together from many

Written by ` + "`make bench-rewrite`" + `; not edited by hand. %d random changes per row: half of them of the encoding, half of the
layers, in streams whose sequence numbers, timestamps and picture ids wrap, that pause, restart and change their SSRC. With
loss, 4 %% of the packets are lost before the line and 5 %% behind it, and repaired; 4 %% are overtaken, 2 %% come twice. A
model of a browser's receiver, built after the frame assembly and reference finding of libwebrtc, must decode whatever was
sent.

*Frozen* frames were sent complete and could never be decoded; *stalls* are pauses longer than the base layer's period.
*Held* frames waited for a later one because a lost picture turned out to be of a layer that is left out (VP8 only).
*Cut* frames belong to an encoding that the line left before their last packet came. *Split* pictures were decoded in two
parts, since a spatial layer came back within them. *Again* is what was lost and made again, byte for byte.

| scheme | loss | switches | of layers | packets | again | frames | decoded | cut | held | split | frozen | stalls |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
`

// report is docs/bench/rewriting.md.
func report(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, preface, *switches)
	for _, r := range rows {
		loss := "no"
		if r.lossy {
			loss = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", r.scheme, loss,
			r.switches, r.layers, r.packets, r.resent, r.frames, r.decoded, r.cut, r.held, r.split, r.frozen, r.stalls)
	}
	return b.String()
}
