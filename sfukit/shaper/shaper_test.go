package shaper_test

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/shaper"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

const (
	tick   = 5 * time.Millisecond // between two flushes
	kbps   = units.Kbps
	packet = 1200
)

var t0 = time.Unix(1_700_000_000, 0)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

// item is a packet of the test.
type item struct {
	n       int
	class   shaper.Class
	size    int
	came    time.Time
	left    time.Time
	cluster int
}

// link drives a shaper as a subscriber does, and notes what leaves.
type link struct {
	*shaper.Shaper[item]
	t       testing.TB
	next    int
	sent    []item
	lost    []item
	inline  int
	waiting int
}

// newLink makes a link, by default with a Factor and a MaxDelay that the figures of
// these tests are for.
func newLink(t testing.TB, c shaper.Config, target units.Bitrate) *link {
	t.Helper()
	c.Factor, c.MaxDelay = cmp.Or(c.Factor, 2.5), cmp.Or(c.MaxDelay, 300*time.Millisecond)
	s, err := shaper.New[item](c)
	if err != nil {
		t.Fatalf("New(%+v) = %v", c, err)
	}
	s.SetTarget(t0, target)
	return &link{Shaper: s, t: t}
}

// send gives a packet to the shaper.
func (l *link) send(now time.Time, class shaper.Class, size int) {
	it := item{n: l.next, class: class, size: size, came: now}
	l.next++
	cluster, ok := l.Admit(now, class, size)
	if ok {
		l.inline++
		it.left, it.cluster = now, cluster
		l.sent = append(l.sent, it)
		return
	}
	lost := l.Push(now, class, size, it)
	l.lost = append(l.lost, lost...)
	l.waiting += 1 - len(lost)
}

// flush sends what may leave.
func (l *link) flush(now time.Time) {
	for it, cluster, ok := l.Pop(now); ok; it, cluster, ok = l.Pop(now) {
		it.left, it.cluster = now, cluster
		l.sent = append(l.sent, it)
		l.waiting--
	}
	if packets, _ := l.Queued(); packets != l.waiting {
		l.t.Fatalf("Queued() = %d packets, want %d", packets, l.waiting)
	}
}

// drain flushes every tick until nothing waits, and returns when that is.
func (l *link) drain(now time.Time) time.Time {
	for ; l.waiting > 0; now = now.Add(tick) {
		l.flush(now)
	}
	return now
}

// longest returns the longest wait of a class.
func (l *link) longest(class shaper.Class) (d time.Duration) {
	for _, it := range l.sent {
		if it.class == class {
			d = max(d, it.left.Sub(it.came))
		}
	}
	return d
}

// leftBy returns how many bytes had left by the end of d after t0.
func (l *link) leftBy(d time.Duration) (bytes int) {
	for _, it := range l.sent {
		if it.left.Sub(t0) <= d {
			bytes += it.size
		}
	}
	return bytes
}

func numbers(items []item) (ns []int) {
	for _, it := range items {
		ns = append(ns, it.n)
	}
	return ns
}

