package shaper_test

import (
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

// pad sends the padding a probe needs, in packets of at most most bytes.
func (l *link) pad(now time.Time, most int) {
	for size, cluster := l.Padding(now); size > 0; size, cluster = l.Padding(now) {
		size = min(size, most)
		admitted, ok := l.Admit(now, shaper.Padding, size)
		if !ok || admitted != cluster {
			l.t.Fatalf("Admit of padding for cluster %d = %d, %v", cluster, admitted, ok)
		}
		l.sent = append(l.sent, item{class: shaper.Padding, size: size, came: now, left: now, cluster: cluster})
	}
}

// tagged returns what was sent for a cluster, and the rate as an estimator takes
// it: without the last packet, whose end is not seen.
func (l *link) tagged(cluster int) (sent []item, rate units.Bitrate, padding int) {
	bytes := 0
	for _, it := range l.sent {
		if it.cluster == cluster {
			sent = append(sent, it)
			bytes += it.size
			if it.class == shaper.Padding {
				padding += it.size
			}
		}
	}
	if len(sent) < 2 {
		return sent, 0, padding
	}
	last := sent[len(sent)-1]
	took := last.left.Sub(sent[0].left).Seconds()
	return sent, units.Bitrate(float64(8*(bytes-last.size)) / took), padding
}

// TestProbe sends clusters with and without media: they have the bytes, packets and
// rate that were asked for, and no more padding than media leaves room for.
func TestProbe(t *testing.T) {
	tests := []struct {
		name    string
		cluster shaper.Cluster
		media   units.Bitrate // of a stream in packets of 1000 bytes
		queued  int           // packets that wait when the probe is asked for
		padding float64       // share of the cluster
	}{
		{"silence", shaper.Cluster{Rate: 900 * kbps, Bytes: 4500, Packets: 5}, 0, 0, 1},
		{"fast", shaper.Cluster{Rate: 8000 * kbps, Bytes: 40_000, Packets: 5}, 0, 0, 1},
		{"many packets", shaper.Cluster{Rate: 2000 * kbps, Bytes: 10_000, Packets: 40}, 0, 0, 1},
		{"half is media", shaper.Cluster{Rate: 2000 * kbps, Bytes: 50_000, Packets: 5}, 1000 * kbps, 0, 0.5},
		{"all is media", shaper.Cluster{Rate: 1000 * kbps, Bytes: 30_000, Packets: 5}, 1500 * kbps, 0, 0},
		{"a queue", shaper.Cluster{Rate: 1200 * kbps, Bytes: 20_000, Packets: 5}, 0, 40, 0},
		{"a queue that ends", shaper.Cluster{Rate: 2000 * kbps, Bytes: 20_000, Packets: 5}, 0, 10, 0.5},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := newLink(t, shaper.Config{Factor: 1}, 300*kbps)
			l.send(t0, shaper.Video, packet) // the burst is spent
			for range tc.queued {
				l.send(t0, shaper.Video, 1000)
			}
			tc.cluster.ID = 7
			start := ms(100)
			l.Probe(start, tc.cluster)
			sent := 0
			for i := range 900 {
				now := start.Add(time.Duration(i) * time.Millisecond)
				for sent < tc.media.Bytes(now.Sub(start)) {
					l.send(now, shaper.Video, 1000)
					sent += 1000
				}
				l.flush(now)
				l.pad(now, packet)
			}
			got, rate, padding := l.tagged(7)
			bytes := 0
			for _, it := range got {
				bytes += it.size
			}
			if want := tc.cluster.Bytes; bytes < want || bytes >= want+packet || len(got) < tc.cluster.Packets {
				t.Errorf("%d bytes in %d packets for %+v", bytes, len(got), tc.cluster)
			}
			if r := float64(rate) / float64(tc.cluster.Rate); r < 0.9 || r > 1.12 {
				t.Errorf("sent at %v, want %v", rate, tc.cluster.Rate)
			}
			if share := float64(padding) / float64(bytes); math.Abs(share-tc.padding) > 0.1 {
				t.Errorf("%.2f of the cluster is padding, want %.2f", share, tc.padding)
			}
			if size, cluster := l.Padding(start.Add(time.Second)); size != 0 || cluster != 0 {
				t.Errorf("Padding() after the probe = %d, %d, want nothing", size, cluster)
			}
		})
	}
}

