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
	for _, want := range []string{"now 320 wide", "now 1280 wide", "now 640 wide", " 0 gaps in "} {
		var found bool
		if _, rest, found = strings.Cut(" "+strings.ReplaceAll(rest, "\n", " "), want); !found {
			t.Fatalf("no %q, in order, in:\n%s", want, out.String())
		}
	}
}