func TestNew(t *testing.T) {
	tests := []struct {
		c  shaper.Config
		ok bool
	}{
		{shaper.Config{}, true},
		{shaper.Config{Off: true}, true},
		{shaper.Config{Factor: 1, Burst: 1, MaxDelay: 1, MaxBytes: 1}, true},
		{shaper.Config{Factor: 1000, Burst: time.Second, MaxDelay: time.Hour, MaxBytes: math.MaxInt}, true},
		{shaper.Config{Factor: 0.99}, false},
		{shaper.Config{Factor: -1}, false},
		{shaper.Config{Factor: math.NaN()}, false},
		{shaper.Config{Factor: math.Inf(1)}, false},
		{shaper.Config{Burst: -1}, false},
		{shaper.Config{Burst: time.Second + 1}, false},
		{shaper.Config{MaxDelay: -1}, false},
		{shaper.Config{MaxBytes: -1}, false},
	}
	for _, tc := range tests {
		_, err := shaper.New[int](tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, shaper.ErrConfig) {
			t.Errorf("New(%+v) error = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

func TestClassString(t *testing.T) {
	for c, want := range map[shaper.Class]string{
		shaper.Padding: "padding", shaper.Video: "video", shaper.Retransmission: "retransmission", shaper.Audio: "audio",
		4: "class(4)", 255: "class(255)",
	} {
		if got := c.String(); got != want {
			t.Errorf("Class(%d).String() = %q, want %q", uint8(c), got, want)
		}
	}
}

// TestKeyframe spreads a keyframe of 100 packets that come at once. Where MaxDelay
// allows it leaves at the factor, else as fast as it must.
func TestKeyframe(t *testing.T) {
	const size = 100 * packet
	tests := []struct {
		target   units.Bitrate
		maxDelay time.Duration
		want     time.Duration // until the last packet has left
	}{
		{500 * kbps, 2 * time.Second, 750 * time.Millisecond}, // 120 kB at 156 kB/s less the burst
		{500 * kbps, 300 * time.Millisecond, 300 * time.Millisecond},
		{500 * kbps, 0, 300 * time.Millisecond},
		{300 * kbps, 500 * time.Millisecond, 500 * time.Millisecond},
		{1500 * kbps, 300 * time.Millisecond, 245 * time.Millisecond},
		{5000 * kbps, 300 * time.Millisecond, 70 * time.Millisecond},
	}
	for _, tc := range tests {
		l := newLink(t, shaper.Config{MaxDelay: tc.maxDelay}, tc.target)
		for range 100 {
			l.send(t0, shaper.Video, packet)
		}
		l.drain(t0)
		got := l.longest(shaper.Video)
		if d := got - tc.want; d < -2*tick || d > tick {
			t.Errorf("target %v, MaxDelay %v: last packet left after %v, want %v", tc.target, tc.maxDelay, got, tc.want)
		}
		for _, part := range []int{1, 2, 3} { // as much in every quarter
			at := tc.want * time.Duration(part) / 4
			burst := tc.target.Bytes(25 * time.Millisecond) // 10 ms at the factor
			if got, want := l.leftBy(at), size*part/4; got < want*8/10 || got > want*12/10+burst+packet {
				t.Errorf("target %v, MaxDelay %v: %d bytes left by %v, want about %d", tc.target, tc.maxDelay, got, at, want)
			}
		}
		if !slices.IsSorted(numbers(l.sent)) {
			t.Errorf("target %v: packets left in order %v", tc.target, numbers(l.sent))
		}
	}
}

// TestSteadyStreamIsInline sends what a publisher makes of 1.5 Mbit/s: 30 frames a
// second of half to one and a half times the average, and every ten seconds a
// keyframe of eight times that, which come at once or a packet every millisecond.
// Most leave at once, without a copy.
func TestSteadyStreamIsInline(t *testing.T) {
	const rate = 1500 * kbps
	tests := []struct {
		headroom float64       // target ÷ rate
		spacing  int           // ms between the packets of a frame
		inline   float64       // share, at least
		longest  time.Duration // wait, at most
	}{
		{1, 0, 0.6, 150 * time.Millisecond},
		{1, 1, 0.9, 75 * time.Millisecond},
		{1.3, 0, 0.85, 100 * time.Millisecond},
		{1.3, 1, 0.95, 50 * time.Millisecond},
		{2, 0, 0.95, 75 * time.Millisecond},
		{2, 1, 0.95, 10 * time.Millisecond},
	}
	for _, tc := range tests {
		l := newLink(t, shaper.Config{}, units.Bitrate(float64(rate)*tc.headroom))
		r := rand.New(rand.NewPCG(1, 2))
		for frame := range 900 {
			size := float64(rate) / 8 / 30 * (0.5 + r.Float64())
			if frame%300 == 0 {
				size *= 8
			}
			for i := range 33 {
				now := ms(33*frame + i)
				for size > 0 && (i == 0 || tc.spacing > 0) {
					l.send(now, shaper.Video, packet)
					if size -= packet; tc.spacing > 0 {
						break
					}
				}
				if (33*frame+i)%5 == 0 {
					l.flush(now)
				}
			}
		}
		share, longest := float64(l.inline)/float64(l.next), l.longest(shaper.Video)
		t.Logf("headroom %.1f, %d ms between packets: %.1f %% left at once, the longest wait was %v", tc.headroom, tc.spacing, 100*share, longest)
		if share < tc.inline || longest > tc.longest {
			t.Errorf("headroom %.1f, %d ms between packets: %.3f left at once, the longest wait was %v; want %.2f and %v",
				tc.headroom, tc.spacing, share, longest, tc.inline, tc.longest)
		}
	}
}

// TestPathQueue plays a stream at 0.8 of a path's capacity, which is the target, with
// a keyframe of 48 kB a second in. The path holds 200 ms, and drops what is more:
// the smaller the factor, the less of the keyframe is lost and the later it is.
func TestPathQueue(t *testing.T) {
	const capacity = 1000 * kbps
	play := func(c shaper.Config) (lost int, longest time.Duration) {
		l := newLink(t, c, capacity)
		room, held, arrived := capacity.Bytes(200*time.Millisecond), 0, 0
		for i := range 5000 {
			now := ms(i)
			if i%12 == 0 {
				l.send(now, shaper.Video, packet)
			}
			if i == 1000 {
				for range 40 {
					l.send(now, shaper.Video, packet)
				}
			}
			if i%5 == 0 {
				l.flush(now)
			}
			held = max(0, held-capacity.Bytes(time.Millisecond))
			for ; arrived < len(l.sent); arrived++ {
				if held+packet > room {
					lost++
				} else {
					held += packet
				}
			}
		}
		return lost, l.longest(shaper.Video)
	}
	before, waited := play(shaper.Config{Off: true})
	t.Logf("off: %d of 40 packets lost", before)
	for _, factor := range []float64{2.5, 2, 1.5, 1.25} {
		lost, longest := play(shaper.Config{Factor: factor})
		t.Logf("factor %.2f: %d lost, the longest wait was %v", factor, lost, longest)
		if lost >= before || longest <= waited || longest > 300*time.Millisecond+tick {
			t.Errorf("factor %.2f: %d lost and %v waited, want less than %d and more than %v", factor, lost, longest, before, waited)
		}
		before, waited = lost, longest
	}
	// The defaults, said in full since newLink has others.
	if lost, longest := play(shaper.Config{Factor: 1.25, MaxDelay: 300 * time.Millisecond}); lost > 3 || longest > 300*time.Millisecond+tick {
		t.Errorf("default: %d lost and %v waited, want at most 3 and 300ms", lost, longest)
	}
}

// TestForcedRateEnds: once a keyframe that needed more than the factor has left, the
// next burst is spread at the factor again.
func TestForcedRateEnds(t *testing.T) {
	l := newLink(t, shaper.Config{}, 400*kbps) // 125 kB/s
	for range 100 {
		l.send(t0, shaper.Video, packet)
	}
	now := l.drain(t0).Add(time.Second)
	before := l.next
	for range 20 {
		l.send(now, shaper.Video, packet)
	}
	l.drain(now)
	// 24 kB, less the burst and the last packet.
	if got, want := l.sent[len(l.sent)-1].left.Sub(now), 172*time.Millisecond; before != 100 || got < want || got > want+tick {
		t.Errorf("the last of the second burst left after %v, want %v", got, want)
	}
}

// TestForcedRateIsEven has a burst come behind much audio, or much that is more
// urgent: it is spread over what is left of MaxDelay, not sent in one go at its end.
func TestForcedRateIsEven(t *testing.T) {
	for _, urgent := range []shaper.Class{shaper.Audio, shaper.Retransmission} {
		l := newLink(t, shaper.Config{MaxDelay: time.Second}, 400*kbps) // 125 kB/s
		for range 100 {
			l.send(t0, urgent, 1000)
		}
		for range 50 {
			l.send(t0, shaper.Video, 1000)
		}
		l.drain(t0)
		flushes := map[time.Time]int{}
		for _, it := range l.sent {
			if it.class == shaper.Video {
				flushes[it.left]++
			}
		}
		for at, n := range flushes {
			if n > 2 { // 150 kB/s in ticks of 5 ms are 0.75 packets
				t.Errorf("behind %v: %d packets left together after %v, want 2 at most", urgent, n, at.Sub(t0))
			}
		}
		if d := l.longest(shaper.Video); d > time.Second {
			t.Errorf("behind %v: video waited %v, want a second at most", urgent, d)
		}
	}
}

// TestForgets: what has left, or was lost, is not kept from the garbage collector.
func TestForgets(t *testing.T) {
	s, err := shaper.New[*[1 << 16]byte](shaper.Config{MaxBytes: 2000})
	if err != nil {
		t.Fatal(err)
	}
	var refs []weak.Pointer[[1 << 16]byte]
	push := func(size int) {
		p := new([1 << 16]byte)
		refs = append(refs, weak.Make(p))
		s.Push(t0, shaper.Video, size, p)
	}
	push(1500)
	push(1500) // the first is lost
	push(200)
	for _, _, ok := s.Pop(t0); ok; _, _, ok = s.Pop(t0) {
	}
	runtime.GC()
	for i, ref := range refs {
		if ref.Value() != nil {
			t.Errorf("item %d is still kept", i)
		}
	}
	runtime.KeepAlive(s)
}

// TestUrgency has audio and retransmissions come while a keyframe waits.
func TestUrgency(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: 2 * time.Second}, 500*kbps)
	for range 100 {
		l.send(t0, shaper.Video, packet)
	}
	resent := 0
	for i := 1; l.waiting > 0; i++ {
		now := ms(5 * i)
		if i%4 == 0 {
			l.send(now, shaper.Audio, 100)
		}
		if i%20 == 0 {
			l.send(now, shaper.Retransmission, packet)
			resent++
		}
		l.flush(now)
	}
	if d := l.longest(shaper.Audio); d != 0 {
		t.Errorf("audio waited %v, want 0", d)
	}
	// One packet may have left just before: 1200 bytes at 156 kB/s and a tick.
	if d := l.longest(shaper.Retransmission); resent < 5 || d > 15*time.Millisecond {
		t.Errorf("%d retransmissions waited %v at most, want some and 15ms", resent, d)
	}
	if d := l.longest(shaper.Video); d < 500*time.Millisecond {
		t.Errorf("video waited %v at most, want half a second: else nothing was overtaken", d)
	}
	for class := range shaper.Audio {
		var of []item
		for _, it := range l.sent {
			if it.class == class {
				of = append(of, it)
			}
		}
		if !slices.IsSorted(numbers(of)) {
			t.Errorf("%v left in order %v", class, numbers(of))
		}
	}
}

// TestLateOvertaking pushes a packet to its deadline although retransmissions have
// overtaken it ever since.
func TestLateOvertaking(t *testing.T) {
	l := newLink(t, shaper.Config{}, 200*kbps)
	for range 20 {
		l.send(t0, shaper.Video, packet)
	}
	for i := range 200 {
		l.send(ms(5*i), shaper.Retransmission, packet)
		l.flush(ms(5 * i))
	}
	if d := l.longest(shaper.Video); d > 300*time.Millisecond+tick {
		t.Errorf("video waited %v, want 305ms at most", d)
	}
	if d := l.longest(shaper.Retransmission); d > 300*time.Millisecond+tick {
		t.Errorf("retransmissions waited %v, want 305ms at most", d)
	}
}

// TestAudioCounts lets audio take its part of the rate from video.
func TestAudioCounts(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: time.Minute}, 400*kbps) // 125 kB/s
	for range 1000 {
		l.send(t0, shaper.Video, packet)
	}
	for i := range 1000 {
		l.send(ms(i), shaper.Audio, 50) // 50 kB/s
		l.flush(ms(i))
	}
	video := 0
	for _, it := range l.sent {
		if it.class == shaper.Video {
			video += it.size
		}
	}
	if want := 75_000; video < want*95/100 || video > want*105/100 {
		t.Errorf("%d bytes of video left in a second, want about %d", video, want)
	}
}

