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
	for _, want := range []string{"speaker 1 takes", "speaker 2 takes", "speaker 3 takes"} {
		var found bool
		if _, rest, found = strings.Cut(rest, want); !found {
			t.Fatalf("no %q, in order, in:\n%s", want, out.String())
		}
	}
}
