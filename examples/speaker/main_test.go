package main

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 4500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, want := range []string{"voice-1 takes", "voice-2 takes", "voice-3 takes"} {
		var found bool
		if _, rest, found = strings.Cut(rest, want); !found {
			t.Fatalf("no %q, in order, in:\n%s", want, out.String())
		}
	}
}
