package rewrite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

// layered makes one packet of one frame: of spatial and temporal layer, with
// flags k (key frame), y (LayerSync), p (inter-picture prediction) and m (marker).
// Frames of one picture id share a timestamp.
func layered(seq int64, picture, spatial, temporal int, flags string) *rewrite.Packet {
	has := func(f string) bool { return strings.Contains(flags, f) }
	return &rewrite.Packet{
		Source: 1, Seq: seq, Timestamp: uint32(picture) * 3000, Marker: has("m"), Arrival: t0,
		Payload: &codec.Payload{
			Start: true, End: true, Keyframe: has("k"), InterPicture: has("p"),
			HasLayers: true, SpatialID: uint8(spatial), TemporalID: uint8(temporal), LayerSync: has("y"),
			Descriptor: codec.Descriptor{PictureIDBits: 15, PictureID: uint16(picture)},
		},
	}
}

func TestWantLayers(t *testing.T) {
	const all = rewrite.MaxLayer
	type step struct {
		want  []uint8 // called before the packet
		frame string  // picture, spatial and temporal layer, flags
		sent  string  // number, picture id and m for the marker; or the reason
	}
	for _, tc := range []struct {
		name  string
		codec codec.Codec
		steps []step
	}{
		{"VP8 temporal layers go at once and come back at their sync frames", codec.VP8, []step{
			{nil, "10 0 0 km", "0 0 m"},
			{nil, "11 0 2 m", "1 1 m"},
			{[]uint8{0, 0}, "12 0 1 m", "layer"},
			{nil, "13 0 2 m", "layer"},
			{nil, "14 0 0 m", "2 2 m"},
			{[]uint8{0, all}, "15 0 2 ym", "layer"}, // layer 1 comes first
			{nil, "16 0 1 m", "layer"},
			{nil, "17 0 1 ym", "3 3 m"},
			{nil, "18 0 2 m", "layer"},
			{nil, "19 0 2 ym", "4 4 m"},
			{nil, "20 0 2 m", "5 5 m"},
		}},
		{"VP8 a key frame brings everything", codec.VP8, []step{
			{[]uint8{0, 0}, "10 0 0 km", "0 0 m"},
			{[]uint8{0, 1}, "11 0 1 m", "layer"},
			{nil, "12 0 0 km", "1 1 m"},
			{nil, "13 0 1 m", "2 2 m"},
			{nil, "14 0 2 m", "layer"},
		}},
		{"VP9 spatial layers go at once, the marker with them", codec.VP9, []step{
			{nil, "10 0 0 k", "0 0"},
			{nil, "10 1 0", "1 0"},
			{nil, "10 2 0 m", "2 0 m"},
			{[]uint8{1, all}, "11 0 0 p", "3 1"},
			{nil, "11 1 0 p", "4 1 m"},
			{nil, "11 2 0 pm", "layer"},
			{[]uint8{0, all}, "12 0 0 p", "5 2 m"},
			{nil, "12 1 0 p", "layer"},
			{nil, "12 2 0 pm", "layer"},
		}},
		{"VP9 layers are not cut within a picture", codec.VP9, []step{
			{nil, "10 0 0 k", "0 0"},
			{[]uint8{0, all}, "10 1 0", "1 0"},
			{nil, "10 2 0 m", "2 0 m"},
			{nil, "11 0 0 p", "3 1 m"},
			{nil, "11 1 0 p", "layer"},
		}},
		{"VP9 spatial layers come back where nothing earlier is needed", codec.VP9, []step{
			{[]uint8{0, all}, "10 0 0 k", "0 0 m"},
			{nil, "10 1 0 m", "layer"},
			{[]uint8{1, all}, "11 0 0 p", "1 1 m"},
			{nil, "11 1 0 pm", "layer"},
			{nil, "12 0 1 p", "2 2 m"},
			{nil, "12 1 1 m", "layer"}, // not of temporal layer 0
			{nil, "13 0 0 p", "3 3 m"},
			{nil, "13 1 0 m", "4 3 m"},
			{nil, "14 0 1 p", "5 4 m"}, // ends the picture: layer 1 has no more
			{nil, "14 1 1 pm", "layer"},
			{nil, "15 0 0 p", "6 5"},
			{nil, "15 1 0 pym", "7 5 m"},
			{nil, "16 0 1 p", "8 6"},
			{nil, "16 1 1 pm", "9 6 m"},
		}},
		{"VP9 in k-SVC mode: at a key picture", codec.VP9, []step{
			{[]uint8{0, all}, "10 0 0 k", "0 0 m"},
			{nil, "10 1 0 m", "layer"},
			{[]uint8{all, all}, "11 0 0 p", "1 1 m"},
			{nil, "11 1 0 pm", "layer"},
			{nil, "12 0 0 k", "2 2"},
			{nil, "12 1 0 m", "3 2 m"},
			{nil, "13 0 0 p", "4 3"},
			{nil, "13 1 0 pm", "5 3 m"},
		}},
		{"VP9 temporal layers come back after an up-switch", codec.VP9, []step{
			{[]uint8{all, 0}, "10 0 0 km", "0 0 m"},
			{nil, "11 0 1 pm", "layer"}, // the picture id keeps the gap
			{[]uint8{all, all}, "12 0 0 pm", "1 2 m"},
			{nil, "13 0 1 pm", "layer"},
			{nil, "14 0 0 pym", "2 4 m"},
			{nil, "16 0 1 pm", "layer"}, // what was 15?
			{nil, "17 0 0 pym", "3 7 m"},
			{nil, "18 0 1 pm", "4 8 m"},
		}},
		{"H264 with frame marking goes as VP8", codec.H264, []step{
			{[]uint8{0, 0}, "10 0 0 km", "0 - m"},
			{nil, "11 0 1 ym", "layer"},
			{[]uint8{0, 1}, "12 0 0 m", "1 - m"},
			{nil, "13 0 1 m", "layer"},
			{nil, "14 0 1 ym", "2 - m"},
			{nil, "15 0 1 m", "3 - m"},
		}},
		{"the publisher stops its upper layers", codec.VP9, []step{
			{[]uint8{1, all}, "10 0 0 k", "0 0"},
			{nil, "10 1 0", "1 0 m"},
			{nil, "10 2 0 m", "layer"},
			{nil, "11 0 0 p", "2 1"},
			{nil, "11 1 0 pm", "3 1 m"},
			{nil, "12 0 0 pm", "4 2 m"}, // the sender's marker
		}},
	} {
		l := newLine(t, rewrite.Config{Codec: tc.codec})
		l.Want(1)
		for i, s := range tc.steps {
			if s.want != nil {
				l.WantLayers(s.want[0], s.want[1])
			}
			var picture, spatial, temporal int
			var flags string
			fmt.Sscanf(s.frame, "%d %d %d %s", &picture, &spatial, &temporal, &flags)
			p := layered(100+int64(i), picture, spatial, temporal, flags)
			if tc.codec == codec.H264 {
				p.Payload.Descriptor = codec.Descriptor{}
			}
			var out rewrite.Out
			got := l.Map(p, &out).String()
			if got == "forwarded" {
				got = fmt.Sprintf("%d %d", out.Seq, out.PictureID)
				if tc.codec == codec.H264 {
					got = fmt.Sprintf("%d -", out.Seq)
				}
				if out.Marker {
					got += " m"
				}
			}
			if got != s.sent {
				t.Errorf("%s: frame %d (%s): %s, want %s", tc.name, i, s.frame, got, s.sent)
			}
		}
	}
}