// TestExcessAudioIsForgotten has far too much audio: video goes on after at most
// MaxDelay, and once the audio has stopped nothing is owed for long.
func TestExcessAudioIsForgotten(t *testing.T) {
	l := newLink(t, shaper.Config{}, 10*kbps)
	for i := range 2000 {
		l.send(ms(i), shaper.Audio, 1000)
		if i%100 == 0 {
			l.send(ms(i), shaper.Video, packet)
		}
		l.flush(ms(i))
	}
	end := l.drain(ms(2000))
	if d := l.longest(shaper.Video); d > 300*time.Millisecond+tick {
		t.Errorf("video waited %v, want 305ms at most", d)
	}
	if _, ok := l.Admit(end.Add(300*time.Millisecond), shaper.Video, packet); !ok {
		t.Error("video has to wait 300ms after the last packet, want all debt forgotten")
	}
}

// TestRateChanges changes the target while a keyframe waits.
func TestRateChanges(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: time.Minute}, 400*kbps) // 125 kB/s
	for range 1000 {
		l.send(t0, shaper.Video, packet)
	}
	now := t0
	var rates []int
	for _, target := range []units.Bitrate{400 * kbps, 800 * kbps, 100 * kbps, 400 * kbps} {
		l.SetTarget(now, target)
		before := l.leftBy(time.Hour)
		for range 200 {
			now = now.Add(tick)
			l.flush(now)
		}
		rates = append(rates, l.leftBy(time.Hour)-before)
	}
	for i, want := range []int{125_000, 250_000, 31_250, 125_000} {
		if i == 0 {
			want += 1250 // the burst
		}
		if rates[i] < want-2*packet || rates[i] > want+2*packet {
			t.Errorf("bytes that left in second %d: %d, want %d within two packets", i, rates[i], want)
		}
	}
	l.SetTarget(now, 0)
	if l.drain(now) != now.Add(tick) {
		t.Error("packets still wait when the target is no longer known")
	}
}

