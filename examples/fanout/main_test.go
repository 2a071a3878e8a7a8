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
	var sent, a, b, c int
	if _, err := fmt.Sscanf(out.String(), "sent %d packets, copies got %d, %d and %d", &sent, &a, &b, &c); err != nil {
		t.Fatalf("printed %q: %v", out.String(), err)
	}
	// The last packet may still be on its way, and the last copy left in the middle.
	if sent != 50 || a < sent-5 || b < sent-5 || c < 15 || c > 30 {
		t.Errorf("printed %q, want about 50, 50 and 25 of 50", out.String())
	}
}
