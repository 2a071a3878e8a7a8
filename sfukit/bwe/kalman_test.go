package bwe_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/bwe"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/units"
)

var t0 = time.Unix(1_700_000_000, 0)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

func newKalman(t testing.TB, c bwe.KalmanConfig) *bwe.Kalman {
	t.Helper()
	k, err := bwe.NewKalman(c)
	if err != nil {
		t.Fatalf("NewKalman(%+v) = %v", c, err)
	}
	return k
}

// link makes results: packets sent every 20 ms over a link of 50 ms.
type link struct {
	seq   int64
	delay time.Duration
}

// received sends one packet that takes growth longer than the one before.
func (l *link) received(growth time.Duration) bwe.Packet {
	l.seq++
	l.delay += growth
	sent := ms(20 * int(l.seq))
	return bwe.Packet{Seq: l.seq, Size: 1200, SendTime: sent, RecvTime: sent.Add(50*time.Millisecond + l.delay), State: bwe.Received}
}

func (l *link) lost() bwe.Packet {
	l.seq++
	return bwe.Packet{Seq: l.seq, Size: 1200, SendTime: ms(20 * int(l.seq)), State: bwe.Lost}
}

func (l *link) unknown() bwe.Packet {
	p := l.lost()
	p.State = bwe.Unknown
	return p
}

func estimate(t *testing.T, k *bwe.Kalman, now time.Time) bwe.Estimate {
	t.Helper()
	e, ok := k.Estimate(now)
	if !ok {
		t.Fatal("no estimate")
	}
	return e
}