// TestProbeAtTicks is a probe flushed every 5 ms, as in a room.
func TestProbeAtTicks(t *testing.T) {
	for _, rate := range []units.Bitrate{600 * kbps, 900 * kbps, 1800 * kbps, 5 * units.Mbps, 16 * units.Mbps} {
		l := newLink(t, shaper.Config{}, 300*kbps)
		c := shaper.Cluster{ID: 1, Rate: rate, Bytes: rate.Bytes(15 * time.Millisecond), Packets: 5}
		l.Probe(t0, c)
		for i := range 100 {
			l.pad(t0.Add(time.Duration(i)*tick), 1100)
		}
		got, sentAt, _ := l.tagged(1)
		if len(got) < 5 || l.leftBy(time.Hour) < c.Bytes {
			t.Errorf("%v: %d packets, %d bytes, want 5 and %d", rate, len(got), l.leftBy(time.Hour), c.Bytes)
		}
		t.Logf("cluster at %v: %d packets, %d bytes in %v, sent at %v",
			rate, len(got), l.leftBy(time.Hour), got[len(got)-1].left.Sub(t0), sentAt)
	}
}

// TestProbeAndUrgency: while a probe is sent audio still leaves at once, and counts for it.
func TestProbeAndUrgency(t *testing.T) {
	l := newLink(t, shaper.Config{}, 300*kbps)
	l.Probe(t0, shaper.Cluster{ID: 3, Rate: 800 * kbps, Bytes: 10_000, Packets: 5})
	for i := range 200 {
		l.flush(ms(i))
		l.pad(ms(i), packet)
		if i%20 == 1 {
			l.send(ms(i), shaper.Audio, 200)
		}
	}
	got, rate, padding := l.tagged(3)
	audio := 0
	for _, it := range got {
		if it.class == shaper.Audio {
			audio++
		}
	}
	if audio != 5 || padding > 9000+packet {
		t.Errorf("%d packets of audio and %d bytes of padding in the probe, want 5 and 9000", audio, padding)
	}
	if r := float64(rate) / 800e3; r < 0.9 || r > 1.12 {
		t.Errorf("sent at %v, want 800 kbit/s", rate)
	}
	if d := l.longest(shaper.Audio); d != 0 {
		t.Errorf("audio waited %v, want 0", d)
	}
}

// TestPaddingWaitsForMedia: there is no padding while media waits, nor before it is due.
func TestPaddingWaitsForMedia(t *testing.T) {
	l := newLink(t, shaper.Config{}, 300*kbps)
	l.send(t0, shaper.Video, packet)
	l.send(t0, shaper.Video, packet)
	l.Probe(t0, shaper.Cluster{ID: 1, Rate: 800 * kbps, Bytes: 5000, Packets: 5}) // 1000 bytes in 10 ms
	steps := []struct {
		at, want int
		flush    bool
	}{
		{0, 0, false},
		{1, 0, false},
		{15, 0, true}, // the packet leaves, and takes 12 ms
		{26, 0, false},
		{27, 950, false},
	}
	for _, step := range steps {
		if step.flush {
			l.flush(ms(step.at))
		}
		if size, _ := l.Padding(ms(step.at)); size != step.want {
			t.Errorf("%d bytes of padding asked for at %d ms, want %d", size, step.at, step.want)
		}
	}
}

