package pacer_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/layer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	kbps = units.Kbps

	low, medium, high = layer.Low, layer.Medium, layer.High
)

// edge is the configuration of the production edge: its own tiers over the
// kit's suspension.
var edge = pacer.Config{
	AudioOnly: 100 * kbps, LowMin: 150 * kbps, MediumMin: 500 * kbps, HighMin: 1_500 * kbps,
}

func mustNew(t testing.TB, cfg pacer.Config) *pacer.Pacer {
	t.Helper()
	p, err := pacer.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v) = %v", cfg, err)
	}
	return p
}

// step is one estimate and the action it must cause. A RID belongs to the
// actions that name one.
type step struct {
	bps    units.Bitrate
	action pacer.Action
	rid    layer.RID
}

func quiet(n int, bps units.Bitrate) []step { // n estimates without effect
	s := make([]step, n)
	for i := range s {
		s[i].bps = bps
	}
	return s
}

func script(parts ...any) []step {
	var s []step
	for _, p := range parts {
		switch p := p.(type) {
		case step:
			s = append(s, p)
		case []step:
			s = append(s, p...)
		}
	}
	return s
}

func TestUpdate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cfg   pacer.Config
		steps []step
	}{
		{"exactly 80 000 is not audio only", pacer.Config{}, quiet(5, 80_000)},
		{"79 999 is", pacer.Config{}, script(step{79_999, pacer.GoAudioOnly, ""})},
		{"audio only is said once", pacer.Config{}, script(
			step{79_999, pacer.GoAudioOnly, ""}, quiet(5, 50_000))},
		{"video returns at 150 000, not below", pacer.Config{}, script(
			step{79_999, pacer.GoAudioOnly, ""}, quiet(3, 149_999), step{150_000, pacer.RestoreVideo, low})},
		{"video returns at low whatever the estimate", pacer.Config{}, script(
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high},
			step{79_999, pacer.GoAudioOnly, ""},
			step{5_000_000, pacer.RestoreVideo, low},
			quiet(2, 5_000_000), step{5_000_000, pacer.ChangeLayer, high})},
		{"medium after three, at 350 000", pacer.Config{}, script(
			quiet(5, 349_999), quiet(2, 350_000), step{350_000, pacer.ChangeLayer, medium}, quiet(5, 350_000))},
		{"straight to high", pacer.Config{}, script(
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},
		{"high needs 700 000", pacer.Config{}, script(
			quiet(2, 699_999), step{699_999, pacer.ChangeLayer, medium}, quiet(9, 699_999))},
		{"a dip resets the streak", pacer.Config{}, script(
			quiet(2, 350_000), quiet(1, 349_999), quiet(2, 350_000), step{350_000, pacer.ChangeLayer, medium})},
		{"the streak survives a target that wavers; the last one counts", pacer.Config{}, script(
			quiet(1, 350_000), quiet(1, 700_000), step{350_000, pacer.ChangeLayer, medium},
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},
		{"an upgrade ends its streak", pacer.Config{}, script(
			quiet(2, 350_000), step{350_000, pacer.ChangeLayer, medium},
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},
		{"down at once, any number of tiers", pacer.Config{}, script(
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high},
			step{699_999, pacer.ChangeLayer, medium}, step{349_999, pacer.ChangeLayer, low},
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high},
			step{100_000, pacer.ChangeLayer, low})},
		{"a downgrade resets the streak", pacer.Config{}, script(
			quiet(2, 350_000), step{350_000, pacer.ChangeLayer, medium},
			quiet(2, 700_000), step{349_999, pacer.ChangeLayer, low},
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},
		{"audio only resets the streak", pacer.Config{}, script(
			quiet(2, 700_000), step{50_000, pacer.GoAudioOnly, ""},
			step{700_000, pacer.RestoreVideo, low}, quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},

		{"suspension takes two in a row and skips audio only", pacer.Config{}, script(
			quiet(1, 9_999), step{9_999, pacer.SuspendVideo, ""}, quiet(5, 0))},
		{"exactly 10 000 does not suspend", pacer.Config{}, script(
			quiet(1, 9_999), step{10_000, pacer.GoAudioOnly, ""}, quiet(1, 9_999), quiet(3, 10_000))},
		{"suspension needs them in a row", pacer.Config{}, script(
			quiet(1, 9_999), quiet(1, 200_000), quiet(1, 9_999), quiet(1, 200_000))},
		{"back in two steps: audio at 80 000, video on a later estimate", pacer.Config{}, script(
			quiet(1, 0), step{0, pacer.SuspendVideo, ""}, quiet(2, 79_999),
			step{5_000_000, pacer.RestoreAudio, ""}, step{5_000_000, pacer.RestoreVideo, low})},
		{"audio restored at exactly 80 000, then waits for 150 000", pacer.Config{}, script(
			quiet(1, 0), step{0, pacer.SuspendVideo, ""},
			step{80_000, pacer.RestoreAudio, ""}, quiet(3, 149_999), step{150_000, pacer.RestoreVideo, low})},
		{"suspension out of audio only", pacer.Config{}, script(
			step{50_000, pacer.GoAudioOnly, ""}, quiet(1, 9_999), step{9_999, pacer.SuspendVideo, ""},
			step{80_000, pacer.RestoreAudio, ""})},
		{"after a suspension both streaks begin anew", pacer.Config{}, script(
			quiet(2, 700_000), quiet(1, 0), step{0, pacer.SuspendVideo, ""},
			step{700_000, pacer.RestoreAudio, ""}, quiet(1, 0), step{0, pacer.SuspendVideo, ""},
			step{700_000, pacer.RestoreAudio, ""}, step{700_000, pacer.RestoreVideo, low},
			quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high})},
		{"one estimate below suspension leaves the upgrade streak alone", pacer.Config{}, script(
			quiet(2, 700_000), quiet(1, 0), step{700_000, pacer.ChangeLayer, high})},
		{"a negative estimate is as bad as none", pacer.Config{}, script(
			quiet(1, -1), step{-1, pacer.SuspendVideo, ""})},

		{"edge: 85 k is audio only", edge, script(step{85_000, pacer.GoAudioOnly, ""})},
		{"edge: 95 k is audio only", edge, script(step{95_000, pacer.GoAudioOnly, ""})},
		{"edge: 100 k is video", edge, quiet(9, 100_000)},
		{"edge: 150 k restores", edge, script(
			step{99_999, pacer.GoAudioOnly, ""}, quiet(1, 149_999), step{150_000, pacer.RestoreVideo, low})},
		{"edge: 400 k stays low", edge, quiet(9, 400_000)},
		{"edge: 1.0 M is medium", edge, script(
			quiet(2, 1_000_000), step{1_000_000, pacer.ChangeLayer, medium}, quiet(9, 1_000_000))},
		{"edge: 1.5 M is high", edge, script(
			quiet(2, 1_500_000), step{1_500_000, pacer.ChangeLayer, high})},

		{"streaks of one", pacer.Config{UpgradeStreak: 1, SuspendStreak: 1}, script(
			step{700_000, pacer.ChangeLayer, high}, step{9_999, pacer.SuspendVideo, ""})},
		{"longer streaks", pacer.Config{UpgradeStreak: 5, SuspendStreak: 3}, script(
			quiet(4, 350_000), step{350_000, pacer.ChangeLayer, medium},
			quiet(2, 0), step{0, pacer.SuspendVideo, ""})},
		{"equal thresholds remove a tier", pacer.Config{MediumMin: 700_000}, script(
			quiet(5, 699_999), quiet(2, 700_000), step{700_000, pacer.ChangeLayer, high},
			step{699_999, pacer.ChangeLayer, low})},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := mustNew(t, tc.cfg)
			for i, s := range tc.steps {
				if action, rid := p.Update(s.bps); action != s.action || rid != s.rid {
					t.Fatalf("step %d: Update(%d) = %v, %q, want %v, %q", i, s.bps, action, rid, s.action, s.rid)
				}
			}
		})
	}
}