func TestOff(t *testing.T) {
	l := newLink(t, shaper.Config{Off: true}, 10*kbps)
	for i := range 1000 {
		l.send(ms(i), shaper.Class(i%4), packet)
	}
	l.Push(ms(1000), shaper.Video, packet, item{})
	l.waiting++
	if at, ok := l.Next(ms(1000)); !ok || at != ms(1000) {
		t.Errorf("Next() = %v, %v, want now", at, ok)
	}
	l.flush(ms(1000))
	if l.inline != 1000 || len(l.sent) != 1001 {
		t.Errorf("%d of 1000 packets left at once, and %d of 1 in the end, want all", l.inline, len(l.sent)-l.inline)
	}
	if d := l.Delay(ms(1000)); d != 0 {
		t.Errorf("Delay() = %v, want 0", d)
	}
}

func TestNoTarget(t *testing.T) {
	for _, target := range []units.Bitrate{0, -1, math.MinInt64} {
		l := newLink(t, shaper.Config{}, target)
		for range 1000 {
			l.send(t0, shaper.Video, packet)
		}
		if l.inline != 1000 {
			t.Errorf("target %d: %d of 1000 packets left at once, want all", int64(target), l.inline)
		}
	}
}

// TestLimit fills the queue: the oldest of the least urgent gives way.
func TestLimit(t *testing.T) {
	fill := func(classes ...shaper.Class) *link {
		l := newLink(t, shaper.Config{MaxBytes: 5 * 1000}, 1)
		for _, class := range classes {
			it := item{n: l.next, class: class}
			l.next++
			l.lost = append(l.lost, l.Push(t0, class, 1000, it)...)
		}
		return l
	}
	const p, v, r, a = shaper.Padding, shaper.Video, shaper.Retransmission, shaper.Audio
	tests := []struct {
		push []shaper.Class
		want []int // the numbers of those that are lost, in this order
	}{
		{[]shaper.Class{v, v, v, v, v}, nil},
		{[]shaper.Class{v, v, v, v, v, v, v}, []int{0, 1}},
		{[]shaper.Class{r, v, v, r, p, r, r, r}, []int{4, 1, 2}},
		{[]shaper.Class{r, r, r, r, r, v}, []int{5}},
		{[]shaper.Class{r, r, r, r, r, a, p, 77}, []int{0, 6, 7}},
		{[]shaper.Class{a, a, a, a, a, a}, []int{0}},
	}
	for _, tc := range tests {
		l := fill(tc.push...)
		if got := numbers(l.lost); !slices.Equal(got, tc.want) {
			t.Errorf("pushed %v: lost %v, want %v", tc.push, got, tc.want)
		}
		if packets, bytes := l.Queued(); packets != len(tc.push)-len(tc.want) || bytes != 1000*packets {
			t.Errorf("pushed %v: %d packets and %d bytes wait, want %d packets", tc.push, packets, bytes, len(tc.push)-len(tc.want))
		}
	}

	l := fill(v, v)
	if lost := l.Push(t0, a, 5001, item{n: 9}); len(lost) != 3 || lost[2].n != 9 {
		t.Errorf("a packet larger than all room: lost %v, want it after the others", numbers(lost))
	}
	l = newLink(t, shaper.Config{MaxBytes: 1000}, 1)
	for range 10 {
		l.lost = append(l.lost, l.Push(t0, v, math.MinInt, item{})...)
	}
	if packets, bytes := l.Queued(); packets != 3 || bytes != 0 || len(l.lost) != 7 {
		t.Errorf("%d packets of no size wait in 1000 bytes, %d lost, want 3 and 7", packets, len(l.lost))
	}
	if lost := l.Push(t0, v, math.MaxInt, item{}); len(lost) != 4 {
		t.Errorf("a packet of no sane size: lost %d, want it and 3", len(lost))
	}
}

