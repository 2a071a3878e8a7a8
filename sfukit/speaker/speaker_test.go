package speaker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/speaker"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

const ms = time.Millisecond

func mustNew(t testing.TB, cfg speaker.Config) *speaker.Detector {
	t.Helper()
	d, err := speaker.New(cfg)
	if err != nil {
		t.Fatalf("New(%+v) = %v", cfg, err)
	}
	return d
}

// A voice gives the level a peer sends at a time since epoch, or off.
type voice func(at time.Duration) uint8

const off = 255 // sends no packet

func background(time.Duration) uint8 { return 110 } // a quiet room
func dtx(time.Duration) uint8        { return off } // nothing on the wire

// talk is speech at -25 dBov with a pause of 200 ms every 2 s.
func talk(at time.Duration) uint8 {
	if at%(2000*ms) < 200*ms {
		return 110
	}
	return 25
}

// between is inside from..to and outside otherwise.
func between(from, to time.Duration, inside, outside voice) voice {
	return func(at time.Duration) uint8 {
		if from <= at && at < to {
			return inside(at)
		}
		return outside(at)
	}
}

type change struct {
	at time.Duration
	id uint64
}

// call plays the voices, id i+1 being voice i, a packet every 20 ms and a Tick
// every Interval, and returns the changes.
func call(d *speaker.Detector, from, to time.Duration, voices ...voice) []change {
	var changes []change
	for now := from; now < to; now += 20 * ms {
		for i, v := range voices {
			if level := v(now); level != off {
				d.Record(at(now), uint64(i+1), level)
			}
		}
		if now%d.Interval() == 0 {
			if c, ok := d.Tick(at(now)); ok {
				changes = append(changes, change{now, c.Speaker})
			}
		}
	}
	return changes
}

func wantDominant(t *testing.T, d *speaker.Detector, want uint64) {
	t.Helper()
	if got, ok := d.Dominant(); !ok || got != want {
		t.Errorf("Dominant() = %d, %v, want %d", got, ok, want)
	}
}

func TestNobody(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	if c, ok := d.Tick(epoch); ok {
		t.Errorf("Tick of an empty room = %+v, true", c)
	}
	if id, ok := d.Dominant(); ok {
		t.Errorf("Dominant of an empty room = %d, true", id)
	}
	if got := d.Top(3, nil); len(got) != 0 {
		t.Errorf("Top of an empty room = %d", got)
	}
	d.Remove(7) // unknown
}

func TestSinglePeerWinsSilent(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	d.Add(7)
	if c, ok := d.Tick(at(0)); !ok || c != (speaker.Change{Speaker: 7}) {
		t.Errorf("first Tick = %+v, %v, want speaker 7 with margin 0", c, ok)
	}
	if c, ok := d.Tick(at(300 * ms)); ok {
		t.Errorf("second Tick = %+v, true, want no change", c)
	}
}

func TestBootstrap(t *testing.T) {
	for _, tc := range []struct {
		name   string
		levels map[uint64]uint8 // recorded once at 0
		want   uint64
	}{
		{"louder sum wins while scores are equal", map[uint64]uint8{1: 120, 2: 5}, 2},
		{"equal: lowest id", map[uint64]uint8{9: 30, 4: 30, 6: 30}, 4},
		{"all silent: lowest id", map[uint64]uint8{3: 127, 2: 127}, 2},
		{"levels above 127 are silence", map[uint64]uint8{1: 255, 2: 126}, 2},
	} {
		d := mustNew(t, speaker.Config{})
		for id, level := range tc.levels {
			d.Record(at(0), id, level)
		}
		if c, ok := d.Tick(at(0)); !ok || c != (speaker.Change{Speaker: tc.want}) {
			t.Errorf("%s: Tick = %+v, %v, want speaker %d with margin 0", tc.name, c, ok, tc.want)
		}
	}
	// The medium score goes before the sum of volumes: 200 ms of speech after
	// silence beats a louder total of noise.
	d := mustNew(t, speaker.Config{})
	noise := func(time.Duration) uint8 { return 40 }
	for now := time.Duration(0); now < time.Second; now += 20 * ms {
		d.Record(at(now), 1, noise(now))
		d.Record(at(now), 2, between(800*ms, time.Second, talk, background)(now))
	}
	if c, ok := d.Tick(at(980 * ms)); !ok || c.Speaker != 2 {
		t.Errorf("speech against noise: Tick = %+v, %v, want speaker 2", c, ok)
	}
}

