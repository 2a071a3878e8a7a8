// All tiles: one per view and one for the user, placed so that all can be seen.

import { feature } from './layout.js';
import { bits, percent } from './stats.js';
import { Tile } from './tile.js';
import { Wishes } from './wishes.js';

const GAP = 8;
const NARROW = 600; // px; below it tiles keep a least width, may be taller, and the grid may scroll
const LEAST = 150;
const TALL = 1 / 2; // width to height of the tallest tile on a narrow screen: a phone held upright

const NOTES = { client: 'Paused by you', suspend: 'Too little bandwidth for a picture', bandwidth: 'Too little bandwidth for a picture' };

/** Grid shows a Call in an element. onblocked is told when the browser refuses to play sound. */
export class Grid {
  #element;
  #call;
  #tiles = new Map(); // key → Tile, in the order shown
  #wishes = new Wishes();
  #onblocked;
  #widths = new Map(); // key → px

  constructor(element, call, onblocked) {
    this.#element = element;
    this.#call = call;
    this.#onblocked = onblocked;
    new ResizeObserver(() => this.#place()).observe(element);
  }

  /** update brings the tiles in step with the call. */
  update() {
    const { session } = this.#call;
    const views = [...session?.roster.views() ?? [], ...this.#own()];
    const keys = new Set(views.map((v) => v.key));
    for (const [key, tile] of this.#tiles) if (!keys.has(key)) this.#remove(key, tile);
    for (const view of views) this.#fill(view);
    // Screens come first: they get the most room and the reader hears them first.
    const order = [...views.filter((v) => v.screen), ...views.filter((v) => !v.screen)].map((v) => v.key);
    this.#tiles = new Map(order.map((key) => [key, this.#tiles.get(key)]));
    [...this.#tiles.values()].forEach(({ element }, i) => {
      if (this.#element.children[i] !== element) this.#element.insertBefore(element, this.#element.children[i] ?? null);
    });
    this.#place();
  }

  /** figures writes a Meter's sample onto the tiles. */
  figures({ received, sent, rtt }) {
    const { session } = this.#call;
    for (const view of session.roster.views()) {
      const numbers = received.get(view.video);
      const layer = session.layers.get(view.video);
      const parts = numbers ? picture(numbers, layer) : view.audio.map((mid) => sound(received.get(mid)));
      this.#tiles.get(view.key)?.figures(parts, numbers?.framesDecoded ?? null);
    }
    this.#tiles.get('self')?.figures(outgoing(sent.filter((s) => s.mid !== session.publisher.mid('screen')), rtt));
    this.#tiles.get('self/screen')?.figures(outgoing(sent.filter((s) => s.mid === session.publisher.mid('screen')), null));
  }

  /** unblock starts sound that waited for the user. */
  unblock() { for (const tile of this.#tiles.values()) tile.unblock(); }

  #own() {
    const { screen } = this.#call.media;
    const self = { key: 'self', self: true, screen: false, video: null, audio: [] };
    return screen ? [self, { ...self, key: 'self/screen', screen: true }] : [self];
  }

  #fill(view) {
    let tile = this.#tiles.get(view.key);
    if (!tile) {
      tile = new Tile({
        key: view.key, peer: view.peer, self: view.self, onblocked: this.#onblocked,
        onquality: view.self ? null : (choice) => {
          this.#wishes.set(view.key, choice);
          this.update();
        },
      });
      this.#tiles.set(view.key, tile);
      this.#element.append(tile.element);
    }
    if (view.self) this.#fillOwn(view, tile);
    else this.#fillOther(view, tile);
  }

  #fillOwn({ screen }, tile) {
    const { media, session, name } = this.#call;
    const camera = name ? `${name} (you)` : 'You';
    tile.describe({
      peer: session?.id, name: screen ? 'Your screen' : camera, owner: name || 'You',
      muted: !screen && !media.micOn, screen,
      speaking: !screen && media.micOn && session?.id != null && session.speaker === session.id,
    });
    tile.watch(screen ? media.screen : media.camera);
  }

  #fillOther(view, tile) {
    const { session, people } = this.#call;
    const about = people.get(view.peer);
    const muted = about?.mic === false;
    const layer = session.layers.get(view.video);
    const name = this.#call.nameOf(view.peer);
    tile.describe({
      peer: view.peer, name: view.screen ? `${name}’s screen` : name, owner: name,
      muted: view.main && muted, screen: view.screen,
      hidden: Boolean(layer?.paused) || (!view.screen && about?.camera === false),
      note: layer?.paused ? NOTES[layer.reason] ?? '' : '',
      speaking: view.main && !muted && session.speaker === view.peer,
    });
    tile.watch(view.video === null ? null : session.track(view.video));
    tile.listen(view.audio.map((mid) => session.track(mid)).filter(Boolean));
    tile.choose(this.#wishes.choice(view.key), layer !== undefined && layer.rid === '' && !layer.paused);
  }

  #remove(key, tile) {
    tile.remove();
    this.#tiles.delete(key);
    this.#widths.delete(key);
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.#element;
    const tiles = [...this.#tiles];
    const screens = tiles.filter(([, { element }]) => element.classList.contains('screen')).length;
    const { rects } = feature(screens, tiles.length, width, height, { gap: GAP, ...(width < NARROW && { least: LEAST, tall: TALL }) });
    tiles.forEach(([key, { element }], i) => {
      const { x, y, w, h } = rects[i] ?? { x: 0, y: 0, w: 0, h: 0 };
      Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
      element.dataset.size = w < 170 ? 'small' : w < 320 ? 'medium' : 'large';
      this.#widths.set(key, w * devicePixelRatio);
    });
    const { session, state } = this.#call;
    if (session && state === 'joined') this.#wishes.apply(session, session.roster.views(), (key) => this.#widths.get(key));
  }
}

function picture(n, layer) {
  const size = n.frameWidth ? `${n.frameWidth}×${n.frameHeight}` : 'no picture yet';
  const parts = [size, `${Math.round(n.framesPerSecond)} fps`, bits(n.bitrate), `${percent(n.loss)} loss`];
  if (layer?.rid) parts.push(`layer ${layer.rid}`);
  return parts;
}

function sound(n) {
  return n ? `${bits(n.bitrate)}, ${percent(n.loss)} loss` : '';
}

function outgoing(sent, rtt) {
  const video = sent.filter((s) => s.kind === 'video' && s.bitrate > 0).sort((a, b) => a.frameHeight - b.frameHeight);
  const parts = [];
  const top = video.at(-1);
  if (top) parts.push(`${top.frameWidth}×${top.frameHeight}`, `${Math.round(top.framesPerSecond)} fps`);
  parts.push(`${bits(sent.reduce((sum, s) => sum + s.bitrate, 0))} up`);
  const rids = video.map((s) => s.rid).filter(Boolean);
  if (rids.length) parts.push(`layers ${rids.join(' ')}`);
  if (rtt !== null) parts.push(`RTT ${Math.round(rtt * 1000)} ms`);
  return parts;
}