// TestNext goes from one answer of Next to the next: each time something leaves, and
// earlier nothing does.
func TestNext(t *testing.T) {
	l := newLink(t, shaper.Config{Burst: time.Nanosecond}, 700*kbps)
	if at, ok := l.Next(t0); ok {
		t.Errorf("Next() of an empty shaper = %v, want none", at)
	}
	for range 100 {
		l.send(t0, shaper.Video, packet)
	}
	now := t0
	for l.waiting > 0 {
		at, ok := l.Next(now)
		if !ok || at.Before(now) {
			t.Fatalf("Next() at %v = %v, %v with %d packets waiting", now.Sub(t0), at.Sub(t0), ok, l.waiting)
		}
		before := len(l.sent)
		if early := at.Add(-2); early.After(now) {
			if l.flush(early); len(l.sent) != before {
				t.Fatalf("a packet left before %v, which Next said", at.Sub(t0))
			}
		}
		if l.flush(at); len(l.sent) != before+1 {
			t.Fatalf("%d packets left at %v, want 1", len(l.sent)-before, at.Sub(t0))
		}
		now = at
	}
}

// TestNextWithoutTarget: what waited while there was a target leaves when a probe
// has its turn, else at once.
func TestNextWithoutTarget(t *testing.T) {
	l := newLink(t, shaper.Config{}, 100*kbps)
	for range 3 {
		l.send(t0, shaper.Video, packet)
	}
	l.SetTarget(t0, 0)
	if at, ok := l.Next(t0); !ok || at != t0 {
		t.Errorf("Next() without a target = %v, %v, want now", at.Sub(t0), ok)
	}
	l.Probe(t0, shaper.Cluster{ID: 1, Rate: 960 * kbps, Bytes: 5000, Packets: 2})
	l.flush(t0)
	if at, ok := l.Next(t0); !ok || at != ms(10) || l.waiting != 1 {
		t.Errorf("Next() in a probe = %v, %v with %d packets waiting, want 10ms with 1", at.Sub(t0), ok, l.waiting)
	}
}

