package speaker_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

func TestConfig(t *testing.T) {
	for _, tc := range []struct {
		cfg  speaker.Config
		text string // "" is valid
	}{
		{speaker.Config{}, ""},
		{speaker.Config{C1: 3, C2: 2, C3: 0, N1: 13, N2: 5, N3: 10, Interval: 300 * ms}, ""},
		{speaker.Config{N1: 2, N2: 1, N3: 1, Interval: 1}, ""},
		{speaker.Config{N1: 128, N2: 50, N3: 50, Interval: math.MaxInt64}, ""},
		{speaker.Config{C1: -1}, "C1 is -1"},
		{speaker.Config{C2: math.NaN()}, "C2 is NaN"},
		{speaker.Config{C3: math.Inf(1)}, "C3 is +Inf"},
		{speaker.Config{N1: 1}, "N1 is 1"},
		{speaker.Config{N1: 129}, "N1 is 129"},
		{speaker.Config{N2: -1}, "N2 is -1"},
		{speaker.Config{N2: 51}, "N2 is 51"},
		{speaker.Config{N3: 51}, "N3 is 51"},
		{speaker.Config{Interval: -time.Second}, "Interval is -1s"},
	} {
		d, err := speaker.New(tc.cfg)
		switch {
		case tc.text == "" && (err != nil || d == nil):
			t.Errorf("New(%+v) = %v, %v, want a Detector", tc.cfg, d, err)
		case tc.text != "" && (!errors.Is(err, speaker.ErrConfig) || !strings.Contains(err.Error(), tc.text)):
			t.Errorf("New(%+v) = %v, want ErrConfig mentioning %q", tc.cfg, err, tc.text)
		}
	}
}

// The thresholds are what a challenger must exceed: with any one of them out
// of reach the floor never changes hands.
func TestThresholdsApply(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  speaker.Config
		want uint64
	}{
		{"default", speaker.Config{}, 2},
		{"C1", speaker.Config{C1: 100}, 1},
		{"C2", speaker.Config{C2: 100}, 1},
		{"C3", speaker.Config{C3: 100}, 1},
	} {
		d := mustNew(t, tc.cfg)
		call(d, 0, 5*time.Second, talk, background)
		call(d, 5*time.Second, 10*time.Second, background, talk)
		if got, _ := d.Dominant(); got != tc.want {
			t.Errorf("%s: dominant = %d, want %d", tc.name, got, tc.want)
		}
	}
}
