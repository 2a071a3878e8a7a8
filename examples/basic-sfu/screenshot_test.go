package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// scene replaces a tab's camera by a painted person in front of a wall of one
// hue, so that a picture of a call shows people rather than test patterns. The
// microphone stays, and so does everything behind the camera.
const scene = `(() => {
	const capture = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async (wanted) => {
		const stream = await capture({ audio: wanted.audio || true });
		const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
		const c = canvas.getContext('2d');
		const hue = %d, skin = %d;
		const blob = (x, y, rx, ry, colour) => {
			c.fillStyle = colour;
			c.beginPath();
			c.ellipse(x, y, rx, ry, 0, 0, 7);
			c.fill();
		};
		setInterval(() => {
			const sway = Math.sin(performance.now() / 900) * 14;
			const wall = c.createLinearGradient(0, 0, 1280, 720);
			wall.addColorStop(0, 'hsl(' + hue + ' 45%% 62%%)');
			wall.addColorStop(1, 'hsl(' + (hue + 40) + ' 40%% 30%%)');
			c.fillStyle = wall;
			c.fillRect(0, 0, 1280, 720);
			c.fillStyle = 'hsl(' + hue + ' 35%% 80%% / 45%%)';
			c.fillRect(860, 90, 250, 180);
			blob(640 + sway, 760, 330, 290, 'hsl(' + (hue + 170) + ' 38%% 34%%)');
			blob(640 + sway * 1.2, 470, 74, 90, 'hsl(24 42%% ' + (skin - 8) + '%%)');
			blob(640 + sway * 1.5, 300, 150, 165, 'hsl(24 28%% ' + (skin / 3) + '%%)');
			blob(640 + sway * 1.6, 335, 122, 150, 'hsl(24 45%% ' + skin + '%%)');
		}, 66);
		for (const track of stream.getVideoTracks()) track.stop();
		return new MediaStream([...stream.getAudioTracks(), ...canvas.captureStream(15).getVideoTracks()]);
	};
})()`

// takeScreenshot saves the picture of a call of three that the README shows.
func takeScreenshot(t *testing.T, c *chromium, base, path string) {
	var ann *tab
	for i, name := range []string{"Ann", "Bo", "Cleo"} {
		p := c.blank(t, name)
		if i == 0 {
			ann = p
			p.resize(1280, 800)
			dark(t, p)
		}
		p.prepare(fmt.Sprintf(scene, 190+80*i, 60-10*i))
		p.navigate(roomURL(base, "standup", name))
	}
	ann.until(rampLimit, "two pictures of at least 360 lines",
		`call.tiles().then((t) => t.length === 2 && t.every((v) => v.frameHeight >= 360))`)
	ann.until(10*time.Second, "their numbers on every tile, and a speaker",
		`[...document.querySelectorAll('.tile:not([data-self])[data-picture=on] .figures')]
			.filter((f) => /layer [hf]/.test(f.innerText) && /[1-9] (k|M)b/.test(f.innerText)).length === 2
			&& document.querySelectorAll('.tile.speaking').length === 1`)
	ann.click(".tile:not([data-self]) .why-button")
	ann.until(rampLimit, "an explanation of a picture that has settled", `/^shows\nh [^,]*$.*^limit\nthe wish$/ms.test(
		document.querySelector('.why:not([hidden])')?.innerText ?? '')`)
	png, err := chromedp.Run(ann.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("screenshot in %s", path)
}

// dark makes the page think that its user prefers dark colours.
func dark(t *testing.T, p *tab) {
	t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