func TestDelay(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: time.Second}, 400*kbps) // 125 kB/s
	if d := l.Delay(t0); d != 0 {
		t.Errorf("Delay() of an idle shaper = %v, want 0", d)
	}
	for range 42 {
		l.send(t0, shaper.Video, packet)
	}
	want := l.Delay(t0)
	n := l.next
	l.send(t0, shaper.Video, packet)
	l.drain(t0)
	got := l.sent[n].left.Sub(t0)
	if got-want < 0 || got-want > tick {
		t.Errorf("Delay() = %v, and the packet left after %v", want, got)
	}
	for range 1000 {
		l.send(ms(2000), shaper.Video, packet)
	}
	if d := l.Delay(ms(2000)); d != time.Second {
		t.Errorf("Delay() = %v with 1000 packets waiting, want MaxDelay", d)
	}
}

// TestTimeGoesBack has the clock step back: nothing is earned twice.
func TestTimeGoesBack(t *testing.T) {
	l := newLink(t, shaper.Config{MaxDelay: time.Minute}, 400*kbps)
	for range 1000 {
		l.send(t0, shaper.Video, packet)
	}
	for range 100 {
		l.flush(ms(1000))
		l.flush(ms(0))
	}
	if got, limit := l.leftBy(time.Hour), 125_000+1250+packet; got > limit {
		t.Errorf("%d bytes left in one second that was lived often, want %d at most", got, limit)
	}
}

