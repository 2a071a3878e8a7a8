package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(t, &out, options{scenario: "step-up", out: dir, baselines: true}); err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		t.Log(out.String())
	}
	for _, want := range []string{"step-up", "call-step-up", "kalman", "fixed-300k", "loss-only", "## Bars"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not speak of %q", want)
		}
	}
	for _, name := range []string{"step-up.svg", "call-step-up.svg"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(b)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if err := run(t, &out, options{scenario: "no such thing"}); err == nil {
		t.Error("a scenario that does not exist is run")
	}
}
