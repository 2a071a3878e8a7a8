package main

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/anatolykoptev/oxpulse-sfu/sfukit"
	"github.com/anatolykoptev/oxpulse-sfu/sfukit/demand"
)

// stopLimit is until encodings that nobody wants have stopped: the server waits for
// demand.Patience, then the page and its encoder take a moment.
const stopLimit = demand.Patience + 3*time.Second

// pick chooses a quality for a peer's picture, as its viewer would.
func (p *tab) pick(peer uint64, choice string) {
	p.t.Helper()
	p.do(fmt.Sprintf(`{ const s = document.querySelector('.tile[data-peer="%d"] select');
		s.value = %q; s.dispatchEvent(new Event('change')); }`, peer, choice))
}

// encoded is how many frames of each encoding of its camera a tab has encoded.
func (p *tab) encoded() map[string]int {
	p.t.Helper()
	return eval[map[string]int](p, `call.sent().then((s) => Object.fromEntries(s.filter((e) => e.rid).map((e) => [e.rid, e.framesEncoded])))`)
}

// active is true while a tab sends just the given encodings of its camera.
func active(rids string) string {
	return fmt.Sprintf(`call.sent().then((s) => s.filter((e) => e.rid && e.active).map((e) => e.rid).sort().join('') === %q)`, rids)
}

// decodes is true while a tab decodes a peer's picture of so many lines.
func decodes(peer uint64, lines int) string {
	return fmt.Sprintf(`call.tiles().then((t) => t.some((v) => v.peer === %d && v.frameHeight === %d && v.framesDecoded > 0))`, peer, lines)
}

// testDemand: a publisher encodes what its only viewer wants, the viewer can see why
// it gets what it gets, and is told when that is sound alone.
func testDemand(t *testing.T, c *chromium, base string, s *server) {
	pub := c.open(t, "Pub", roomURL(base, "demand", "Pub"))
	viewer := c.open(t, "Viewer", roomURL(base, "demand", "Viewer"))
	viewer.until(joinLimit, "a picture", pictures(1))
	testSize(viewer)
	id := pub.id()

	viewer.pick(id, "q")
	took := pub.until(stopLimit, "h and f off", active("q"))
	before := pub.encoded()
	pub.until(5*time.Second, "ten more frames of q", fmt.Sprintf(
		`call.sent().then((s) => s.some((e) => e.rid === 'q' && e.framesEncoded >= %d))`, before["q"]+10))
	after := pub.encoded()
	for _, rid := range []string{"h", "f"} {
		// One frame may have been in the encoder when it was told to stop.
		if n := after[rid] - before[rid]; n > 1 {
			t.Errorf("%d frames of %s encoded after it was stopped, and %d of q in the same time", n, rid, after["q"]-before["q"])
		}
	}
	t.Logf("h and f stop %v after the viewer chose q", took.Round(time.Millisecond))
	testWhy(t, viewer, "q 320 px")

	viewer.pick(id, "f")
	// Each is asked for as soon as the estimate of the viewer's link would carry it.
	took = viewer.until(rampLimit, "720 lines", decodes(id, 720))
	t.Logf("f is seen %v after the viewer chose it", took.Round(time.Millisecond))
	pub.until(time.Second, "all encodings on", active("fhq"))
	testAudioOnly(t, viewer, s, "demand")
}

// testAudioOnly: a viewer whose link carries no picture hears that, and the picture
// comes back by itself. The link is fine; the server is told otherwise.
func testAudioOnly(t *testing.T, viewer *tab, s *server, room sfukit.RoomID) {
	where, _ := s.registry.Room(room)
	peer, ok := where.Peer(sfukit.PeerID(viewer.id()))
	if !ok {
		t.Fatal("the viewer is not in the room")
	}
	peer.HintBandwidth(20_000)
	took := viewer.until(5*time.Second, "a word about it", `call.mode !== 'video' &&
		document.querySelector('[data-notice=mode]').innerText.includes('Audio only') &&
		document.querySelector('.tile:not([data-self])').dataset.picture === 'off'`)
	frames := viewer.tiles()[0].FramesDecoded
	t.Logf("the picture is off %v after the hint", took.Round(time.Millisecond))
	took = viewer.until(rampLimit, "the picture again", fmt.Sprintf(`call.mode === 'video' &&
		!document.querySelector('[data-notice=mode]') && call.tiles().then(([v]) => v.framesDecoded > %d)`, frames+10))
	t.Logf("and on again %v later", took.Round(time.Millisecond))
}

