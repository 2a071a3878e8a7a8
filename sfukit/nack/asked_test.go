package nack_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/nack"
)

// TestUnknownRTT checks that repairs tell how long to wait for the next.
func TestUnknownRTT(t *testing.T) {
	g := newGenerator(t, nack.Config{})
	g.Received(t0, 1, nil)
	g.Received(t0, 4, nil) // asks for 2 and 3
	g.Received(ms(40), 2, nil)
	g.Due(ms(125), 0, nil) // 1.25 times the 40 ms, so 3 is asked for again
	g.Received(ms(500), 3, nil)
	g.Received(ms(1000), 7, nil) // asks for 5 and 6
	for _, tc := range []struct {
		at   int
		rtt  time.Duration
		want int
	}{{1049, 0, 0}, {1050, 80 * time.Millisecond, 0}, {1050, 0, 2}} {
		if got, _ := g.Due(ms(tc.at), tc.rtt, nil); len(got) != tc.want {
			t.Errorf("at %d ms with a round trip of %v: asked for %v, want %d packets", tc.at, tc.rtt, got, tc.want)
		}
	}
}

func TestAsked(t *testing.T) {
	g := newGenerator(t, nack.Config{})
	if g.Asked(1) {
		t.Error("a number is asked for before anything came")
	}
	g.Received(t0, 100, nil)
	g.Received(t0, 103, nil) // 101 and 102 are asked for at once
	g.Received(t0, 105, nil) // 104 is waited for
	for seq, want := range map[int64]bool{100: false, 101: true, 102: true, 103: false, 104: false, 105: false, 106: false} {
		if got := g.Asked(seq); got != want {
			t.Errorf("Asked(%d) = %t, want %t", seq, got, want)
		}
	}
	g.Due(ms(5), 0, nil)
	g.Received(ms(6), 101, nil)
	if g.Asked(101) || !g.Asked(104) {
		t.Errorf("Asked = %t for one that came and %t for one that is due, want false and true", g.Asked(101), g.Asked(104))
	}
}
