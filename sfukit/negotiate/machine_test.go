package negotiate_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/negotiate"
)

func TestNewRefusesImpossibleConfigs(t *testing.T) {
	for _, tc := range []struct {
		c    negotiate.Config
		want string
	}{
		{negotiate.Config{ResendAfter: -time.Second}, "ResendAfter -1s"},
		{negotiate.Config{MaxResends: -1}, "MaxResends -1"},
	} {
		_, err := negotiate.New(tc.c)
		if !errors.Is(err, negotiate.ErrConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("New(%+v) = %v, want ErrConfig naming %q", tc.c, err, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{negotiate.Stable.String(), "stable"},
		{negotiate.Offering.String(), "offering"},
		{negotiate.State(9).String(), "unknown"},
		{negotiate.Action(9).String(), "unknown"},
		{negotiate.Verdict(9).String(), "unknown"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestFailuresCount(t *testing.T) {
	m := newMachine(t, negotiate.Config{})
	m.Need()
	now := epoch
	for want := 1; want <= 3; want++ {
		now = now.Add(time.Hour)
		m.Next(now)
		m.Failed(now)
		if got := m.Failures(); got != want {
			t.Errorf("after %d failures: Failures() = %d", want, got)
		}
	}
	_, id := m.Next(now.Add(time.Hour))
	if v := m.Answer(id); v != negotiate.Accept {
		t.Fatalf("Answer(%d) = %v, want accept", id, v)
	}
	m.Applied(true)
	if got := m.Failures(); got != 0 {
		t.Errorf("after success: Failures() = %d, want 0", got)
	}
}

// shell plays the caller and a client with whims, and checks what must always hold.
type shell struct {
	t           *testing.T
	m           *negotiate.Machine
	now         time.Time
	version     int    // of what the session is like
	offered     int    // version the outstanding or latest offer shows
	accepted    int    // version the client has accepted
	outstanding uint64 // 0: none
	last        uint64
	sent        []uint64 // copies the client has not answered
	echo        bool
}

func (s *shell) next() {
	a, id := s.m.Next(s.now)
	switch a {
	case negotiate.ActionNone:
	case negotiate.ActionOffer:
		if s.outstanding != 0 || id != s.last+1 {
			s.t.Fatalf("offer %d while %d is outstanding, the latest being %d", id, s.outstanding, s.last)
		}
		s.last, s.outstanding, s.offered = id, id, s.version
		s.sent = append(s.sent, id)
	case negotiate.ActionResend, negotiate.ActionAbandon:
		if id != s.outstanding {
			s.t.Fatalf("%v %d while %d is outstanding", a, id, s.outstanding)
		}
		if a == negotiate.ActionResend {
			s.sent = append(s.sent, id)
			return
		}
		s.outstanding = 0
		s.m.Abandoned(s.now)
	}
}

// answer delivers the client's answer to the oldest copy.
func (s *shell) answer(good bool) {
	if len(s.sent) == 0 {
		return
	}
	id := s.sent[0]
	s.sent = s.sent[1:]
	echoed := id
	if !s.echo {
		echoed = 0
	}
	if s.m.Answer(echoed) != negotiate.Accept {
		return
	}
	if s.echo && id != s.outstanding {
		s.t.Fatalf("answer to %d taken for %d", id, s.outstanding)
	}
	s.m.Applied(good)
	if good {
		s.accepted, s.outstanding = s.offered, 0
	}
}

// step performs one random event.
func (s *shell) step(event byte) {
	s.now = s.now.Add(time.Duration(event>>4) * 300 * time.Millisecond)
	switch event % 8 {
	case 0, 1:
		s.version++
		s.m.Need()
	case 2:
		s.answer(true)
	case 3:
		s.answer(false)
	case 4:
		if len(s.sent) > 0 { // lost
			s.sent = s.sent[1:]
		}
	case 5:
		if s.outstanding != 0 {
			s.m.Failed(s.now)
			s.sent, s.outstanding = s.sent[:max(len(s.sent)-1, 0)], 0
		}
	case 6:
		want := negotiate.Accept
		if s.outstanding != 0 {
			want = negotiate.IgnoreGlare
		}
		if got := s.m.ClientOffer(); got != want {
			s.t.Fatalf("ClientOffer() = %v with offer %d outstanding, want %v", got, s.outstanding, want)
		}
	}
	s.next()
	if (s.m.State() == negotiate.Offering) != (s.outstanding != 0) {
		s.t.Fatalf("state %v with offer %d outstanding", s.m.State(), s.outstanding)
	}
}

// settle lets a client that now behaves answer everything, and demands that it ends
// up with the latest version.
func (s *shell) settle() {
	for range 60 {
		s.next()
		for len(s.sent) > 0 {
			s.answer(true)
		}
		at, ok := s.m.Deadline()
		if !ok {
			break
		}
		if at.After(s.now) {
			s.now = at
		}
	}
	if s.accepted != s.version {
		s.t.Fatalf("the client has version %d of %d (echo %v)", s.accepted, s.version, s.echo)
	}
}

func run(t *testing.T, events []byte, echo bool) {
	t.Helper()
	s := &shell{t: t, m: newMachine(t, negotiate.Config{}), now: epoch, echo: echo}
	for _, e := range events {
		s.step(e)
	}
	s.settle()
}

// TestNoChangeIsLost: whatever happened, a change is offered and accepted once the
// client answers, and two offers are never outstanding.
func TestNoChangeIsLost(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		events := make([]byte, 1+r.IntN(60))
		for i := range events {
			events[i] = byte(r.Uint32())
		}
		run(t, events, r.IntN(2) == 0)
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 2, 1, 3}, true)
	f.Add([]byte{0, 0xf7, 0xf7, 0xf7, 0xf7, 0, 2, 2}, false)
	f.Add([]byte{0, 5, 0xf7, 3, 3, 6, 4}, true)
	f.Fuzz(func(t *testing.T, events []byte, echo bool) {
		run(t, events[:min(len(events), 500)], echo)
	})
}

func TestNextDoesNotAllocate(t *testing.T) {
	m := newMachine(t, negotiate.Config{})
	now := epoch
	if n := testing.AllocsPerRun(1000, func() {
		m.Need()
		now = now.Add(time.Second)
		_, id := m.Next(now)
		if m.Answer(id) == negotiate.Accept {
			m.Applied(true)
		}
	}); n != 0 {
		t.Errorf("%v allocations per exchange, want 0", n)
	}
}
