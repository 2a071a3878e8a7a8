package speaker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

func level(l uint8) voice { return func(time.Duration) uint8 { return l } }

// A newcomer is in with its first packet above its noise, between elections,
// and the one that has been quiet for longest makes room.
func TestLoudestAtOnce(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, time.Second, background, background, background, background)
	call(d, time.Second, 3*time.Second, level(25), background, background, background)
	call(d, 3*time.Second, 5*time.Second, background, level(25), background, background)
	for _, tc := range []struct {
		k    int
		want []uint64
	}{{-1, nil}, {0, nil}, {2, []uint64{2, 1}}, {9, []uint64{2, 1, 3, 4}}} {
		if got := d.Loudest(at(5*time.Second), tc.k, nil); !slices.Equal(got, tc.want) {
			t.Errorf("Loudest(%d) = %d, want %d", tc.k, got, tc.want)
		}
	}
	d.Record(at(5*time.Second), 4, 28)
	if got, want := d.Loudest(at(5*time.Second), 2, []uint64{42}), []uint64{42, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("Loudest(2) after one packet of 4 = %d, want %d", got, want)
	}
	if got, want := d.Top(2, nil), []uint64{2, 1}; !slices.Equal(got, want) {
		t.Errorf("Top(2) after one packet of 4 = %d, want that of the last election, %d", got, want)
	}
}

// A decibel goes per LoudestRelease; what has gone altogether stands in the
// order in which it was heard.
func TestLoudestRelease(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 100*ms, background, background, background) // volume 17
	d.Record(at(time.Second), 1, 27)                       // volume 100
	d.Record(at(2*time.Second), 2, 47)                     // volume 80
	for _, tc := range []struct {
		at   time.Duration
		want []uint64
	}{
		{1500 * ms, []uint64{1, 2, 3}}, // 2 is yet to come: not decayed, 95 to 80
		{2900 * ms, []uint64{1, 2, 3}}, // 81 to 71
		{3500 * ms, []uint64{1, 2, 3}}, // 75 to 65
	} {
		if got := d.Loudest(at(tc.at), 3, nil); !slices.Equal(got, tc.want) {
			t.Errorf("at %v: Loudest = %d, want %d", tc.at, got, tc.want)
		}
	}
	d.Record(at(4*time.Second), 3, 56) // volume 71, against 70 and 60
	if got, want := d.Loudest(at(4*time.Second), 3, nil), []uint64{3, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("volume 71 against 70 = %d, want %d", got, want)
	}
	if got, want := d.Loudest(at(time.Minute), 3, nil), []uint64{3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("a minute later = %d, want %d", got, want)
	}
}

// Steady noise is no loudness, from the first packet on.
func TestLoudestIgnoresNoise(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 10*time.Second, level(35), background, between(9*time.Second, 9100*ms, level(60), background))
	if got, want := d.Loudest(at(10*time.Second), 3, nil), []uint64{3, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("Loudest = %d, want %d: faint speech before loud noise", got, want)
	}
}