func TestNewKalman(t *testing.T) {
	tests := []struct {
		c  bwe.KalmanConfig
		ok bool
	}{
		{bwe.KalmanConfig{}, true},
		{bwe.KalmanConfig{Start: 1 * units.Mbps}, true},
		{bwe.KalmanConfig{Max: 200 * units.Kbps}, true},
		{bwe.KalmanConfig{Max: 20 * units.Kbps}, true},
		{bwe.KalmanConfig{Min: 400 * units.Kbps}, true},
		{bwe.KalmanConfig{Start: 5, Min: 5, Max: 5}, true},
		{bwe.KalmanConfig{Start: 29 * units.Kbps}, false},
		{bwe.KalmanConfig{Start: 51 * units.Mbps}, false},
		{bwe.KalmanConfig{Start: -1}, false},
		{bwe.KalmanConfig{Min: -1}, false},
		{bwe.KalmanConfig{Max: -1}, false},
		{bwe.KalmanConfig{Min: 2 * units.Mbps, Max: 1 * units.Mbps}, false},
	}
	for _, tc := range tests {
		_, err := bwe.NewKalman(tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, bwe.ErrConfig) {
			t.Errorf("NewKalman(%+v) error = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

func TestKalmanNoEstimate(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	if e, ok := k.Estimate(t0); ok {
		t.Errorf("Estimate before any input = %+v, true", e)
	}
	var l link
	k.OnFeedback(t0, nil, 0)
	k.OnFeedback(t0, []bwe.Packet{l.unknown(), l.unknown()}, 0)
	if e, ok := k.Estimate(t0); ok {
		t.Errorf("Estimate after feedback that tells nothing = %+v, true", e)
	}
	k.OnREMB(t0, 2*units.Mbps)
	if e := estimate(t, k, t0); e != (bwe.Estimate{Target: 2 * units.Mbps, Term: bwe.TermREMB}) {
		t.Errorf("Estimate of a client with REMB only = %+v", e)
	}
	if e, ok := k.Estimate(ms(5000)); ok {
		t.Errorf("Estimate after the REMB expired = %+v, true", e)
	}
}

// A smooth link gains 8 kbit/s (delay) and 5 kbit/s (loss) for each message.
func TestKalmanRises(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	var l link
	for i := range 10 {
		k.OnFeedback(ms(50*i), []bwe.Packet{l.received(0), l.received(0)}, 0)
	}
	if e := estimate(t, k, ms(500)); e != (bwe.Estimate{Target: 350 * units.Kbps, Term: bwe.TermLoss}) {
		t.Errorf("after 10 messages: %+v, want 350 kbit/s by loss", e)
	}
	// In the end both terms stand at Max.
	for i := range 10_000 {
		k.OnFeedback(ms(1000+i), []bwe.Packet{l.received(0)}, 0)
	}
	if e := estimate(t, k, ms(20000)); e != (bwe.Estimate{Target: 50 * units.Mbps, Term: bwe.TermDelay}) {
		t.Errorf("after 10 000 messages: %+v, want 50 Mbit/s by delay (the earlier of equals)", e)
	}
}

// Twenty packets, each 20 ms later than the one before, in one message or each in
// its own.
func TestKalmanGradient(t *testing.T) {
	one, many := newKalman(t, bwe.KalmanConfig{}), newKalman(t, bwe.KalmanConfig{})
	var l link
	var results []bwe.Packet
	for i := range 20 {
		p := l.received(20 * time.Millisecond)
		results = append(results, p)
		many.OnFeedback(ms(20*i), []bwe.Packet{p}, 0)
	}
	one.OnFeedback(t0, results, 0)
	if e := estimate(t, one, t0); e != (bwe.Estimate{Target: 255 * units.Kbps, Term: bwe.TermDelay}) {
		t.Errorf("one message: %+v, want 255 kbit/s by delay", e)
	}
	// 308 000 after the first, then 15 % off at 20 and 220 ms.
	if e := estimate(t, many, t0); e.Target != 222_530 || e.Term != bwe.TermDelay {
		t.Errorf("20 messages: %+v, want 222 530 bit/s by delay", e)
	}
}

// Below 12.5 ms per packet nothing is overused; the rate never falls below Min.
func TestKalmanGradientBounds(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	var l link
	for i := range 100 {
		k.OnFeedback(ms(200*i), []bwe.Packet{l.received(12500 * time.Microsecond)}, 0)
	}
	if e := estimate(t, k, ms(20000)); e.Target != 800*units.Kbps {
		t.Errorf("at the threshold: %+v, want 800 kbit/s", e)
	}
	for i := range 100 {
		k.OnFeedback(ms(20000+200*i), []bwe.Packet{l.received(30 * time.Millisecond)}, 0)
	}
	if e := estimate(t, k, ms(40000)); e != (bwe.Estimate{Target: 30 * units.Kbps, Term: bwe.TermDelay}) {
		t.Errorf("overused for long: %+v, want 30 kbit/s by delay", e)
	}
}

// Within 200 ms of backing off, overuse neither lowers nor raises the rate.
func TestKalmanDelayCooldown(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	var l link
	k.OnFeedback(t0, []bwe.Packet{l.received(0), l.received(30 * time.Millisecond)}, 0)
	steps := []struct {
		at   int
		want units.Bitrate
	}{{1, 255_000}, {199, 255_000}, {200, 216_750}, {399, 216_750}, {400, 184_237}}
	for _, s := range steps {
		k.OnFeedback(ms(s.at), []bwe.Packet{l.received(30 * time.Millisecond)}, 0)
		if e := estimate(t, k, ms(s.at)); e.Target != s.want {
			t.Errorf("at %d ms: %d, want %d", s.at, e.Target, s.want)
		}
	}
}

// The filter's gain settles at 0.1318, the solution of K = P/(P+R) with
// P = K·R + Q, Q = 1e-4, R = 5e-3. One step of z µs after a long smooth
// stretch moves the gradient to K·z, so the threshold is crossed between
// 94.4 and 95.4 ms. The very first step passes almost entirely (K = 0.995).
func TestKalmanGain(t *testing.T) {
	tests := []struct {
		name   string
		smooth int
		step   time.Duration
		over   bool
	}{
		{"settled, just below", 500, 94_400 * time.Microsecond, false},
		{"settled, just above", 500, 95_400 * time.Microsecond, true},
		{"first, just below", 1, 12_550 * time.Microsecond, false},
		{"first, just above", 1, 12_580 * time.Microsecond, true},
	}
	for _, tc := range tests {
		k := newKalman(t, bwe.KalmanConfig{})
		var l link
		var results []bwe.Packet
		for range tc.smooth {
			results = append(results, l.received(0))
		}
		k.OnFeedback(t0, append(results, l.received(tc.step)), 0)
		if e := estimate(t, k, t0); (e.Target < 300*units.Kbps) != tc.over {
			t.Errorf("%s: %+v, want overuse %v", tc.name, e, tc.over)
		}
	}
}

// What lies between two received packets does not disturb the gradient.
func TestKalmanGradientAcrossGaps(t *testing.T) {
	var l link
	tests := []struct {
		name    string
		between func() []bwe.Packet
		want    units.Bitrate
	}{
		{"lost", func() []bwe.Packet { return []bwe.Packet{l.lost()} }, 300_000},
		{"unknown", func() []bwe.Packet { return []bwe.Packet{l.unknown()} }, 305_000},
		{"send time not known", func() []bwe.Packet {
			p := l.received(0)
			p.SendTime = time.Time{}
			p.RecvTime = p.RecvTime.Add(time.Hour)
			return []bwe.Packet{p}
		}, 305_000},
	}
	for _, tc := range tests {
		k := newKalman(t, bwe.KalmanConfig{})
		results := []bwe.Packet{}
		for range 20 {
			results = append(results, l.received(0))
		}
		results = append(results, tc.between()...)
		results = append(results, l.received(0))
		k.OnFeedback(t0, results, 0)
		if e := estimate(t, k, t0); e.Target != tc.want {
			t.Errorf("%s: %+v, want %d", tc.name, e, tc.want)
		}
	}
}

// A packet that was overtaken, told in a later message, is no sign of a queue,
// however late it came, and nothing is measured from it.
func TestKalmanOvertaken(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	var l link
	var results []bwe.Packet
	for range 20 {
		results = append(results, l.received(0))
	}
	late := l.received(0)
	late.RecvTime = late.RecvTime.Add(300 * time.Millisecond)
	k.OnFeedback(t0, append(results, l.received(0)), 0)
	k.OnFeedback(ms(50), []bwe.Packet{late}, 0)
	if e := estimate(t, k, ms(50)); e.Target != 310_000 {
		t.Errorf("after an overtaken packet: %+v, want 310 kbit/s", e)
	}
}

func TestKalmanLoss(t *testing.T) {
	tests := []struct {
		name       string
		lost, good int // in this order
		want       bwe.Estimate
	}{
		{"1 of 64 is little", 1, 63, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"2 of 64 hold", 2, 62, bwe.Estimate{Target: 300_000, Term: bwe.TermLoss}},
		{"6 of 64 hold", 6, 58, bwe.Estimate{Target: 300_000, Term: bwe.TermLoss}},
		{"7 of 64 back off", 7, 57, bwe.Estimate{Target: 255_000, Term: bwe.TermLoss}},
		{"1 of 10 backs off", 1, 9, bwe.Estimate{Target: 255_000, Term: bwe.TermLoss}},
		{"all lost", 64, 0, bwe.Estimate{Target: 255_000, Term: bwe.TermLoss}},
		{"64 good ones push 64 lost ones out", 64, 64, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"63 leave one", 64, 63, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"62 leave two", 64, 62, bwe.Estimate{Target: 300_000, Term: bwe.TermLoss}},
	}
	for _, tc := range tests {
		k := newKalman(t, bwe.KalmanConfig{})
		var l link
		var results []bwe.Packet
		for range tc.lost {
			results = append(results, l.lost(), l.unknown())
		}
		for range tc.good {
			results = append(results, l.received(0), l.unknown())
		}
		k.OnFeedback(t0, results, 0)
		if e := estimate(t, k, t0); e != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, e, tc.want)
		}
	}
}

func TestKalmanLossCooldown(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{})
	var l link
	steps := []struct {
		at   int
		want units.Bitrate
	}{{0, 255_000}, {249, 255_000}, {250, 216_750}, {499, 216_750}, {500, 184_237}}
	for _, s := range steps {
		k.OnFeedback(ms(s.at), []bwe.Packet{l.lost()}, 0)
		if e := estimate(t, k, ms(s.at)); e.Target != s.want || e.Term != bwe.TermLoss {
			t.Errorf("at %d ms: %+v, want %d by loss", s.at, e, s.want)
		}
	}
}

func TestKalmanCeilings(t *testing.T) {
	const life = 5000
	tests := []struct {
		name       string
		remb, hint units.Bitrate // -1: none; both at t0
		at         int
		want       bwe.Estimate
	}{
		{"hint", -1, 100_000, 0, bwe.Estimate{Target: 100_000, Term: bwe.TermHint}},
		{"hint at the end of its life", -1, 100_000, life - 1, bwe.Estimate{Target: 100_000, Term: bwe.TermHint}},
		{"hint expired", -1, 100_000, life, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"hint of nothing", -1, 0, 0, bwe.Estimate{Target: 0, Term: bwe.TermHint}},
		{"hint above", -1, 400_000, 0, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"remb", 200_000, -1, life - 1, bwe.Estimate{Target: 200_000, Term: bwe.TermREMB}},
		{"remb expired", 200_000, -1, life, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
		{"lower hint", 200_000, 100_000, 0, bwe.Estimate{Target: 100_000, Term: bwe.TermHint}},
		{"lower remb", 100_000, 200_000, 0, bwe.Estimate{Target: 100_000, Term: bwe.TermREMB}},
		{"remb and hint equal", 100_000, 100_000, 0, bwe.Estimate{Target: 100_000, Term: bwe.TermREMB}},
		{"loss and remb equal", 305_000, 305_000, 0, bwe.Estimate{Target: 305_000, Term: bwe.TermLoss}},
	}
	for _, tc := range tests {
		k := newKalman(t, bwe.KalmanConfig{})
		var l link
		k.OnFeedback(t0, []bwe.Packet{l.received(0)}, 0)
		if tc.remb >= 0 {
			k.OnREMB(t0, tc.remb)
		}
		if tc.hint >= 0 {
			k.OnHint(t0, tc.hint)
		}
		if e := estimate(t, k, ms(tc.at)); e != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, e, tc.want)
		}
	}
}

