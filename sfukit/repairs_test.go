package sfukit_test

import (
	"testing"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// The budget has room for what is sent again: a tenth is in the room that is left
// anyway, and the rest is taken from it. Else a full link would be filled by repairs.
func TestBudgetWithoutRepairs(t *testing.T) {
	for _, tc := range []struct {
		name         string
		sent, resent int64 // bytes in each second
		want         units.Bitrate
	}{
		{"nothing is sent", 0, 0, 1200 * units.Kbps},
		{"nothing is lost", 100_000, 0, 1200 * units.Kbps},
		{"a tenth is", 100_000, 10_000, 1200 * units.Kbps},
		{"three tenths are", 100_000, 30_000, 1000 * units.Kbps},
		{"more is repaired than sent", 1000, 100_000, 600 * units.Kbps},
	} {
		if got := sfukit.BudgetWithoutRepairs(1200*units.Kbps, tc.sent, tc.resent); got < tc.want-1 || got > tc.want+1 {
			t.Errorf("%s: %v of 1.2 Mbit/s are left, want %v", tc.name, got, tc.want)
		}
	}
}
