package rewrite_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/codec"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/rewrite"
)

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		cfg  rewrite.Config
		want string
	}{
		{rewrite.Config{}, "rewrite: invalid configuration: Codec 0 is unknown"},
		{rewrite.Config{Codec: 99}, "rewrite: invalid configuration: Codec 99 is unknown"},
		{rewrite.Config{Codec: codec.VP8, ClockRate: 1_000_001}, "rewrite: invalid configuration: ClockRate 1000001 is above 1000000"},
		{rewrite.Config{Codec: codec.VP8, FirstSeq: 40000}, "rewrite: invalid configuration: FirstSeq 40000 is not below 32768"},
		{rewrite.Config{Codec: codec.VP8, PictureID: 32768}, "rewrite: invalid configuration: PictureID 32768 is not below 32768"},
	} {
		_, err := rewrite.New(tc.cfg)
		if !errors.Is(err, rewrite.ErrConfig) || fmt.Sprint(err) != tc.want {
			t.Errorf("New(%+v) = %v, want %s", tc.cfg, err, tc.want)
		}
	}
}

func TestSwitch(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 500, FirstTimestamp: 10_000, PictureID: 32766, TL0PICIDX: 255})
	l.drop(rewrite.Paused, q.frame(0, 2, true)...)

	l.Want(q.id)
	l.drop(rewrite.AwaitKeyframe, q.frame(33*ms, 2, false)...)
	l.drop(rewrite.NotWanted, f.frame(33*ms, 1, true)...)
	if l.Current() != 0 || l.Target() != q.id {
		t.Errorf("Current, Target = %d, %d; want 0, %d", l.Current(), l.Target(), q.id)
	}
	got := l.send(q.frame(66*ms, 2, true)...)
	want := []rewrite.Out{
		{Seq: 500, Timestamp: 10_000, PictureID: 32766, TL0PICIDX: 255, KeyIdx: 0, Switched: true},
		{Seq: 501, Timestamp: 10_000, PictureID: 32766, TL0PICIDX: 255, KeyIdx: 0, Marker: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("first frame:\n got %+v\nwant %+v", got, want)
	}

	l.Want(f.id)
	late := q.frame(99*ms, 2, false)
	l.send(late[1])
	l.drop(rewrite.AwaitKeyframe, f.frame(99*ms, 3, false)...)
	old := f.frame(132*ms, 1, false)
	key := f.frame(166*ms, 2, true)
	got = l.send(key...)
	want = []rewrite.Out{
		{Seq: 504, Timestamp: 10_000 + 100*90, PictureID: 0, TL0PICIDX: 1, KeyIdx: 1, Switched: true},
		{Seq: 505, Timestamp: 10_000 + 100*90, PictureID: 0, TL0PICIDX: 1, KeyIdx: 1, Marker: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("switched:\n got %+v\nwant %+v", got, want)
	}
	if l.Current() != f.id {
		t.Errorf("Current = %d, want %d", l.Current(), f.id)
	}
	l.drop(rewrite.Late, old...)
	l.drop(rewrite.Late, late[0])
	l.drop(rewrite.NotWanted, q.frame(166*ms, 2, true)...)
	l.drop(rewrite.Duplicate, key...)
}

// Wanting the current source again calls a pending switch off.
func TestSwitchCancelled(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	l.Want(f.id)
	l.Want(q.id)
	l.drop(rewrite.NotWanted, f.frame(10*ms, 1, true)...)
	l.send(q.frame(33*ms, 1, false)...)
}

func TestPause(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 1, FirstTimestamp: 0})
	l.Want(q.id)
	before := q.frame(0, 2, true)
	l.send(before...)
	l.Want(0)
	if _, _, ok := l.Offset(); ok || l.Current() != 0 || l.Target() != 0 {
		t.Errorf("paused: Current %d, Target %d, Offset %v; want none", l.Current(), l.Target(), ok)
	}
	l.drop(rewrite.Paused, q.frame(33*ms, 2, false)...)
	l.Want(q.id)
	l.drop(rewrite.Late, before...)
	l.drop(rewrite.AwaitKeyframe, q.frame(60_000*ms, 2, false)...)
	got := l.send(q.frame(60_033*ms, 1, true)...)[0]
	if got.Seq != 3 || got.Timestamp != 60_033*90 || !got.Switched {
		t.Errorf("after a minute's pause: %+v, want packet 3 at %d", got, 60_033*90)
	}
}