func TestKalmanCeilingRanges(t *testing.T) {
	k := newKalman(t, bwe.KalmanConfig{Max: 1 * units.Mbps})
	k.OnREMB(t0, 80*units.Mbps)
	if e := estimate(t, k, t0); e != (bwe.Estimate{Target: 1 * units.Mbps, Term: bwe.TermMax}) {
		t.Errorf("REMB above Max: %+v, want 1 Mbit/s by max", e)
	}
	k.OnHint(t0, -5)
	if e := estimate(t, k, t0); e != (bwe.Estimate{Target: 0, Term: bwe.TermHint}) {
		t.Errorf("negative hint: %+v, want 0 by hint", e)
	}
}

func TestStrings(t *testing.T) {
	for term, want := range map[bwe.Term]string{
		bwe.TermNone: "none", bwe.TermDelay: "delay", bwe.TermLoss: "loss", bwe.TermNative: "native",
		bwe.TermREMB: "remb", bwe.TermHint: "hint", bwe.TermMax: "max", 99: "unknown",
	} {
		if got := term.String(); got != want {
			t.Errorf("Term(%d).String() = %q, want %q", uint8(term), got, want)
		}
	}
	for state, want := range map[bwe.State]string{
		bwe.Unknown: "unknown", bwe.Received: "received", bwe.Lost: "lost", 99: "invalid",
	} {
		if got := state.String(); got != want {
			t.Errorf("State(%d).String() = %q, want %q", uint8(state), got, want)
		}
	}
}

func ExampleKalman() {
	k, err := bwe.NewKalman(bwe.KalmanConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var h bwe.History
	now := time.Unix(0, 0)
	first := h.Sent(now, 1200, 0) // goes into the packet's header extension
	h.Sent(now.Add(20*time.Millisecond), 1200, 0)

	// The receiver reports both, 20 ms apart as they were sent.
	now = now.Add(100 * time.Millisecond)
	symbols := []bwe.Symbol{{Received: true, Delta: time.Millisecond}, {Received: true, Delta: 20 * time.Millisecond}}
	results, rtt := h.Feedback(now, first, 1000, symbols, nil)
	k.OnFeedback(now, results, rtt)

	e, ok := k.Estimate(now)
	fmt.Println(int64(e.Target), e.Term, ok, rtt)

	k.OnHint(now, 250*units.Kbps)
	e, ok = k.Estimate(now)
	fmt.Println(int64(e.Target), e.Term, ok)
	// Output:
	// 305000 loss true 80ms
	// 250000 hint true
}