func TestSteadySpeaker(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	got := call(d, 0, 60*time.Second, background, talk, background)
	// The first election knows one packet of each, all equal; the talker has
	// the floor within a second and keeps it.
	if len(got) == 0 || len(got) > 2 || got[len(got)-1].id != 2 || got[len(got)-1].at > time.Second {
		t.Errorf("changes = %v, want 2 to win within 1s and stay", got)
	}
	wantDominant(t, d, 2)
}

// One stops and another begins: the floor changes hands within 900 ms at any
// phase of the election, whether the first goes on sending background or
// nothing at all.
func TestFlipLatency(t *testing.T) {
	for _, after := range []struct {
		name string
		v    voice
	}{{"background", background}, {"dtx", dtx}} {
		for phase := time.Duration(0); phase < 200*ms; phase += 20 * ms {
			d := mustNew(t, speaker.Config{})
			stop := 10*time.Second + phase
			first := call(d, 0, stop, talk, background, background)
			if id, _ := d.Dominant(); id != 1 {
				t.Fatalf("%s, phase %v: dominant before the flip = %d (%v), want 1", after.name, phase, id, first)
			}
			steady := func(time.Duration) uint8 { return 25 }
			got := call(d, stop, stop+5*time.Second, after.v, steady, background)
			if len(got) != 1 || got[0].id != 2 || got[0].at > stop+900*ms {
				t.Errorf("%s, phase %v: changes after %v = %v, want one to 2 within 900ms", after.name, phase, stop, got)
			}
		}
	}
}

func TestMargin(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 10*time.Second, talk, background)
	for now := 10 * time.Second; now < 12*time.Second; now += 20 * ms {
		d.Record(at(now), 2, 25)
		if now%d.Interval() != 0 {
			continue
		}
		if c, ok := d.Tick(at(now)); ok {
			// All five sub-intervals against the lowest score, less C2.
			if c.Speaker != 2 || c.Margin < 25.75 || c.Margin > 25.76 {
				t.Errorf("Change = %+v, want speaker 2 with ln(113.356/1e-10) - 2 = 25.757", c)
			}
			return
		}
	}
	t.Error("no change")
}

func TestTalkingOverDoesNotFlip(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 10*time.Second, talk, background)
	shifted := func(at time.Duration) uint8 { return talk(at + 700*ms) }
	if got := call(d, 10*time.Second, 60*time.Second, talk, shifted); len(got) != 0 {
		t.Errorf("changes while both talk = %v, want none", got)
	}
	wantDominant(t, d, 1)
}

func TestSilenceKeepsIncumbent(t *testing.T) {
	for name, v := range map[string]voice{"background": background, "dtx": dtx} {
		d := mustNew(t, speaker.Config{})
		call(d, 0, 5*time.Second, background, talk)
		if got := call(d, 6*time.Second, 5*time.Minute, v, v); len(got) != 0 {
			t.Errorf("%s: changes in silence = %v, want none", name, got)
		}
		wantDominant(t, d, 2)
	}
}

// Half a second of anything takes the floor from nobody, talking or silent, at
// whatever moment it comes.
func TestCough(t *testing.T) {
	const half = 500 * ms
	for start := 10 * time.Second; start < 12*time.Second; start += 20 * ms {
		cough := between(start, start+half, level(5), background)
		for name, other := range map[string]voice{"silence": background, "speech": talk} {
			d := mustNew(t, speaker.Config{})
			call(d, 0, 8*time.Second, talk, background)
			if got := call(d, 8*time.Second, 13*time.Second, other, cough); len(got) != 0 {
				t.Errorf("%v at %v against %s: changes = %v, want none", half, start, name, got)
			}
		}
	}
}

