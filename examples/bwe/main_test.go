package main

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "the link carries") < 2 || !strings.Contains(got, "bit/s") {
		t.Errorf("printed %q, want at least two estimates", got)
	}
}