func TestState(t *testing.T) {
	p := mustNew(t, pacer.Config{})
	for i, s := range []struct {
		bps              units.Bitrate
		tier             layer.RID
		audio, suspended bool
	}{
		{700_000, low, false, false},
		{700_000, low, false, false},
		{700_000, high, false, false},
		{50_000, high, true, false},
		{0, high, true, false},
		{0, high, true, true},
		{50_000, high, true, true},
		{700_000, high, true, false},
		{700_000, low, false, false},
	} {
		p.Update(s.bps)
		if p.Layer() != s.tier || p.AudioOnly() != s.audio || p.Suspended() != s.suspended {
			t.Errorf("step %d, after %d: %q, audio only %v, suspended %v, want %q, %v, %v",
				i, s.bps, p.Layer(), p.AudioOnly(), p.Suspended(), s.tier, s.audio, s.suspended)
		}
	}
}

func TestNewBeginsAtLow(t *testing.T) {
	p := mustNew(t, pacer.Config{})
	if p.Layer() != low || p.AudioOnly() || p.Suspended() {
		t.Errorf("new Pacer: %q, audio only %v, suspended %v, want q, false, false", p.Layer(), p.AudioOnly(), p.Suspended())
	}
}

// Drive steps the machine ten times a second at most: an estimator that
// speaks every 20 ms does not collapse the streak of three.
func TestDriveCadence(t *testing.T) {
	p := mustNew(t, pacer.Config{})
	start := time.Unix(1_000, 0)
	for ms := 0; ms < 1_000; ms += 20 {
		action, rid := p.Drive(start.Add(time.Duration(ms)*time.Millisecond), 700_000)
		want, wantRID := pacer.NoChange, layer.RID("")
		if ms == 200 { // accepted at 0, 100 and 200 ms
			want, wantRID = pacer.ChangeLayer, high
		}
		if action != want || rid != wantRID {
			t.Errorf("at %d ms: Drive = %v, %q, want %v, %q", ms, action, rid, want, wantRID)
		}
	}
}