// Steady noise is not speech, however loud: from the first moment if the peer
// joins with it, within two windows of 3 s if it begins later; with Parity
// within two minutes.
func TestConstantNoise(t *testing.T) {
	noise := func(at time.Duration) uint8 { return 30 + uint8(at/(20*ms)%4) } // -30 to -33 dBov
	d := mustNew(t, speaker.Config{})
	call(d, 0, 5*time.Second, talk, background, dtx)
	if got := call(d, 5*time.Second, 30*time.Second, background, background, noise); len(got) != 0 {
		t.Errorf("joining with noise: changes = %v, want none", got)
	}
	for _, tc := range []struct {
		parity bool
		after  time.Duration
	}{{false, 6 * time.Second}, {true, 2 * time.Minute}} {
		d = mustNew(t, speaker.Config{Parity: tc.parity})
		begin, end := 5*time.Second, 6*time.Second+tc.after
		call(d, 0, begin, background, background)
		call(d, begin, end, background, noise) // a fan is switched on
		if s := d.Scores(nil)[1]; s.Immediate != 1e-10 || s.Medium != 1e-10 || s.Long != 1e-10 {
			t.Errorf("parity %v: scores of noise a second after %v of it = %+v, want the lowest", tc.parity, tc.after, s)
		}
		if got := call(d, end, end+2*time.Second, talk, noise); len(got) != 1 || got[0].id != 1 {
			t.Errorf("parity %v: speech against noise: changes = %v, want 1", tc.parity, got)
		}
	}
}

// A peer whose packets cease decays as if it had sent silence.
func TestIdleDecays(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 3*time.Second, talk)
	last := 2980 * ms
	d.Tick(at(last + speaker.LevelIdleTimeout)) // no more than the timeout: untouched
	before := d.Scores(nil)[0]
	if before.Immediate < 1 || before.Medium < 1 || before.Long < 1 {
		t.Fatalf("scores while talking = %+v, want all above 1", before)
	}
	d.Tick(at(last + 400*ms))
	s := d.Scores(nil)[0]
	if s.Immediate != 1e-10 || s.Medium != 1e-10 || s.Long >= before.Long || s.Long < 1 {
		t.Errorf("0.4 s after the last packet: %+v, want only the long score left, below %v", s, before.Long)
	}
	d.Tick(at(last + 1100*ms))
	if s := d.Scores(nil)[0]; s.Long != 1e-10 {
		t.Errorf("1.1 s after the last packet: %+v, want all at the lowest", s)
	}
}

func TestRemoveIncumbent(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	call(d, 0, 5*time.Second, background, talk, talk)
	id, _ := d.Dominant()
	d.Remove(id)
	if got, ok := d.Dominant(); ok {
		t.Errorf("Dominant after its removal = %d, true", got)
	}
	c, ok := d.Tick(at(5100 * ms))
	if !ok || c.Margin != 0 || c.Speaker != 5-id { // the other of 2 and 3
		t.Errorf("Tick after the removal = %+v, %v, want the other talker with margin 0", c, ok)
	}
	d.Remove(1)
	d.Remove(2)
	d.Remove(3)
	if c, ok := d.Tick(at(5400 * ms)); ok {
		t.Errorf("Tick of the emptied room = %+v, true", c)
	}
	if got := d.Scores(nil); len(got) != 0 {
		t.Errorf("Scores of the emptied room = %v", got)
	}
}

func TestTop(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	quiet := func(at time.Duration) uint8 { return talk(at) + 5 }
	faint := func(time.Duration) uint8 { return 109 }
	call(d, 0, 2940*ms, background, quiet, talk, background, faint)
	for _, tc := range []struct {
		k    int
		want []uint64
	}{
		{-1, nil},
		{0, nil},
		{1, []uint64{3}},
		{3, []uint64{3, 2, 5}}, // equal medium scores: by loudness
		{9, []uint64{3, 2, 5, 1, 4}},
	} {
		if got := d.Top(tc.k, nil); !slices.Equal(got, tc.want) {
			t.Errorf("Top(%d) = %d, want %d", tc.k, got, tc.want)
		}
	}
	if got, want := d.Top(1, []uint64{42}), []uint64{42, 3}; !slices.Equal(got, want) {
		t.Errorf("Top(1, [42]) = %d, want %d", got, want)
	}
}