// A packet of a layer that was dropped, and whose number is given away when it
// comes, goes out without payload, and is made again so.
func TestLateLayer(t *testing.T) {
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 50})
	l.Want(1)
	l.WantLayers(0, 0)
	l.send(layered(100, 1, 0, 0, "km"))
	late := layered(101, 2, 0, 1, "m")
	l.send(layered(102, 3, 0, 0, "m"))
	got := l.send(late)[0]
	if want := (rewrite.Out{Seq: 51, Timestamp: 3000, Empty: true}); got != want {
		t.Errorf("late packet of a dropped layer = %+v, want %+v", got, want)
	}
	if _, _, again, ok := l.Original(51); !ok || again != got {
		t.Errorf("Original = %+v, %v; want %+v", again, ok, got)
	}
	l.drop(rewrite.Duplicate, late)
}

func TestLayers(t *testing.T) {
	check := func(l line, spatial, temporal uint8, needs bool) {
		t.Helper()
		s, tl := l.Layers()
		if s != spatial || tl != temporal || l.NeedsKeyframe() != needs {
			t.Errorf("Layers = %d, %d, NeedsKeyframe = %v; want %d, %d, %v", s, tl, l.NeedsKeyframe(), spatial, temporal, needs)
		}
	}
	l := newLine(t, rewrite.Config{Codec: codec.VP9})
	check(l, rewrite.MaxLayer, rewrite.MaxLayer, false)
	l.WantLayers(1, 200)
	l.Want(1)
	l.send(layered(100, 1, 0, 0, "k"), layered(101, 1, 1, 0, "m"))
	check(l, 1, rewrite.MaxLayer, false)
	l.WantLayers(0, 1)
	check(l, 1, rewrite.MaxLayer, false) // not before the next picture
	l.send(layered(102, 2, 0, 0, "p"))
	check(l, 0, 1, false)
	l.WantLayers(200, 1)
	check(l, 0, 1, true)
	l.send(layered(103, 3, 0, 0, "k"))
	check(l, rewrite.MaxLayer, 1, false)
}
