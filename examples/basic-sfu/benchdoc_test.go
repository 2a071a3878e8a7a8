//go:build linux && bottleneck

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// writeBottleneck writes docs/bench/chromium-bottleneck.md.
func writeBottleneck(t *testing.T, path string, changes []change, course []string) {
	t.Helper()
	var w strings.Builder
	fmt.Fprintf(&w, `# Chromium behind a bottleneck

Written by `+"`make bench-chromium`"+`; not edited by hand.

- Date: %s, %s %s/%s, %d processors
- Command: `+"`go test -tags=bottleneck -run='^TestBrowserBottleneck$' ./examples/basic-sfu`"+`, as root
- Two headless Chromiums and the demo's server on one machine. One sends a camera of
  1280×720 at 10 frames a second, whose picture is as busy as its encoders allow (q 150,
  h 500, f 1500 kbit/s), and a microphone; a tab of it watches: the **control**. The
  other, the **viewer**, watches from a network namespace behind a token bucket
  (`+"`tc qdisc … tbf burst %d latency %s`"+`). Both ask for f.

The link has %v until f is there, then %v for as long as it takes, then %v again.
**after**: from the change of the link until the layer is shown that it carries, and
then for %v without interruption, its picture moving. What is counted is counted from
the change until then. **freezes** is freezeCount of getStats, **stood** the longest time
in which no new picture came while the control's moved, and **concealed** is
concealedSamples by totalSamplesReceived, silent ones included. The bar: within %v, at
most %d freeze more than the control, and less than %g %% more of the sound concealed.

| link | layer | after | freezes | control | frozen | control | stood | concealed | control | frames | control |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
`, time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		shaperBurst, shaperLatency, wideLink, narrowLink, wideLink, holdFor, changeLimit, freezesPerChange, 100*concealedLimit)
	for _, c := range changes {
		v, o := c.viewer, c.control
		fmt.Fprintf(&w, "| %v | %s | %.1f s | %d | %d | %.2f s | %.2f s | %.1f s | %.2f %% | %.2f %% | %d | %d |\n",
			c.rate, c.layer, c.took.Seconds(), v.freezes, o.freezes, v.frozen.Seconds(), o.frozen.Seconds(), c.still.Seconds(),
			100*v.concealed(), 100*o.concealed(), v.frames, o.frames)
	}
	fmt.Fprintf(&w, "\n## The course\n\nRates in kbit/s, as the server explains them.\n\n```text\n%s\n```\n", strings.Join(course, "\n"))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(w.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("table in %s", path)
}
