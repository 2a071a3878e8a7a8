package speaker_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

// FuzzDetector feeds two detectors the same peers and levels, in opposite
// order within each instant. Whatever comes, they agree, scores are finite and
// positive, and what they name exists.
func FuzzDetector(f *testing.F) {
	f.Add([]byte{0, 0x81, 30, 2, 0x82, 110, 1, 0x83, 25, 30, 0x81, 127, 200, 0x01, 0})
	f.Add([]byte{1, 0x00, 5, 0, 0x41, 5, 255, 0x80, 0, 255, 0x81, 0, 255, 0xc0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		cfg := speaker.Config{Parity: len(ops)%2 == 1}
		a, b := mustNew(t, cfg), mustNew(t, cfg)
		now := epoch
		type record struct {
			id    uint64
			level uint8
		}
		var batch []record
		for ; len(ops) >= 3; ops = ops[3:] {
			id := uint64(ops[1] & 0x0f)
			switch {
			case ops[1]&0xc0 == 0x40:
				a.Add(id)
				b.Add(id)
			case ops[1]&0xc0 == 0xc0:
				a.Remove(id)
				b.Remove(id)
			case !slices.ContainsFunc(batch, func(r record) bool { return r.id == id }):
				batch = append(batch, record{id, ops[2]})
			}
			if ops[0] == 0 {
				continue // same instant
			}
			for i := range batch {
				a.Record(now, batch[i].id, batch[i].level)
				r := batch[len(batch)-1-i]
				b.Record(now, r.id, r.level)
			}
			batch = batch[:0]
			step := time.Duration(ops[0]) * 10 * ms
			if ops[0] > 250 {
				step = 30 * time.Minute
			}
			if ops[0] == 250 {
				step = -time.Second
			}
			now = now.Add(step)
			ca, oka := a.Tick(now)
			cb, okb := b.Tick(now)
			if ca != cb || oka != okb {
				t.Fatalf("order matters: Tick = %+v, %v and %+v, %v", ca, oka, cb, okb)
			}
			check(t, a, ca, oka)
			if sa, sb := a.Scores(nil), b.Scores(nil); !slices.Equal(sa, sb) {
				t.Fatalf("order matters: Scores = %v and %v", sa, sb)
			}
			if ta, tb := a.Top(16, nil), b.Top(16, nil); !slices.Equal(ta, tb) {
				t.Fatalf("order matters: Top = %d and %d", ta, tb)
			}
			if la, lb := a.Loudest(now, 16, nil), b.Loudest(now, 16, nil); !slices.Equal(la, lb) || len(la) != len(a.Top(16, nil)) {
				t.Fatalf("order matters: Loudest = %d and %d", la, lb)
			}
		}
	})
}

func check(t *testing.T, d *speaker.Detector, c speaker.Change, changed bool) {
	t.Helper()
	scores := d.Scores(nil)
	known := func(id uint64) bool {
		return slices.ContainsFunc(scores, func(s speaker.Score) bool { return s.ID == id })
	}
	dominant, ok := d.Dominant()
	if ok && !known(dominant) {
		t.Fatalf("dominant %d is not among %v", dominant, scores)
	}
	if changed && (!ok || c.Speaker != dominant || c.Margin < 0 || math.IsNaN(c.Margin) || math.IsInf(c.Margin, 0)) {
		t.Fatalf("Change = %+v with dominant %d, %v", c, dominant, ok)
	}
	for i, s := range scores {
		for _, v := range []float64{s.Immediate, s.Medium, s.Long} {
			if !(v >= 1e-10) || math.IsInf(v, 0) {
				t.Fatalf("score %+v, want finite and at least 1e-10", s)
			}
		}
		if i > 0 && scores[i-1].ID >= s.ID {
			t.Fatalf("Scores not in order: %v", scores)
		}
	}
	for _, id := range d.Top(16, nil) {
		if !known(id) {
			t.Fatalf("Top names %d, which is not among %v", id, scores)
		}
	}
}
