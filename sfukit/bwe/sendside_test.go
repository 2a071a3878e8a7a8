package bwe_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

func TestNewSendSide(t *testing.T) {
	tests := []struct {
		c  bwe.SendSideConfig
		ok bool
	}{
		{bwe.SendSideConfig{}, true},
		{bwe.SendSideConfig{Max: 20 * units.Kbps}, true},
		{bwe.SendSideConfig{Min: 400 * units.Kbps}, true},
		{bwe.SendSideConfig{Start: 5, Min: 5, Max: 5}, true},
		{bwe.SendSideConfig{Start: 29 * units.Kbps}, false},
		{bwe.SendSideConfig{Start: 51 * units.Mbps}, false},
		{bwe.SendSideConfig{Min: -1}, false},
		{bwe.SendSideConfig{Max: -1}, false},
		{bwe.SendSideConfig{Min: 2 * units.Mbps, Max: units.Mbps}, false},
	}
	for _, tc := range tests {
		_, err := bwe.NewSendSide(tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, bwe.ErrConfig) {
			t.Errorf("NewSendSide(%+v) = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

// A client that sends REMB only has an estimate by REMB only, and none when it
// falls silent.
func TestSendSideREMBOnly(t *testing.T) {
	e := newSendSide(t, bwe.SendSideConfig{})
	if got, ok := e.Estimate(t0); ok {
		t.Errorf("estimate %+v of nothing", got)
	}
	e.OnSent(t0, 1200)
	e.OnREMB(t0, 2*units.Mbps)
	for _, tc := range []struct {
		at   int
		want units.Bitrate
	}{{0, 2 * units.Mbps}, {4999, 2 * units.Mbps}, {5000, 0}} {
		got, ok := e.Estimate(ms(tc.at))
		if ok != (tc.want > 0) || got.Target != tc.want || ok && got.Term != bwe.TermREMB {
			t.Errorf("at %d ms: %+v, %v; want %v by remb", tc.at, got, ok, tc.want)
		}
	}
	if c, ok := e.Probe(t0); ok {
		t.Errorf("asks for %+v of a client that cannot tell the result", c)
	}
}

func TestSendSideCeilings(t *testing.T) {
	const k = units.Kbps
	tests := []struct {
		name       string
		max        units.Bitrate
		remb, hint units.Bitrate // -1: none; both at 0
		at         int
		want       units.Bitrate
		term       bwe.Term
	}{
		{"none", 0, -1, -1, 0, 300 * k, bwe.TermDelay},
		{"hint", 0, -1, 100 * k, 0, 100 * k, bwe.TermHint},
		{"hint about to expire", 0, -1, 100 * k, 4999, 100 * k, bwe.TermHint},
		{"hint expired", 0, -1, 100 * k, 5000, 300 * k, bwe.TermDelay},
		{"hint of nothing", 0, -1, 0, 0, 0, bwe.TermHint},
		{"hint above", 0, -1, 400 * k, 0, 300 * k, bwe.TermDelay},
		{"remb below a hint", 0, 100 * k, 200 * k, 0, 100 * k, bwe.TermREMB},
		{"remb and hint equal", 0, 100 * k, 100 * k, 0, 100 * k, bwe.TermREMB},
		{"delay and remb equal", 0, 300 * k, -1, 0, 300 * k, bwe.TermDelay},
		{"at the maximum", 300 * k, 80000 * k, -1, 0, 300 * k, bwe.TermDelay},
	}
	for _, tc := range tests {
		e := newSendSide(t, bwe.SendSideConfig{Max: tc.max})
		var l link
		e.OnFeedback(t0, []bwe.Packet{l.received(0)}, 0)
		if tc.remb >= 0 {
			e.OnREMB(t0, tc.remb)
		}
		if tc.hint >= 0 {
			e.OnHint(t0, tc.hint)
		}
		if got, ok := e.Estimate(ms(tc.at)); !ok || got.Target != tc.want || got.Drained != tc.want || got.Term != tc.term {
			t.Errorf("%s: %+v, want %v by %v, drained or not", tc.name, got, tc.want, tc.term)
		}
	}
}

// The first probe is three times the start, the next six times, and so on while
// the link is not full; a result is accepted as far as packets arrived.
func TestSendSideProbes(t *testing.T) {
	const k = units.Kbps
	tests := []struct {
		name   string
		demand units.Bitrate // -1: not told
		max    units.Bitrate
		link   units.Bitrate // what it passes
		want   []units.Bitrate
		last   units.Bitrate // estimate after them, 2 % more or less
	}{
		{"fast link", -1, 0, 100_000 * k, []units.Bitrate{900 * k, 1800 * k, 3600 * k, 7200 * k, 14400 * k, 28800 * k, 50000 * k}, 50000 * k},
		{"until it is full", -1, 0, 2000 * k, []units.Bitrate{900 * k, 1800 * k, 3600 * k}, 1900 * k},
		{"up to the maximum", -1, 1500 * k, 100_000 * k, []units.Bitrate{900 * k, 1500 * k}, 1500 * k},
		{"as far as is wanted", 1000 * k, 0, 100_000 * k, []units.Bitrate{900 * k, 1200 * k}, 1200 * k},
		{"nothing wanted", 0, 0, 100_000 * k, nil, 408 * k}, // 85 % of what arrives
	}
	for _, tc := range tests {
		e := newSendSide(t, bwe.SendSideConfig{Max: tc.max})
		if tc.demand >= 0 {
			e.OnDemand(t0, tc.demand)
		}
		var l link
		var warm []bwe.Packet
		for range 20 {
			warm = append(warm, l.received(0))
		}
		now := ms(500)
		e.OnFeedback(now, warm, 40*time.Millisecond)
		var got []units.Bitrate
		for range 20 {
			c, ok := e.Probe(now)
			if !ok {
				break
			}
			if again, ok := e.Probe(now); ok {
				t.Fatalf("%s: told twice: %+v, %+v", tc.name, c, again)
			}
			got = append(got, c.Rate)
			results := burst(&l, now, c, tc.link)
			now = now.Add(200 * time.Millisecond)
			e.OnFeedback(now, results, 40*time.Millisecond)
		}
		if !near(got, tc.want) {
			t.Errorf("%s: probes at %v, want %v", tc.name, got, tc.want)
		}
		x, _ := e.Estimate(now)
		if !near([]units.Bitrate{x.Target}, []units.Bitrate{tc.last}) {
			t.Errorf("%s: estimate %v, want %v", tc.name, x.Target, tc.last)
		}
		if tc.want != nil && (x.Term != bwe.TermProbe || x.Probed != x.Target || !x.ProbedAt.Equal(now)) {
			t.Errorf("%s: %+v, want a probe's result now", tc.name, x)
		}
	}
}

// near tells whether all rates are equal but for 2 %.
func near(got, want []units.Bitrate) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if d := math.Abs(float64(got[i] - want[i])); d > 0.02*float64(want[i]) {
			return false
		}
	}
	return true
}

// burst sends a cluster over a link that passes at most a rate.
func burst(l *link, from time.Time, c bwe.Cluster, passes units.Bitrate) []bwe.Packet {
	var out []bwe.Packet
	size := max(c.Bytes/20, c.Bytes/c.Packets/4, 50)
	gap := time.Duration(float64(size) * 8 / float64(c.Rate) * 1e9)
	slow := time.Duration(float64(size) * 8 / float64(min(passes, c.Rate)) * 1e9)
	for i, bytes := 0, 0; i < c.Packets || bytes < c.Bytes; i++ {
		l.seq++
		out = append(out, bwe.Packet{
			Seq: l.seq, Size: size, State: bwe.Received, Probe: c.ID,
			SendTime: from.Add(time.Duration(i) * gap), RecvTime: from.Add(50*time.Millisecond + time.Duration(i)*slow),
		})
		bytes += size
	}
	return out
}

// What a probe shows is taken with care.
func TestSendSideProbeResults(t *testing.T) {
	const unchanged = 408 * units.Kbps // 85 % of what arrives
	tests := []struct {
		name string
		do   func([]bwe.Packet) []bwe.Packet
		want units.Bitrate
	}{
		{"all arrive", func(p []bwe.Packet) []bwe.Packet { return p }, 900 * units.Kbps},
		{"of another cluster", func(p []bwe.Packet) []bwe.Packet {
			for i := range p {
				p[i].Probe = 77
			}
			return p
		}, unchanged},
		{"half are told of", func(p []bwe.Packet) []bwe.Packet { return p[:len(p)/2] }, unchanged},
		{"two arrive", func(p []bwe.Packet) []bwe.Packet {
			for i := range p[2:] {
				p[2+i].State = bwe.Lost
			}
			return p
		}, unchanged},
		{"all arrive at once", func(p []bwe.Packet) []bwe.Packet {
			for i := range p {
				p[i].RecvTime = p[0].RecvTime.Add(time.Duration(i) * time.Microsecond)
			}
			return p
		}, unchanged},
		{"over a minute", func(p []bwe.Packet) []bwe.Packet {
			for i := range p {
				p[i].RecvTime = p[i].RecvTime.Add(time.Duration(i) * time.Minute)
			}
			return p
		}, unchanged},
		{"in reverse", func(p []bwe.Packet) []bwe.Packet {
			for i := range p {
				j := len(p) - 1 - i
				if i < j {
					p[i].RecvTime, p[j].RecvTime = p[j].RecvTime, p[i].RecvTime
				}
			}
			return p
		}, 900 * units.Kbps},
	}
	for _, tc := range tests {
		e := newSendSide(t, bwe.SendSideConfig{})
		var l link
		var warm []bwe.Packet
		for range 20 {
			warm = append(warm, l.received(0))
		}
		e.OnFeedback(ms(500), warm, 0)
		c, ok := e.Probe(ms(500))
		if !ok {
			t.Fatal("no probe")
		}
		e.OnFeedback(ms(700), tc.do(burst(&l, ms(500), c, 100*units.Mbps)), 0)
		got, _ := e.Estimate(ms(700))
		if got.Target < tc.want*97/100 || got.Target > tc.want*106/100 { // it grows meanwhile
			t.Errorf("%s: %+v, want %v", tc.name, got, tc.want)
		}
	}
}

// Feedback without results, or of unknown fate, changes nothing.
func TestSendSideNothing(t *testing.T) {
	e := newSendSide(t, bwe.SendSideConfig{})
	var l link
	e.OnFeedback(t0, nil, 0)
	e.OnFeedback(t0, []bwe.Packet{l.unknown()}, 0)
	if got, ok := e.Estimate(t0); ok {
		t.Errorf("estimate %+v of nothing", got)
	}
}

// What a hostile or broken receiver can say leads to no absurdity, and cannot be
// used to have more sent than arrives.
func TestSendSideHostile(t *testing.T) {
	tests := []struct {
		name string
		tell func(i int, p *bwe.Packet)
		most units.Bitrate
	}{
		{"all at one time", func(_ int, p *bwe.Packet) { p.RecvTime = t0 }, 2 * units.Mbps},
		{"all lost", func(_ int, p *bwe.Packet) { p.State = bwe.Lost }, 300 * units.Kbps},
		{"ever faster", func(i int, p *bwe.Packet) { p.RecvTime = t0.Add(time.Duration(math.Sqrt(float64(i)) * 1e6)) }, 2 * units.Mbps},
		{"back in time", func(i int, p *bwe.Packet) { p.RecvTime = t0.Add(-time.Duration(i) * time.Second) }, 2 * units.Mbps},
		{"far apart", func(i int, p *bwe.Packet) { p.RecvTime = t0.Add(time.Duration(i%2) * (math.MaxInt64 / 2)) }, 2 * units.Mbps},
		{"no time at all", func(_ int, p *bwe.Packet) { p.SendTime, p.RecvTime = time.Time{}, time.Time{} }, 2 * units.Mbps},
		{"years", func(i int, p *bwe.Packet) { p.RecvTime = time.Unix(int64(i)*1e9, 0) }, 2 * units.Mbps},
	}
	for _, tc := range tests {
		e := newSendSide(t, bwe.SendSideConfig{Max: 10 * units.Mbps})
		var l link
		for i := range 2000 { // 20 s at 960 kbit/s
			now := ms(10 * i)
			e.OnSent(now, 1200)
			p := l.received(0)
			p.SendTime = now
			tc.tell(i, &p)
			e.OnFeedback(now, []bwe.Packet{p}, time.Duration(i)*time.Hour)
			e.Probe(now)
			sane(t, e, now, 30*units.Kbps, 10*units.Mbps)
		}
		if got := estimate2(t, e, ms(20_000)); got.Target > tc.most {
			t.Errorf("%s: %+v, want %v at most", tc.name, got, tc.most)
		}
	}
}

func estimate2(t *testing.T, e bwe.Estimator, now time.Time) bwe.Estimate {
	t.Helper()
	x, ok := e.Estimate(now)
	if !ok {
		t.Fatal("no estimate")
	}
	return x
}

// sane fails if an estimate is out of its bounds or not a number.
func sane(t *testing.T, e *bwe.SendSide, now time.Time, low, high units.Bitrate) {
	t.Helper()
	x, ok := e.Estimate(now)
	if !ok {
		return
	}
	if x.Target < low || x.Target > high || x.Term == bwe.TermNone || x.Acked < 0 || x.LinkCapacity < 0 || x.Probed < 0 || x.Queue < 0 ||
		!(x.Loss >= 0 && x.Loss <= 1) {
		t.Fatalf("estimate %+v, want %v to %v", x, low, high)
	}
}

func TestSendSideAllocs(t *testing.T) {
	e := newSendSide(t, bwe.SendSideConfig{})
	var l link
	results := make([]bwe.Packet, 50)
	now := t0
	step := func() {
		for i := range results {
			now = now.Add(2 * time.Millisecond)
			e.OnSent(now, 1200)
			results[i] = l.received(0)
			results[i].SendTime, results[i].RecvTime = now, now.Add(50*time.Millisecond)
			if i%9 == 0 {
				results[i].State = bwe.Lost
			}
		}
		e.OnFeedback(now, results, 50*time.Millisecond)
		e.OnREMB(now, 1e6)
		e.OnHint(now, 1e6)
		e.OnDemand(now, 2e6)
		e.Probe(now)
		e.Estimate(now)
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocs, want 0", n)
	}
}

// FuzzSendSide tells arbitrary results at arbitrary times: the estimate stays
// within its bounds and finite, and clusters are possible to send.
func FuzzSendSide(f *testing.F) {
	f.Add([]byte{10, 1, 10, 5, 10, 2, 10, 5, 255, 0, 255, 255, 3, 1, 128, 1})
	f.Add([]byte{50, 2, 50, 7, 50, 0, 50, 5, 50, 1, 200, 255, 50, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		const low, high = 50 * units.Kbps, 5 * units.Mbps
		e := newSendSide(t, bwe.SendSideConfig{Min: low, Max: high})
		now, probe := t0, 0
		var seq int64
		for len(data) >= 4 {
			a, b, c, d := data[0], data[1], data[2], data[3]
			data = data[4:]
			now = now.Add(time.Duration(a) * time.Millisecond)
			var results []bwe.Packet
			for i := range int(d>>3) + 1 {
				seq++
				size := 1 + int(c)*50
				e.OnSent(now, size)
				p := bwe.Packet{Seq: seq, Size: size, SendTime: now, State: bwe.State(b & 3)}
				p.RecvTime = now.Add(time.Duration(int8(c)) * time.Duration(i+1) << (b >> 3))
				if d&1 == 1 {
					p.Probe = probe
				}
				if d&2 == 2 {
					p.SendTime = p.SendTime.Add(-time.Duration(a) * time.Duration(i) << (c >> 4))
				}
				results = append(results, p)
			}
			e.OnFeedback(now, results, time.Duration(int8(a))<<(b>>2))
			if d&4 == 4 {
				e.OnDemand(now, units.Bitrate(int8(c))<<(b&31))
			}
			if cl, ok := e.Probe(now); ok {
				probe = cl.ID
				if cl.ID <= 0 || cl.Rate <= 0 || cl.Rate > high || cl.Bytes <= 0 || cl.Packets <= 0 {
					t.Fatalf("cluster %+v", cl)
				}
			}
			sane(t, e, now, low, high)
		}
	})
}

// BenchmarkSendSide takes 50 packets per round, as of 12 Mbit/s and feedback each 50 ms.
func BenchmarkSendSide(b *testing.B) {
	for _, lossy := range []bool{false, true} {
		b.Run(fmt.Sprintf("lossy=%v", lossy), func(b *testing.B) { benchmarkSendSide(b, lossy) })
	}
}

func benchmarkSendSide(b *testing.B, lossy bool) {
	e := newSendSide(b, bwe.SendSideConfig{})
	results := make([]bwe.Packet, 50)
	now := t0
	var seq int64
	b.ReportAllocs()
	for b.Loop() {
		for i := range results {
			now = now.Add(time.Millisecond)
			seq++
			e.OnSent(now, 1200)
			results[i] = bwe.Packet{Seq: seq, Size: 1200, SendTime: now, RecvTime: now.Add(50 * time.Millisecond), State: bwe.Received}
			if lossy && seq%20 == 0 {
				results[i].State = bwe.Lost
			}
		}
		e.OnFeedback(now, results, 50*time.Millisecond)
		e.Estimate(now)
	}
}

func ExampleSendSide() {
	e, err := bwe.NewSendSide(bwe.SendSideConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var h bwe.History
	now := time.Unix(0, 0)
	send := func(size, probe int) {
		h.Sent(now, size, probe) // its number goes into the packet's header extension
		e.OnSent(now, size)
	}
	report := func(first uint16, n int, gap time.Duration) {
		now = now.Add(50 * time.Millisecond)
		symbols := make([]bwe.Symbol, n)
		for i := range symbols {
			symbols[i] = bwe.Symbol{Received: true, Delta: gap}
		}
		results, rtt := h.Feedback(now, first, uint32(now.UnixMilli()/64), symbols, nil)
		e.OnFeedback(now, results, rtt)
	}

	for range 20 {
		send(600, 0)
		now = now.Add(20 * time.Millisecond)
	}
	report(0, 20, 20*time.Millisecond)
	x, _ := e.Estimate(now)
	fmt.Println(x.Target, x.Term)

	e.OnDemand(now, 2*units.Mbps) // of the next layer
	c, _ := e.Probe(now)
	fmt.Println(c.Rate, c.Bytes, c.Packets)
	for range 5 {
		send(600, c.ID)
		now = now.Add(5 * time.Millisecond)
	}
	report(20, 5, 5*time.Millisecond)
	x, _ = e.Estimate(now)
	fmt.Println(x.Target, x.Term)
	// Output:
	// 300 kbit/s delay
	// 900 kbit/s 2812 5
	// 960 kbit/s probe
}
