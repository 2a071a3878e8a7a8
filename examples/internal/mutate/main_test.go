package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The list keeps up with the kit: every text it wants to change is there, once.
func TestList(t *testing.T) {
	const kit = "../../../sfukit"
	text, err := os.ReadFile(filepath.Join(kit, "sim/testdata/mutations.txt"))
	if err != nil {
		t.Fatal(err)
	}
	mutations, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(mutations) < 10 {
		t.Errorf("%d mutations, want 10 or more", len(mutations))
	}
	for _, m := range mutations {
		b, err := os.ReadFile(filepath.Join(kit, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if n := strings.Count(string(b), m.before); n != 1 || m.before == m.after {
			t.Errorf("%s: %s has the text %d times, want once, and another after", m.name, m.file, n)
		}
	}
}

func TestFailures(t *testing.T) {
	const out = `--- FAIL: TestA (0.1s)
    --- FAIL: TestA/x (0.0s)
        file.go:1: no
--- FAIL: TestB (0.1s)
FAIL`
	if got, want := failures([]byte(out)), "`TestA/x`, `TestB`"; got != want {
		t.Errorf("failures = %q, want %q", got, want)
	}
	if got := failures([]byte("ok  	pkg	0.1s\n")); got != "" {
		t.Errorf("failures of a success = %q", got)
	}
}
