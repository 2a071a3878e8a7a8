package shaper_test

import (
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// FuzzShaper plays packets, flushes, targets and probes. Whatever they are, each
// packet leaves or is lost once; those of a class leave in order and none later than
// MaxDelay after the first flush that could send it; nothing exceeds the limit.
func FuzzShaper(f *testing.F) {
	f.Add([]byte{0, 40, 1, 255, 1, 255, 1, 255, 5, 9, 3, 60, 2, 200, 5, 1, 4, 3, 5, 5, 5, 5})
	f.Add([]byte{6, 20, 5, 1, 1, 200, 5, 1, 5, 1, 5, 1, 6, 3, 3, 9, 5, 2})
	f.Add([]byte{4, 1, 1, 255, 1, 255, 1, 255, 1, 255, 1, 255, 1, 255, 4, 200, 5, 1, 4, 0, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxBytes = 20_000
		c := shaper.Config{MaxDelay: 100 * time.Millisecond, MaxBytes: maxBytes}
		if len(data) > 0 {
			c.Off = data[0] == 77
		}
		l := newLink(t, c, 300*kbps)
		now, flushed := t0, t0
		flush := func() {
			before := len(l.sent)
			l.flush(now)
			for _, it := range l.sent[before:] {
				// It was not due at the flush before.
				if flushed.Sub(it.came) >= c.MaxDelay {
					t.Fatalf("packet %d of %v, %v after it came: the flush %v before left it", it.n, it.class, now.Sub(it.came), now.Sub(flushed))
				}
			}
			flushed = now
			l.pad(now, packet)
		}
		for i := 0; i+1 < len(data) && i < 4096; i += 2 {
			v := int(data[i+1])
			switch data[i] & 7 {
			default: // padding, video, retransmission, audio
				l.send(now, shaper.Class(data[i]&7), v*6)
			case 4:
				l.SetTarget(now, units.Bitrate(v)*20*kbps)
			case 5:
				now = now.Add(time.Duration(v) * time.Millisecond / 2)
				flush()
			case 6:
				l.Probe(now, shaper.Cluster{ID: v, Rate: units.Bitrate(v) * 30 * kbps, Bytes: v * 100, Packets: v & 15})
			case 7:
				now = now.Add(time.Duration(v) * time.Microsecond)
				if at, ok := l.Next(now); ok && at.Before(now) || !ok && l.waiting > 0 {
					t.Fatalf("Next() = %v, %v with %d packets waiting", at.Sub(now), ok, l.waiting)
				}
			}
			if packets, bytes := l.Queued(); bytes > maxBytes || 256*packets > maxBytes {
				t.Fatalf("%d packets of %d bytes wait", packets, bytes)
			}
		}
		now = now.Add(c.MaxDelay)
		flush()
		if l.waiting != 0 {
			t.Fatalf("%d packets wait longer than MaxDelay", l.waiting)
		}
		seen := make([]bool, l.next)
		last := map[shaper.Class]int{}
		for _, it := range append(l.sent, l.lost...) {
			if it.class == shaper.Padding && it.n == 0 {
				continue // of a probe
			}
			if seen[it.n] {
				t.Fatalf("packet %d left or was lost twice", it.n)
			}
			seen[it.n] = true
		}
		for _, it := range l.sent {
			if n, ok := last[it.class]; ok && it.n < n && it.class != shaper.Padding {
				t.Fatalf("packet %d of %v left after %d", it.n, it.class, n)
			}
			last[it.class] = it.n
		}
		for n, ok := range seen {
			if !ok && n > 0 {
				t.Fatalf("packet %d is gone", n)
			}
		}
	})
}

// FuzzRate plays packets and targets with a MaxDelay that is never reached. In any
// window no more leaves than the highest target times the factor carries, the burst,
// one packet, and audio; and while something waits no less than the lowest.
func FuzzRate(f *testing.F) {
	f.Add([]byte{20, 200, 100, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 255})
	f.Add([]byte{1, 1, 255, 1, 255, 1, 255, 1, 255, 129, 130, 131, 200, 5, 5, 5, 5})
	f.Fuzz(func(t *testing.T, data []byte) {
		const factor, burst, most = 2, 10 * time.Millisecond, 1200
		l := newLink(t, shaper.Config{Factor: factor, Burst: burst, MaxDelay: 1000 * time.Hour, MaxBytes: 1 << 30}, units.Mbps)
		now := t0
		var highest, target units.Bitrate = units.Mbps, units.Mbps
		var allowed, waited float64 // bytes since t0 by the targets; of them while something waited
		for i := range min(len(data), 1024) {
			if v := data[i]; v&1 == 0 {
				for range v & 15 {
					l.send(now, shaper.Class(1+v>>4&1), most-int(v))
				}
				if v > 250 {
					l.send(now, shaper.Audio, 300)
				}
			} else if v > 200 {
				target = units.Bitrate(v-200) * 50 * kbps
				highest = max(highest, target)
				l.SetTarget(now, target)
			} else {
				d := time.Duration(v%10) * time.Millisecond // shorter than the burst
				now = now.Add(d)
				allowed += float64(target) / 8 * factor * d.Seconds()
				before := l.waiting
				if l.flush(now); before > 0 && l.waiting > 0 {
					waited += float64(target) / 8 * factor * d.Seconds()
				}
			}
		}
		slack := float64(highest)/8*factor*burst.Seconds() + most
		audio, total := 0, 0
		for i, from := range l.sent {
			sum := 0
			for _, it := range l.sent[i:] {
				if it.class != shaper.Audio {
					sum += it.size
				}
				window := it.left.Sub(from.left).Seconds()
				if limit := float64(highest)/8*factor*window + slack; float64(sum) > limit+1 {
					t.Fatalf("%d bytes left in %v, want %.0f at most", sum, it.left.Sub(from.left), limit)
				}
			}
			if total += from.size; from.class == shaper.Audio {
				audio += from.size
			}
		}
		if limit := allowed + slack + float64(audio); float64(total) > limit+1 {
			t.Fatalf("%d bytes left, want %.0f at most", total, limit)
		}
		if want := waited - slack; float64(total) < want {
			t.Fatalf("%d bytes left, want %.0f: what time has paid for while something waited", total, want)
		}
	})
}
