package negotiate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit/negotiate"
)

// TestScripts runs testdata/*.txt. A script is a paragraph that says what it
// proves, then cases: commands, a line ----, what they print, an empty line. The
// clock stands at 0 s and moves with "at". Each case starts where the last ended.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			paragraphs := strings.Split(strings.TrimSpace(string(text)), "\n\n")
			s := script{m: newMachine(t, negotiate.Config{})}
			for _, p := range paragraphs[1:] {
				commands, want, ok := strings.Cut(p, "\n----\n")
				if !ok {
					t.Fatalf("no ---- in %q", p)
				}
				var got []string
				for c := range strings.SplitSeq(commands, "\n") {
					got = append(got, s.run(t, c))
				}
				if g := strings.Join(got, "\n"); g != want {
					t.Errorf("%s\ngot\n%s\nwant\n%s", commands, g, want)
				}
			}
		})
	}
}

func newMachine(t *testing.T, c negotiate.Config) *negotiate.Machine {
	t.Helper()
	m, err := negotiate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// epoch is when scripts begin.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

type script struct {
	m   *negotiate.Machine
	now time.Duration
}

// run performs one command and returns what it prints.
func (s *script) run(t *testing.T, command string) string {
	t.Helper()
	f := strings.Fields(command)
	now := epoch.Add(s.now)
	switch f[0] {
	case "at":
		d, err := time.ParseDuration(f[1])
		if err != nil || d < s.now {
			t.Fatalf("bad time %q", command)
		}
		s.now = d
	case "need":
		s.m.Need()
	case "next":
		a, id := s.m.Next(now)
		if a == negotiate.ActionNone {
			return "none" + s.until()
		}
		return fmt.Sprint(a, " ", id, s.until())
	case "failed":
		s.m.Failed(now)
	case "abandoned":
		s.m.Abandoned(now)
	case "answer": // id, then good or bad
		id, err := strconv.ParseUint(f[1], 10, 64)
		if err != nil {
			t.Fatalf("bad id %q", command)
		}
		v := s.m.Answer(id)
		if v == negotiate.Accept {
			s.m.Applied(f[2] == "good")
		}
		return v.String() + ", " + s.m.State().String()
	case "client-offer":
		return s.m.ClientOffer().String()
	default:
		t.Fatalf("unknown command %q", command)
	}
	return s.m.State().String() + s.until()
}

// until prints when Next wants to be called.
func (s *script) until() string {
	at, ok := s.m.Deadline()
	switch {
	case !ok:
		return ""
	case !at.After(epoch.Add(s.now)):
		return ", call now"
	default:
		return ", call at " + at.Sub(epoch).String()
	}
}