func TestDriveInterval(t *testing.T) {
	at := func(d time.Duration) time.Time { return time.Time{}.Add(d) } // the zero time is a time too
	p := mustNew(t, pacer.Config{UpgradeStreak: 1})
	for _, s := range []struct {
		at     time.Duration
		bps    units.Bitrate
		action pacer.Action
	}{
		{0, 350_000, pacer.ChangeLayer},
		{pacer.MinInterval - 1, 0, pacer.NoChange}, // ignored, does not move the interval
		{0, 0, pacer.NoChange},
		{-time.Second, 0, pacer.NoChange}, // time backwards
		{pacer.MinInterval, 100_000, pacer.ChangeLayer},
		{pacer.MinInterval + 1, 50_000, pacer.NoChange},
		{5 * pacer.MinInterval, 50_000, pacer.GoAudioOnly},
	} {
		if action, _ := p.Drive(at(s.at), s.bps); action != s.action {
			t.Errorf("at %v: Drive(%d) = %v, want %v", s.at, s.bps, action, s.action)
		}
	}
}

func TestNextMin(t *testing.T) {
	p := mustNew(t, pacer.Config{UpgradeStreak: 1, SuspendStreak: 1})
	for _, tc := range []struct{ estimate, want units.Bitrate }{
		{200 * kbps, 350 * kbps},
		{400 * kbps, 700 * kbps},
		{700 * kbps, 0},
		{300 * kbps, 350 * kbps},
		{79 * kbps, 150 * kbps},
		{0, 150 * kbps},
		{80 * kbps, 150 * kbps},
		{150 * kbps, 350 * kbps},
	} {
		p.Update(tc.estimate)
		if got := p.NextMin(); got != tc.want {
			t.Errorf("after %v: NextMin() = %v, want %v", tc.estimate, got, tc.want)
		}
	}
}

func TestActionString(t *testing.T) {
	for a, want := range map[pacer.Action]string{
		pacer.NoChange: "no-change", pacer.ChangeLayer: "change-layer", pacer.GoAudioOnly: "go-audio-only",
		pacer.RestoreVideo: "restore-video", pacer.SuspendVideo: "suspend-video",
		pacer.RestoreAudio: "restore-audio", 6: "action(6)", 255: "action(255)",
	} {
		if got := a.String(); got != want {
			t.Errorf("Action(%d).String() = %q, want %q", uint8(a), got, want)
		}
	}
}

func TestUpdateDoesNotAllocate(t *testing.T) {
	p := mustNew(t, pacer.Config{})
	rates := []units.Bitrate{700_000, 700_000, 700_000, 50_000, 0, 0, 90_000, 200_000}
	now, i := time.Unix(0, 0), 0
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(pacer.MinInterval)
		p.Drive(now, rates[i%len(rates)])
		i++
	}); n != 0 {
		t.Errorf("Drive: %v allocs, want 0", n)
	}
}

// FuzzUpdate checks, over arbitrary estimates, that every action is legal in
// the state before it and leads to the state it names.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte{70, 70, 70, 5, 0, 0, 9, 20}, uint8(2), uint8(3))
	f.Add([]byte{255, 0, 255, 0, 0, 8, 8, 15, 35, 35, 35}, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, estimates []byte, suspend, upgrade uint8) {
		p := mustNew(t, pacer.Config{SuspendStreak: int(suspend), UpgradeStreak: int(upgrade)})
		for _, e := range estimates[:min(len(estimates), 512)] {
			bps := units.Bitrate(e) * 10 * kbps
			tier, audio, suspended := p.Layer(), p.AudioOnly(), p.Suspended()
			action, rid := p.Update(bps)
			var ok bool
			switch action {
			case pacer.NoChange:
				ok = rid == "" && p.Layer() == tier && p.AudioOnly() == audio && p.Suspended() == suspended
			case pacer.ChangeLayer:
				ok = !audio && !p.AudioOnly() && rid != tier && rid == p.Layer() && bps >= 80*kbps
			case pacer.GoAudioOnly:
				ok = !audio && p.AudioOnly() && !p.Suspended() && rid == "" && bps < 80*kbps
			case pacer.RestoreVideo:
				ok = audio && !suspended && !p.AudioOnly() && rid == low && p.Layer() == low && bps >= 150*kbps
			case pacer.SuspendVideo:
				ok = !suspended && p.Suspended() && p.AudioOnly() && rid == "" && bps < 10*kbps
			case pacer.RestoreAudio:
				ok = suspended && !p.Suspended() && p.AudioOnly() && rid == "" && bps >= 80*kbps
			}
			if !ok {
				t.Fatalf("from %q audio=%v suspended=%v: Update(%v) = %v, %q, now %q audio=%v suspended=%v",
					tier, audio, suspended, bps, action, rid, p.Layer(), p.AudioOnly(), p.Suspended())
			}
		}
	})
}
