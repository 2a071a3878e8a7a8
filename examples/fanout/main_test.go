package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(&out, time.Second); err != nil {
		t.Fatal(err)
	}
	var a, b, c int
	if _, err := fmt.Sscanf(out.String(), "copy-1: %d packets\ncopy-2: %d packets\ncopy-3: %d packets\n", &a, &b, &c); err != nil {
		t.Fatalf("printed %q: %v", out.String(), err)
	}
	// The last packet may still be on its way, and the last copy left in the middle.
	if a < 45 || a > 50 || b < 45 || b > 50 || c < 15 || c > 30 {
		t.Errorf("printed %q, want about 50, 50 and 25", out.String())
	}
}