// Audio switches on any packet and needs no payload description.
func TestAudio(t *testing.T) {
	a := &feed{id: 1, domain: 1, seq: 100, latency: 20 * ms}
	b := &feed{id: 2, domain: 2, seq: 9_000, base: 77, latency: 20 * ms}
	l := newLine(t, rewrite.Config{Codec: codec.Opus, ClockRate: 90_000})
	l.Want(a.id)
	l.send(a.packet(0), a.packet(20*ms))
	l.Want(b.id)
	l.send(a.packet(40 * ms))
	got := l.send(b.packet(60 * ms))[0]
	if want := (rewrite.Out{Seq: 3, Timestamp: 60 * 90, Switched: true}); got != want {
		t.Errorf("first packet of the other talker = %+v, want %+v", got, want)
	}
	l.drop(rewrite.NotWanted, a.packet(60*ms), &rewrite.Packet{})
}

func TestReorder(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 10})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	p := append(q.frame(33*ms, 3, false), q.frame(66*ms, 3, false)...)
	got := l.send(p[4], p[1], p[0], p[5], p[3], p[2])
	if want := []uint16{15, 12, 11, 16, 14, 13}; !slices.Equal(seqs(got), want) {
		t.Errorf("reordered packets = %v, want %v", seqs(got), want)
	}
	for i, o := range got {
		if want := map[bool]uint16{true: 1, false: 2}[o.Seq <= 13]; o.PictureID != want {
			t.Errorf("reordered packet %d: picture %d, want %d", i, o.PictureID, want)
		}
	}
	l.drop(rewrite.Duplicate, p...)
}

// Counters continue from the newest packet, not from the one that came last.
func TestSwitchAfterReorder(t *testing.T) {
	q, f := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	late := q.frame(33*ms, 1, false)
	l.send(q.frame(66*ms, 1, true)...)
	l.send(late...)
	l.Want(f.id)
	got := l.send(f.frame(99*ms, 1, true)...)[0]
	want := rewrite.Out{
		Seq: 3, Timestamp: 99 * 90, Marker: true, PictureID: 3, TL0PICIDX: 3, KeyIdx: 2, Switched: true,
	}
	if got != want {
		t.Errorf("switched:\n got %+v\nwant %+v", got, want)
	}
}

// A packet too old for its number to be known free is late.
func TestWindow(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	gone := q.frame(33*ms, 2, false)
	q.seq += 1022
	l.send(q.frame(66*ms, 1, false)...)
	l.drop(rewrite.Late, gone[0])
	l.send(gone[1])
}

func TestSkip(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 100})
	l.Skip(q.packet(0)) // no source yet: nothing to close up
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...) // 100
	pad := q.packet(10 * ms)
	l.Skip(pad)
	l.Skip(pad) // a duplicate
	a := q.frame(33*ms, 2, false)
	l.send(a[1])                      // 102
	layer := q.frame(66*ms, 3, false) // a picture nobody needs
	l.Skip(layer[0])                  //
	l.Skip(layer[2])                  // its middle is late
	l.Skip(layer[1])                  //
	b := q.frame(99*ms, 2, false)     //
	got := l.send(b[0], a[0], b[1])   // 104, 101, 105: 103 stays for layer[1]
	want := []uint16{104, 101, 105}
	if !slices.Equal(seqs(got), want) {
		t.Errorf("around skips = %v, want %v", seqs(got), want)
	}
	if got[0].PictureID != 2 || got[1].PictureID != 1 || got[2].PictureID != 2 {
		t.Errorf("pictures around a skipped one = %d, %d, %d; want 2, 1, 2",
			got[0].PictureID, got[1].PictureID, got[2].PictureID)
	}
	l.drop(rewrite.Skipped, pad, layer[0], layer[2])
}

