package sfukit_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
)

// TestPaddingDoesNotDisturb probes a viewer all through a lossy call, before media,
// with padding and with copies. What it plays is complete and in order, and it asks
// for no more than in the same call without probes. (pion's client goes on asking
// for what RTX has repaired, so copies do not spare it requests.)
func TestPaddingDoesNotDisturb(t *testing.T) {
	call := func(probe bool) (asked int64) {
		virtually(t, func(w *world) {
			p := pairUp(w)
			pad := func(size, n int) int {
				if !probe {
					return 0
				}
				return sfukit.Pad(p.viewer.peer, size, n)
			}
			if n := pad(1200, 20); probe && n < 20*255 {
				t.Errorf("%d bytes of padding before media, want 20 packets", n)
			}
			lost, n := 0, 0
			w.lose(func(d datagram) bool {
				if d.rtp == nil || d.to != clientIP(2) || d.rtp.PayloadType != ptVP8 {
					return false
				}
				n++
				if n < 5 || n > 580 || n%10 != 0 {
					return false
				}
				lost++
				return true
			})
			p.cam.start("").key.Store(true)
			for range 200 {
				p.cam.frame(0, 3, 3000)
				time.Sleep(10 * time.Millisecond)
				pad(1200, 1)
				pad(200, 2)
				time.Sleep(20 * time.Millisecond)
			}
			time.Sleep(2 * time.Second)
			packets := p.viewer.packets(p.mid, 1)
			if holes, _ := checkRepaired(t, packets); holes > 0 || lost < 30 {
				t.Errorf("%d holes after %d lost packets, want none after many", holes, lost)
			}
			for _, q := range packets {
				if len(q.Payload) == 0 {
					t.Errorf("packet %d without payload reached the viewer's track", q.SequenceNumber)
				}
			}
			c := w.reg.Stats().Counters
			if c.NACKSent != 0 {
				t.Errorf("the node asked the publisher for %d packets, want 0", c.NACKSent)
			}
			asked = c.NACKReceived
		})
		return asked
	}
	without, with := call(false), call(true)
	t.Logf("asked for %d packets without probes, %d with", without, with)
	if with > without {
		t.Errorf("the viewer asked for %d packets when probed, %d when not; want no more", with, without)
	}
}
