package layer_test

import (
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// feed gives m frames at 30 a second: temporal layers 0, 2, 1, 2, two spatial
// layers, of which the upper is three times the size.
func feed(m *layer.Meter, from time.Time, d time.Duration, size int) time.Time {
	temporal := []uint8{0, 2, 1, 2}
	now := from
	for i := 0; now.Sub(from) < d; i++ {
		m.Packet(now, 0, temporal[i%4], size, true)
		m.Packet(now, 1, temporal[i%4], 3*size, false)
		now = now.Add(time.Second / 30)
	}
	return now
}

func TestMeterTellsLayersApart(t *testing.T) {
	var m layer.Meter
	now := feed(&m, time.Unix(1000, 0), 6*time.Second, 500)
	// 30 frames/s of 500 bytes are 120 kbit/s; a quarter of them is layer 0.
	want := []layer.LayerRate{
		{Spatial: 0, Temporal: 0, Bitrate: 30 * units.Kbps, FPS: 7.5},
		{Spatial: 0, Temporal: 1, Bitrate: 60 * units.Kbps, FPS: 15},
		{Spatial: 0, Temporal: 2, Bitrate: 120 * units.Kbps, FPS: 30},
		{Spatial: 1, Temporal: 0, Bitrate: 120 * units.Kbps, FPS: 7.5},
		{Spatial: 1, Temporal: 1, Bitrate: 240 * units.Kbps, FPS: 15},
		{Spatial: 1, Temporal: 2, Bitrate: 480 * units.Kbps, FPS: 30},
	}
	got := m.Rates(now, nil)
	if len(got) != len(want) {
		t.Fatalf("Rates = %+v, want %d layers", got, len(want))
	}
	for i, w := range want {
		g := got[i]
		off := math.Abs(float64(g.Bitrate-w.Bitrate)) / float64(w.Bitrate)
		if g.Spatial != w.Spatial || g.Temporal != w.Temporal || off > 0.06 || math.Abs(g.FPS-w.FPS) > 0.06*w.FPS {
			t.Errorf("layer %d = %+v, want %+v within 6 %%", i, g, w)
		}
	}
}

func TestMeterFollowsAndForgets(t *testing.T) {
	var m layer.Meter
	start := time.Unix(1000, 0)
	if got := m.Rates(start, nil); len(got) != 0 {
		t.Errorf("Rates of nothing = %+v, want none", got)
	}
	m.Packet(start, 0, 0, 50_000, true)
	if got := m.Rates(start.Add(100*time.Millisecond), nil); len(got) != 0 {
		t.Errorf("Rates after 100 ms = %+v, want none yet", got)
	}
	now := feed(&m, start, 4*time.Second, 500)
	now = feed(&m, now, 3500*time.Millisecond, 1000) // twice the rate, longer than the window
	if got := m.Rates(now, nil); len(got) != 6 || math.Abs(float64(got[5].Bitrate)-960e3) > 60e3 {
		t.Errorf("Rates after doubling = %+v, want 960 kbit/s at the top", got)
	}
	// The upper spatial layer ends.
	for range 120 {
		m.Packet(now, 0, 0, 500, true)
		now = now.Add(time.Second / 30)
	}
	if got := m.Rates(now, nil); len(got) != 1 {
		t.Errorf("Rates 4 s after the upper layers ended = %+v, want one layer", got)
	}
	if got := m.Rates(now.Add(5*time.Second), nil); len(got) != 0 {
		t.Errorf("Rates after 5 s of silence = %+v, want none", got)
	}
}

func TestMeterDoesNotAllocate(t *testing.T) {
	var m layer.Meter
	now := time.Unix(1000, 0)
	dst := make([]layer.LayerRate, 0, layer.MaxSpatial*layer.MaxTemporal)
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(10 * time.Millisecond)
		m.Packet(now, 1, 2, 1000, true)
		dst = m.Rates(now, dst[:0])
	}); n != 0 {
		t.Errorf("Packet and Rates allocate %v times, want 0", n)
	}
}

// TestMeterRises: what begins to move costs more within a second or so, and what rests
// again may begin again for as long as the window is.
func TestMeterRises(t *testing.T) {
	var m layer.Meter
	now := time.Unix(1000, 0)
	rate := func() units.Bitrate {
		r := m.Rates(now, nil)
		return r[len(r)-1].Bitrate
	}
	now = feed(&m, now, 6*time.Second, 100)
	still := rate()
	now = feed(&m, now, 1250*time.Millisecond, 1000)
	if got := rate(); got < 9*still {
		t.Errorf("1.25 s after the rate is ten times %v: %v, want at least nine times", still, got)
	}
	now = feed(&m, now, time.Second, 100)
	if got := rate(); got < 3*still {
		t.Errorf("a second after it fell: %v, want the mean of three seconds, some four times %v", got, still)
	}
	now = feed(&m, now, 3*time.Second, 100)
	if got := rate(); got > still+still/20 {
		t.Errorf("four seconds after it fell: %v, want %v", got, still)
	}
	// One large picture is no rate.
	before := m.Rates(now, nil)[5].Bitrate
	m.Packet(now, 0, 0, 36_000, true)
	now = feed(&m, now, 500*time.Millisecond, 100)
	if got, want := rate(), before+105*units.Kbps; got > want {
		t.Errorf("after a picture of 36 kB: %v, want at most %v, its share of three seconds", got, want)
	}
}

// TestMeterLeavesOutTheFirstPicture: a key frame of ten times the size does not make
// a rate, neither at first nor after a silence.
func TestMeterLeavesOutTheFirstPicture(t *testing.T) {
	var m layer.Meter
	now := time.Unix(1000, 0)
	for range 2 {
		m.Packet(now, 0, 0, 5000, true)
		m.Packet(now, 0, 0, 5000, false)
		for range 9 {
			now = now.Add(time.Second / 30)
			m.Packet(now, 0, 0, 1000, true)
		}
		// The last frame has only just come: eight intervals, nine frames.
		if got := m.Rates(now, nil); len(got) != 1 || got[0].Bitrate < 240*units.Kbps || got[0].Bitrate > 275*units.Kbps {
			t.Errorf("Rates = %+v, want one of 270 kbit/s", got)
		}
		now = now.Add(4 * time.Second)
	}
}