func TestAllocs(t *testing.T) {
	l := newLink(t, shaper.Config{}, 500*kbps)
	now := t0
	var it item
	step := func() {
		now = now.Add(tick)
		for range 4 {
			if _, ok := l.Admit(now, shaper.Video, packet); !ok {
				l.Push(now, shaper.Video, packet, it)
			}
		}
		l.Probe(now, shaper.Cluster{ID: 1, Rate: units.Mbps, Bytes: 3000, Packets: 5})
		for _, _, ok := l.Pop(now); ok; _, _, ok = l.Pop(now) {
		}
		l.Padding(now)
		l.Next(now)
		l.Delay(now)
	}
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocs in a round, want 0", n)
	}
}

func BenchmarkAdmit(b *testing.B) {
	s, _ := shaper.New[item](shaper.Config{})
	now := t0
	s.SetTarget(now, 10*units.Mbps)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		s.Admit(now, shaper.Video, packet)
	}
}

// BenchmarkQueued is a packet that waits: Admit refuses, Push, Pop.
func BenchmarkQueued(b *testing.B) {
	s, _ := shaper.New[*item](shaper.Config{Factor: 2.5, MaxDelay: time.Hour})
	now := t0
	s.SetTarget(now, 10*units.Mbps)
	var it item
	for range 100 {
		s.Push(now, shaper.Video, packet, &it)
	}
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(384 * time.Microsecond) // a packet at 25 Mbit/s
		if _, ok := s.Admit(now, shaper.Video, packet); !ok {
			s.Push(now, shaper.Video, packet, &it)
		}
		for _, _, ok := s.Pop(now); ok; _, _, ok = s.Pop(now) {
		}
	}
	if packets, _ := s.Queued(); packets < 50 || packets > 150 {
		b.Fatalf("%d packets wait, want about 100", packets)
	}
}