// testSize: who leaves the choice to the page is sent no more than the tile can show,
// half as wide again at most, and the wish follows the size of the window.
func testSize(viewer *tab) {
	const fits = `fetch('/debug/explain?' + new URLSearchParams({ room: call.room, peer: call.id })).then((r) => r.json()).then((all) => {
		const { width, height } = document.querySelector('.tile:not([data-self])').style;
		const shown = Math.max(parseFloat(width), parseFloat(height) * 16 / 9) * devicePixelRatio;
		const { max_width: wish } = all.find((x) => x.kind === 'video').wish;
		return wish >= shown * 1.5 && wish < shown * 1.5 + 16;
	})`
	viewer.until(2*time.Second, "a wish that fits the tile", fits)
	viewer.resize(900, 700)
	viewer.until(2*time.Second, "a wish that fits the larger tile", fits)
	viewer.resize(pageWidth, pageHeight)
	viewer.until(2*time.Second, "a wish that fits the tile again", fits)
}

// testWhy: the ? of a tile tells the rung shown and the term that binds the budget,
// a pin is among the wishes, and W takes all away.
func testWhy(t *testing.T, viewer *tab, rung string) {
	text := func() string {
		return eval[string](viewer, `document.querySelector('.why:not([hidden])')?.innerText ?? ''`)
	}
	viewer.click(".tile:not([data-self]) .why-button")
	viewer.until(5*time.Second, "a rung and a term", fmt.Sprintf(`((s) => s.includes(%q) && /b\/s by [a-z]+/.test(s))(
		document.querySelector('.why:not([hidden])')?.innerText ?? '')`, rung))
	viewer.click(".tile:not([data-self]) .pin")
	viewer.until(5*time.Second, "the pin among the wishes", `document.querySelector('.tile.pinned .why').innerText.includes('priority 1')`)
	viewer.click(".tile:not([data-self]) .pin")
	said := text()
	t.Logf("the tile says\n%s", said)
	if ok := regexp.MustCompile(`(?m)^limit\nthe wish$`).MatchString(said); !ok {
		t.Errorf("it does not say that the wish limits it:\n%s", said)
	}
	viewer.do(`document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', bubbles: true }))`)
	if said := text(); said != "" {
		t.Errorf("W leaves\n%s", said)
	}
}

// voice replaces a tab's microphone, which beeps, by something with the rhythm of
// speech: the election of a speaker is not taken in by beeps.
const voice = `(() => {
	const capture = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async (wanted) => {
		const stream = await capture(wanted);
		const audio = new AudioContext();
		const out = audio.createMediaStreamDestination();
		const syllables = new GainNode(audio, { gain: 0.3 });
		const throat = new OscillatorNode(audio, { type: 'sawtooth', frequency: 140 });
		const rhythm = new OscillatorNode(audio, { frequency: 4 });
		rhythm.connect(new GainNode(audio, { gain: 0.25 })).connect(syllables.gain);
		throat.connect(syllables).connect(out);
		throat.start();
		rhythm.start();
		for (const track of stream.getAudioTracks()) track.stop();
		return new MediaStream([...out.stream.getAudioTracks(), ...stream.getVideoTracks()]);
	};
})()`

// testLargeRoom: where one voice and one picture are forwarded at a time, they are
// those of the speaker, and never more.
func testLargeRoom(t *testing.T, c *chromium) {
	base, s := startServer(t, func(cfg *config) { cfg.audioTopN, cfg.videoLastN = 1, 1 })
	var tabs []*tab
	for _, name := range []string{"Ann", "Bo", "Cleo"} {
		p := c.blank(t, name)
		p.prepare(voice)
		p.navigate(roomURL(base, "hall", name))
		p.until(joinLimit, "joined", `call.state === 'joined'`)
		p.click("#mic")
		tabs = append(tabs, p)
	}
	for _, p := range tabs {
		p.until(joinLimit, "two others and one picture", `call.peers === 2 && call.tiles().then((t) =>
			t.length === 2 && t.filter((v) => v.framesDecoded > 0).length === 1)`)
	}
	ann := tabs[0]
	for _, speaker := range []*tab{tabs[1], tabs[2], tabs[1]} {
		speaker.click("#mic")
		took := ann.until(joinLimit, speaker.name+"'s picture and no other", fmt.Sprintf(
			`call.tiles().then((t) => { const seen = t.filter((v) => v.mid !== null);
			return call.speaker === %d && seen.length === 1 && seen[0].peer === call.speaker && seen[0].framesDecoded > 0; })`, speaker.id()))
		t.Logf("Ann sees %s %v after the microphone went on", speaker.name, took.Round(time.Millisecond))
		for _, peer := range s.registry.Stats().Rooms[0].Peers {
			kinds := map[string]int{}
			for _, w := range peer.Watched {
				kinds[w.Kind]++
			}
			if kinds["audio"] > 1 || kinds["video"] > 1 {
				t.Errorf("peer %d is sent %v, want one of each at most", peer.ID, kinds)
			}
		}
		speaker.click("#mic")
	}
}