// TestProbeEnds: a probe without padding and media is given up, as is one that
// another replaces; one that asks for nothing is none.
func TestProbeEnds(t *testing.T) {
	good := shaper.Cluster{ID: 1, Rate: units.Mbps, Bytes: 5000, Packets: 5}
	l := newLink(t, shaper.Config{}, 300*kbps)
	l.Probe(t0, good)
	if at, ok := l.Next(t0); !ok || at != t0 {
		t.Errorf("Next() with a probe = %v, %v, want now", at, ok)
	}
	if size, cluster := l.Padding(ms(1000)); size != 1000 || cluster != 1 {
		t.Errorf("Padding() = %d, %d, want 1000, 1", size, cluster)
	}
	if size, _ := l.Padding(ms(1001)); size != 0 {
		t.Errorf("Padding() after a second = %d, want 0", size)
	}
	if cluster, ok := l.Admit(ms(1001), shaper.Video, packet); cluster != 0 || !ok {
		t.Errorf("Admit after a second = %d, %v, want 0, true", cluster, ok)
	}

	l.Probe(ms(2000), good)
	second := good
	second.ID = 2
	l.Probe(ms(2001), second)
	l.pad(ms(2001), packet)
	if got, _, _ := l.tagged(1); len(got) != 0 {
		t.Errorf("%d packets were sent for a probe that was replaced, want 0", len(got))
	}
	if got, _, _ := l.tagged(2); len(got) != 1 {
		t.Errorf("%d packets were sent for a probe at its beginning, want 1", len(got))
	}

	for _, c := range []shaper.Cluster{
		{},
		{Rate: units.Mbps, Bytes: 1, Packets: 1},
		{ID: 1, Bytes: 1, Packets: 1},
		{ID: 1, Rate: -1, Bytes: 1, Packets: 1},
		{ID: 1, Rate: 1, Bytes: -1, Packets: -1},
	} {
		l.Probe(ms(3000), c)
		if size, cluster := l.Padding(ms(3000)); size != 0 || cluster != 0 {
			t.Errorf("Padding() for %+v = %d, %d, want nothing", c, size, cluster)
		}
	}
}

// TestProbeAfterAPause: a process that stood still does not send the rest of a probe
// as a burst.
func TestProbeAfterAPause(t *testing.T) {
	l := newLink(t, shaper.Config{}, 300*kbps)
	l.Probe(t0, shaper.Cluster{ID: 1, Rate: 1600 * kbps, Bytes: 40_000, Packets: 5})
	l.pad(t0, 1000)
	l.pad(ms(100), 1000)
	if got, want := l.leftBy(time.Hour), 1000+3000+1000; got > want {
		t.Errorf("%d bytes left, want %d: one packet, what 15ms carry, and one", got, want)
	}
}

// TestProbeKeepsMediaMoving: a cluster at a crawl holds media back no longer than MaxDelay.
func TestProbeKeepsMediaMoving(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: 50 * time.Millisecond}, units.Mbps)
	l.Probe(t0, shaper.Cluster{ID: 1, Rate: 1, Bytes: 1 << 30, Packets: 1})
	l.pad(t0, packet)
	for i := range 100 {
		l.send(ms(10*i), shaper.Video, packet)
		l.flush(ms(10 * i))
	}
	if d := l.longest(shaper.Video); d > 50*time.Millisecond || l.waiting > 5 {
		t.Errorf("video waited %v and %d packets do still, want 50ms and 5", d, l.waiting)
	}
}

// TestProbing is said of a cluster from when it is asked for until it is done, given
// up, or ended.
func TestProbing(t *testing.T) {
	long := shaper.Cluster{ID: 3, Rate: 1000 * kbps, Bytes: 50_000, Packets: 5} // 400 ms
	for name, tc := range map[string]struct {
		pad   bool
		ended time.Time // by the caller
		until time.Time
	}{
		"sent":          {pad: true, until: ms(396)}, // the last of 1000 bytes begins 8 ms before the end
		"not for lack":  {until: ms(1000)},
		"by the caller": {pad: true, ended: ms(150), until: ms(149)},
	} {
		l := newLink(t, shaper.Config{}, 300*kbps)
		if l.Probing(t0) {
			t.Errorf("%s: a probe before one was asked for", name)
		}
		l.Probe(t0, long)
		var last time.Time
		for i := range 1500 {
			now := ms(i)
			if now.Equal(tc.ended) {
				l.Probe(now, shaper.Cluster{})
			}
			if l.Probing(now) {
				last = now
			}
			if tc.pad {
				l.pad(now, 500)
			}
		}
		if last != tc.until {
			t.Errorf("%s: a probe until %d ms, want %d", name, last.Sub(t0).Milliseconds(), tc.until.Sub(t0).Milliseconds())
		}
	}
}