// Spans of numbers are remembered for 64 skips; what is older is late.
func TestSkipWindow(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	held := q.frame(1*ms, 1, false)
	recent := held
	for i := range 200 {
		l.Skip(q.packet(2 * ms))
		recent = q.frame(2*ms, 2, false)
		if got := l.send(recent[0])[0]; int(got.Seq) != 2+2*i {
			t.Fatalf("after skip %d: number %d, want %d", i, got.Seq, 2+2*i)
		}
	}
	l.drop(rewrite.Late, held...)
	for range 100 { // together one skip
		l.Skip(q.packet(2 * ms))
	}
	if got := l.send(recent[1])[0]; got.Seq != 401 {
		t.Errorf("recent packet = %d, want 401", got.Seq)
	}
}

// VP9 pictures refer to each other by distance, so skipping one leaves a gap.
func TestSkipVP9(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP9})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	l.Skip(q.frame(33*ms, 1, false)[0])
	if got := l.send(q.frame(66*ms, 1, false)...)[0]; got.Seq != 1 || got.PictureID != 2 {
		t.Errorf("after a skipped picture: number %d, picture %d; want 1, 2", got.Seq, got.PictureID)
	}
}

// A sender that starts over under the same name needs a key frame.
func TestRestart(t *testing.T) {
	for _, tc := range []struct {
		name string
		seq  int64
		base uint32
	}{
		{"forward", 3001, 0},
		{"backward", -5000, 0},
		{"timestamps ahead", 0, 90 * 12_000},
		{"timestamps back", 0, 1<<32 - 90*12_000},
		{"both", -20_000, 1 << 31},
	} {
		q, _ := lowHigh()
		l := newLine(t, rewrite.Config{Codec: codec.VP8, FirstSeq: 65})
		l.Want(q.id)
		l.send(q.frame(0, 1, true)...)
		q.seq += tc.seq
		q.base += tc.base
		l.drop(rewrite.AwaitKeyframe, q.frame(33*ms, 2, false)...)
		l.Skip(q.packet(50 * ms))
		got := l.send(append(q.frame(66*ms, 1, true), q.frame(99*ms, 1, false)...)...)
		want := []rewrite.Out{
			{Seq: 66, Timestamp: 66 * 90, Marker: true, PictureID: 1, TL0PICIDX: 1, KeyIdx: 1, Switched: true},
			{Seq: 67, Timestamp: 99 * 90, Marker: true, PictureID: 2, TL0PICIDX: 2, KeyIdx: 1},
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tc.name, got, want)
		}
	}
}

// A packet that was long under way is no restart: the stream must not be cut
// for it.
func TestVeryOldPacket(t *testing.T) {
	q, _ := lowHigh()
	l := newLine(t, rewrite.Config{Codec: codec.VP8})
	l.Want(q.id)
	l.send(q.frame(0, 1, true)...)
	old := q.frame(33*ms, 1, true)
	for i := range 4 {
		q.seq += 1000
		l.send(q.frame(66*ms, i+1, false)...)
	}
	l.drop(rewrite.Late, old...)
	l.send(q.frame(100*ms, 1, false)...)
}

func TestDrops(t *testing.T) {
	var got []string
	for _, d := range rewrite.Drops() {
		got = append(got, d.String())
	}
	want := []string{"not_wanted", "await_keyframe", "late", "duplicate", "paused", "skipped", "layer"}
	if !slices.Equal(got, want) {
		t.Errorf("Drops = %v, want %v", got, want)
	}
	if rewrite.Forwarded.String() != "forwarded" || rewrite.Drop(99).String() != "unknown" {
		t.Errorf("Forwarded and 99 = %v, %v", rewrite.Forwarded, rewrite.Drop(99))
	}
}
