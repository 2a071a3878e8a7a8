package pacer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/pacer"
)

func TestDefaultConfig(t *testing.T) {
	want := pacer.Config{
		SuspendVideo: 10_000, AudioOnly: 80_000, LowMin: 150_000, MediumMin: 350_000, HighMin: 700_000,
		SuspendStreak: 2, UpgradeStreak: 3,
	}
	if got := pacer.DefaultConfig(); got != want {
		t.Errorf("DefaultConfig() = %+v, want %+v", got, want)
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  pacer.Config
		want error
		text string // must occur in the message
	}{
		{"zero", pacer.Config{}, nil, ""},
		{"default", pacer.DefaultConfig(), nil, ""},
		{"edge", edge, nil, ""},
		{"all equal", pacer.Config{SuspendVideo: 5, AudioOnly: 5, LowMin: 5, MediumMin: 5, HighMin: 5}, nil, ""},
		{"upgrade streak", pacer.Config{UpgradeStreak: -1}, pacer.ErrUpgradeStreak, "UpgradeStreak -1"},
		{"suspend streak", pacer.Config{SuspendStreak: -2}, pacer.ErrSuspendStreak, "SuspendStreak -2"},
		{"streaks before order", pacer.Config{SuspendStreak: -1, LowMin: 1}, pacer.ErrSuspendStreak, ""},
		{"upgrade before suspend", pacer.Config{UpgradeStreak: -1, SuspendStreak: -1}, pacer.ErrUpgradeStreak, ""},
		{"suspend above audio", pacer.Config{SuspendVideo: 90_000}, pacer.ErrBitrateOrder, "SuspendVideo 90 kbit/s above AudioOnly 80 kbit/s"},
		{"audio above low", pacer.Config{AudioOnly: 150_001}, pacer.ErrBitrateOrder, "AudioOnly 150 kbit/s above LowMin"},
		{"low above medium", pacer.Config{LowMin: 400_000}, pacer.ErrBitrateOrder, "LowMin 400 kbit/s above MediumMin 350 kbit/s"},
		{"medium above high", pacer.Config{HighMin: 300_000}, pacer.ErrBitrateOrder, "MediumMin 350 kbit/s above HighMin 300 kbit/s"},
		{"negative", pacer.Config{SuspendVideo: -1}, pacer.ErrBitrateOrder, "SuspendVideo -1 bit/s"},
		{"negative further up", pacer.Config{HighMin: -1}, pacer.ErrBitrateOrder, "HighMin -1 bit/s"},
	} {
		err := tc.cfg.Validate()
		if !errors.Is(err, tc.want) || (err != nil && !strings.Contains(err.Error(), tc.text)) {
			t.Errorf("%s: Validate() = %v, want %v mentioning %q", tc.name, err, tc.want, tc.text)
		}
		p, err := pacer.New(tc.cfg)
		if !errors.Is(err, tc.want) || (p == nil) != (err != nil) {
			t.Errorf("%s: New() = %v, %v, want error %v", tc.name, p, err, tc.want)
		}
	}
}
