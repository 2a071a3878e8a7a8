package keyframe_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/keyframe"
)

var t0 = time.Unix(1_700_000_000, 0)

func ms(n int) time.Time { return t0.Add(time.Duration(n) * time.Millisecond) }

func newRequester(t testing.TB, c keyframe.Config) *keyframe.Requester {
	t.Helper()
	r, err := keyframe.New(c)
	if err != nil {
		t.Fatalf("New(%+v) = %v", c, err)
	}
	return r
}

func TestNew(t *testing.T) {
	tests := []struct {
		c  keyframe.Config
		ok bool
	}{
		{keyframe.Config{}, true},
		{keyframe.Config{MinInterval: 1, MaxAttempts: 1}, true},
		{keyframe.Config{MinInterval: -1}, false},
		{keyframe.Config{MaxAttempts: -1}, false},
	}
	for _, tc := range tests {
		_, err := keyframe.New(tc.c)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, keyframe.ErrConfig) {
			t.Errorf("New(%+v) error = %v, want ok %v", tc.c, err, tc.ok)
		}
	}
}

// TestRequester plays commands, each "time-in-ms command", and compares what was
// answered: "send", "-", and for due also the time of the next call or "idle".
func TestRequester(t *testing.T) {
	tests := []struct {
		name   string
		c      keyframe.Config
		script string
	}{
		{"the first request goes at once", keyframe.Config{}, `
			0 ask: send
			0 due: - 500`},
		{"a crowd is one request", keyframe.Config{}, `
			0 ask: send
			0 ask: -
			10 ask: -
			499 ask: -
			500 ask: send
			501 ask: -`},
		{"nobody waits", keyframe.Config{}, `
			0 due: - idle
			0 keyframe:
			9 due: - idle`},
		{"retried until answered", keyframe.Config{}, `
			0 ask: send
			499 due: - 500
			500 due: send 1000
			1200 due: send 1700
			1300 keyframe:
			1700 due: - idle
			9000 due: - idle`},
		{"after the keyframe is a new wish, at the old distance", keyframe.Config{}, `
			0 ask: send
			100 keyframe:
			110 ask: -
			110 due: - 500
			500 due: send 1000`},
		{"an unasked keyframe answers too and costs no distance", keyframe.Config{}, `
			0 keyframe:
			1 ask: send
			50 keyframe:
			51 due: - idle`},
		{"the round trip stretches the interval", keyframe.Config{}, `
			0 rtt 400
			0 ask: send
			599 ask: -
			599 due: - 600
			600 due: send 1200
			601 rtt 40
			601 due: - 1100`},
		{"an absurd round trip is bounded", keyframe.Config{}, `
			0 rtt 3600000
			0 ask: send
			2999 due: - 3000
			3000 due: send 6000`},
		{"slow after too many in vain, never silent", keyframe.Config{MaxAttempts: 3}, `
			0 ask: send
			500 due: send 1000
			1000 due: send 4000
			1500 ask: -
			3999 due: - 4000
			4000 due: send 7000
			7000 ask: send
			7001 due: - 10000
			7100 keyframe:
			7600 ask: send
			8100 due: send 8600`},
		{"cancel ends it but is no answer", keyframe.Config{MaxAttempts: 2}, `
			0 ask: send
			500 due: send 3500
			600 cancel:
			600 due: - idle
			1000 ask: -
			1000 due: - 3500
			3500 due: send 6500`},
		{"config", keyframe.Config{MinInterval: time.Second}, `
			0 ask: send
			999 ask: -
			1000 ask: send`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := newRequester(t, tc.c)
			for line := range strings.Lines(strings.TrimSpace(tc.script)) {
				command, want, _ := strings.Cut(strings.TrimSpace(line), ":")
				if got, want := play(t, r, command), strings.TrimSpace(want); got != want {
					t.Fatalf("%s: %q, want %q", command, got, want)
				}
			}
		})
	}
}

func play(t *testing.T, r *keyframe.Requester, command string) string {
	t.Helper()
	var at, arg int
	var verb string
	if n, _ := fmt.Sscan(command, &at, &verb, &arg); n < 2 {
		t.Fatalf("bad command %q", command)
	}
	word := map[bool]string{true: "send", false: "-"}
	switch verb {
	case "ask":
		send := r.Ask(ms(at))
		if !r.Waiting() {
			t.Fatalf("%s: nobody waits after Ask", command)
		}
		return word[send]
	case "due":
		send, next := r.Due(ms(at))
		if next.IsZero() != !r.Waiting() {
			t.Fatalf("%s: Waiting() = %v, next %v", command, r.Waiting(), next)
		}
		if next.IsZero() {
			return word[send] + " idle"
		}
		return fmt.Sprint(word[send], " ", next.Sub(t0).Milliseconds())
	case "keyframe":
		r.Keyframe()
	case "cancel":
		r.Cancel()
	case "rtt":
		r.SetRTT(time.Duration(arg) * time.Millisecond)
	default:
		t.Fatalf("bad command %q", command)
	}
	return ""
}

// A request for one layer leaves the other layers free to ask.
func TestLayersIndependent(t *testing.T) {
	for _, layer := range []string{"q", "h", "f"} {
		r := newRequester(t, keyframe.Config{})
		if !r.Ask(t0) {
			t.Errorf("first Ask for layer %s = false", layer)
		}
	}
}

// Ten minutes of a thousand desperate subscribers and a dead publisher: the
// requests stay few but do not end.
func TestNoStorm(t *testing.T) {
	r := newRequester(t, keyframe.Config{})
	var perMinute [10]int
	for i := range 600_000 {
		now := ms(i)
		if r.Ask(now) {
			perMinute[i/60_000]++
		}
		if send, _ := r.Due(now); send {
			perMinute[i/60_000]++
		}
	}
	if got := perMinute[0]; got < 20 || got > 40 {
		t.Errorf("requests in the first minute = %d, want 20 to 40", got)
	}
	for i, got := range perMinute[1:] {
		if got != 20 {
			t.Errorf("requests in minute %d = %d, want 20", i+2, got)
		}
	}
}

func TestAllocs(t *testing.T) {
	r := newRequester(t, keyframe.Config{})
	now := t0
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(100 * time.Millisecond)
		r.Ask(now)
		r.Due(now)
		r.Keyframe()
	}); n != 0 {
		t.Errorf("Ask, Due and Keyframe: %v allocs, want 0", n)
	}
}

func ExampleRequester() {
	r, err := keyframe.New(keyframe.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	fmt.Println("first subscriber:", r.Ask(now))
	fmt.Println("second subscriber:", r.Ask(now.Add(20*time.Millisecond)))

	send, next := r.Due(now.Add(500 * time.Millisecond))
	fmt.Println("no answer yet:", send, next.Sub(now))

	r.Keyframe()
	fmt.Println("still waiting:", r.Waiting())
	// Output:
	// first subscriber: true
	// second subscriber: false
	// no answer yet: true 1s
	// still waiting: false
}