// After an hour without a level an added peer is no candidate, one known by
// its levels alone is forgotten, and the dominant speaker is neither.
func TestSpeakerIdleTimeout(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	d.Add(1)
	d.Add(2)
	call(d, 0, 5*time.Second, background, background, talk, background)
	end := 4980 * ms
	d.Tick(at(end + speaker.SpeakerIdleTimeout))
	if got, want := d.Top(9, nil), []uint64{1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("Top after an hour = %d, want %d", got, want)
	}
	d.Tick(at(end + speaker.SpeakerIdleTimeout + time.Second))
	if got, want := d.Top(9, nil), []uint64{3}; !slices.Equal(got, want) {
		t.Errorf("Top after more than an hour = %d, want %d", got, want)
	}
	var ids []uint64
	for _, s := range d.Scores(nil) {
		ids = append(ids, s.ID)
	}
	if want := []uint64{1, 2, 3}; !slices.Equal(ids, want) {
		t.Errorf("peers after more than an hour = %d, want %d", ids, want)
	}
	wantDominant(t, d, 3)
	d.Record(at(end+2*time.Hour), 2, 110)
	if got, want := d.Top(9, nil), []uint64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("Top after 2 spoke again = %d, want %d", got, want)
	}
}

func TestTimeBackwards(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	d.Record(at(time.Second), 1, 110)
	d.Record(at(900*ms), 1, 25) // ignored
	d.Record(at(time.Second), 2, 109)
	if c, ok := d.Tick(at(time.Second)); !ok || c.Speaker != 2 {
		t.Errorf("Tick = %+v, %v, want 2: the loud level of 1 came from the past", c, ok)
	}
	d.Remove(2)
	if c, ok := d.Tick(at(0)); ok {
		t.Errorf("Tick in the past = %+v, true, want nothing", c)
	}
}

func TestTickInterval(t *testing.T) {
	for _, tc := range []struct {
		cfg  speaker.Config
		want time.Duration
	}{{speaker.Config{}, 200 * ms}, {speaker.Config{Parity: true}, 300 * ms}, {speaker.Config{Interval: 1, Parity: true}, 1}} {
		if got := mustNew(t, tc.cfg).Interval(); got != tc.want {
			t.Errorf("Interval of %+v = %v, want %v", tc.cfg, got, tc.want)
		}
	}
	d := mustNew(t, speaker.Config{Interval: 100 * ms})
	d.Tick(at(0))
	d.Add(1)
	if c, ok := d.Tick(at(89 * ms)); ok {
		t.Errorf("Tick after 89 ms of 100 = %+v, true, want nothing", c)
	}
	if c, ok := d.Tick(at(90 * ms)); !ok || c.Speaker != 1 {
		t.Errorf("Tick after 90 ms of 100 = %+v, %v, want 1", c, ok)
	}
}

func TestDoesNotAllocate(t *testing.T) {
	d := mustNew(t, speaker.Config{})
	now := epoch
	ids, scores := make([]uint64, 0, 8), make([]speaker.Score, 0, 8)
	step := func() {
		for id := range uint64(8) {
			d.Record(now, id, 30)
		}
		now = now.Add(300 * ms)
		d.Tick(now)
		ids = d.Top(8, ids[:0])
		ids = d.Loudest(now, 8, ids[:0])
		scores = d.Scores(scores[:0])
	}
	step()
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("Record, Tick, Top, Loudest and Scores of known peers: %v allocs, want 0", n)
	}
}

func BenchmarkTick100(b *testing.B) {
	d := mustNew(b, speaker.Config{})
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		for id := range uint64(100) {
			d.Record(now, id, uint8(20+id))
		}
		now = now.Add(300 * ms)
		d.Tick(now)
	}
}
