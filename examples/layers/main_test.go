package main

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 4*time.Second); err != nil {
		t.Fatal(err)
	}
	rest := out.String()
	for _, want := range []string{"the viewer sees q\n", "the viewer sees f\n", "the viewer sees h\n", " Gaps:0}"} {
		var found bool
		if _, rest, found = strings.Cut(rest, want); !found {
			t.Fatalf("no %q, in order, in:\n%s", want, out.String())
		}
	}
}
