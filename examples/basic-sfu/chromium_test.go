package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// chromium is one headless browser for all tabs of a test.
type chromium struct {
	t   *testing.T
	ctx context.Context
}

// launch is what may differ from one browser to another.
type launch struct {
	prefix []string // a command that starts the command after it, as nsenter does
	film   string   // path of a Y4M file that the camera shows, over and over
}

// startChromium starts a browser with a camera and a microphone that are not
// there: a turning disc of 1280×720 and a beep. Pages may use them without
// asking if allow is true, else not at all. The browser ends with the test.
func startChromium(t *testing.T, allow bool, change ...func(*launch)) *chromium {
	t.Helper()
	var l launch
	for _, f := range change {
		f(&l)
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no browser found: install Chromium (Debian and Ubuntu: apt-get install chromium) and have it in PATH")
	}
	if len(l.prefix) > 0 {
		path = wrapper(t, append(l.prefix, path))
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Env("TMPDIR=" + t.TempDir()), // it leaves things behind
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-ui-for-media-stream", allow),
		chromedp.Flag("use-fake-device-for-media-stream", "fps=10"),
	}
	if l.film != "" {
		opts = append(opts, chromedp.Flag("use-file-for-fake-video-capture", l.film))
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("browser did not close cleanly: %v", err)
		}
		cancel()
		cancelAlloc()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	c := &chromium{t: t, ctx: ctx}
	if !allow {
		c.deny("camera", "microphone")
	}
	return c
}

// wrapper makes a program that is a command with the arguments that it is given.
func wrapper(t *testing.T, command []string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wrapper")
	script := "#!/bin/sh\nexec " + strings.Join(command, " ") + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// The size of a page in CSS pixels. Small, because without a graphics card
// painting large pictures costs more than the call they belong to.
const pageWidth, pageHeight = 640, 400

// tab is one page in a window of its own, so that no page is hidden.
type tab struct {
	t      *testing.T
	name   string
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	console []string // guarded by mu
}

// open opens url as name. The tab closes with t.
func (c *chromium) open(t *testing.T, name, url string) *tab {
	t.Helper()
	p := c.blank(t, name)
	p.navigate(url)
	return p
}

// blank opens a tab without a page.
func (c *chromium) blank(t *testing.T, name string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewWindow(true))
	p := &tab{t: t, name: name, ctx: ctx, cancel: cancel}
	t.Cleanup(p.close)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(pageWidth, pageHeight)); err != nil {
		t.Fatalf("%s: open a tab: %v", name, err)
	}
	go p.listen(chromedp.Console(ctx))
	return p
}

func (p *tab) navigate(url string) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.Navigate(url)); err != nil {
		p.t.Fatalf("%s: open %s: %v", p.name, url, err)
	}
}

// prepare has a script run before those of every page that the tab opens.
func (p *tab) prepare(script string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		p.t.Fatalf("%s: prepare: %v", p.name, err)
	}
}

// close closes the tab as its user would, and twice is once.
func (p *tab) close() { p.cancel() }

func (p *tab) listen(messages func(func(chromedp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return
		}
		p.mu.Lock()
		p.console = append(p.console, fmt.Sprint(m))
		p.mu.Unlock()
	}
}

// resize changes the size of the page.
func (p *tab) resize(width, height int64) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		p.t.Fatalf("%s: resize: %v", p.name, err)
	}
}

// eval runs an expression, which may be a promise, and returns its value.
func eval[T any](p *tab, js string) T {
	p.t.Helper()
	v, err := tryEval[T](p, js)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, js, err)
	}
	return v
}

func tryEval[T any](p *tab, js string) (T, error) {
	var v T
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise, chromedp.EvalAsValue))
	if err != nil || len(raw) == 0 {
		return v, err
	}
	return v, json.Unmarshal(raw, &v)
}

// do runs a statement whose value does not matter.
func (p *tab) do(js string) {
	p.t.Helper()
	eval[any](p, js)
}

// click clicks the element that the selector names.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(fmt.Sprintf("document.querySelector(%q).click()", selector))
}

// until polls an expression until it is true and returns how long that took. It
// fails the test, and says what the page looked like, when it does not come true.
func (p *tab) until(within time.Duration, what, js string) time.Duration {
	p.t.Helper()
	start := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := tryEval[bool](p, js)
		took := time.Since(start)
		if yes && err == nil {
			return took
		}
		if took > within {
			p.t.Fatalf("%s: %s: not within %v (last error: %v)\n%s", p.name, what, within, err, p.describe())
		}
		<-tick.C
	}
}

// describe says what a person looking at the tab would want to know.
func (p *tab) describe() string {
	state, _ := tryEval[string](p, `call.tiles().then((tiles) => JSON.stringify({
		state: call.state, path: call.path, id: call.id, peers: call.peers, times: call.times, tiles,
		notices: document.querySelector('#notices').innerText }, null, 1))`)
	sent, _ := tryEval[string](p, `call.sent().then((s) => JSON.stringify(s))`)
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("page: %s\nsent: %s\nconsole:\n%s", state, sent, strings.Join(p.console, "\n"))
}

// tile is an entry of call.tiles(), see web/debug.js.
type tile struct {
	Key                  string
	Peer                 uint64
	Source               string
	Screen               bool
	MID                  string
	FrameWidth           int
	FrameHeight          int
	FramesDecoded        int
	FreezeCount          int
	TotalFreezesDuration float64
	TotalAudioEnergy     float64
	// Samples of sound that were played, and how many of them the browser made up.
	TotalSamplesReceived, ConcealedSamples float64
	Layer                                  struct{ RID string } // as the server says; "" for none
}

func (p *tab) tiles() []tile {
	p.t.Helper()
	return eval[[]tile](p, "call.tiles()")
}

// tileOf returns the camera tile of a peer.
func (p *tab) tileOf(peer uint64) tile {
	p.t.Helper()
	for _, tl := range p.tiles() {
		if tl.Peer == peer && !tl.Screen {
			return tl
		}
	}
	p.t.Fatalf("%s: no tile of peer %d\n%s", p.name, peer, p.describe())
	return tile{}
}

func (p *tab) id() uint64 {
	p.t.Helper()
	return eval[uint64](p, "call.id")
}

// deny makes the browser refuse what the named permissions guard.
func (c *chromium) deny(names ...string) {
	c.t.Helper()
	for _, name := range names {
		_, err := chromedp.CallBrowser(c.ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingDenied,
		})
		if err != nil {
			c.t.Fatalf("deny %s: %v", name, err)
		}
	}
}
