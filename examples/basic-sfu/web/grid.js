// All tiles: one per view and one for the user, placed so that all can be seen.

import { feature } from './layout.js';
import { bits, percent } from './stats.js';
import { Tile } from './tile.js';
import { explain, words } from './why.js';
import { Wishes } from './wishes.js';

const GAP = 8;
const NARROW = 600; // px; below it tiles keep a least width, may be taller, and the grid may scroll
const LEAST = 150;
const TALL = 1 / 2; // width to height of the tallest tile on a narrow screen: a phone held upright

const WIDE = 16 / 9; // of a picture that fills its tile
const SETTLED = 200; // ms without a change of size after which the new one is asked for

const POOR = 'Too little bandwidth for a picture';
const NOTES = { client: 'Paused by you', suspend: POOR, bandwidth: POOR, priority: 'Too little bandwidth beside others' };

/** Grid shows a Call in an element. onblocked is told when the browser refuses to play sound. */
export class Grid {
  #element;
  #call;
  #tiles = new Map(); // key → Tile, in the order shown
  #wishes = new Wishes();
  #onblocked;
  #widths = new Map(); // key → px of the picture
  #asked = new Set(); // keys of tiles that say why they show what they show
  #sizing = 0;

  constructor(element, call, onblocked) {
    this.#element = element;
    this.#call = call;
    this.#onblocked = onblocked;
    new ResizeObserver(() => {
      this.#place();
      clearTimeout(this.#sizing);
      this.#sizing = setTimeout(() => this.#ask(), SETTLED);
    }).observe(element);
  }

  /** update brings the tiles in step with the call. */
  update() {
    const { session } = this.#call;
    const views = [...session?.roster.views() ?? [], ...this.#own()];
    const keys = new Set(views.map((v) => v.key));
    for (const [key, tile] of this.#tiles) if (!keys.has(key)) this.#remove(key, tile);
    for (const view of views) this.#fill(view);
    // Screens come first, then what is pinned: they get the most room and the reader hears them first.
    const rank = (v) => (v.screen ? 0 : this.#wishes.pinned(v.key) ? 1 : 2);
    const order = views.toSorted((a, b) => rank(a) - rank(b)).map((v) => v.key);
    this.#tiles = new Map(order.map((key) => [key, this.#tiles.get(key)]));
    [...this.#tiles.values()].forEach(({ element }, i) => {
      if (this.#element.children[i] !== element) this.#element.insertBefore(element, this.#element.children[i] ?? null);
    });
    this.#place();
    this.#ask();
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

  /** explain has every tile that was asked say why it shows what it shows, as of now. */
  async explain() {
    const { session, room } = this.#call;
    if (!session || ![...this.#asked].some((key) => this.#tiles.has(key))) return;
    const reasons = await explain(room, session.id);
    if (session !== this.#call.session) return;
    for (const { key, video } of session.roster.views()) {
      const asked = this.#asked.has(key) && video !== null;
      this.#tiles.get(key)?.explain(asked ? words(reasons.get(video)) : null);
    }
  }

  /** explainAll asks all tiles why, or none if all were asked. */
  explainAll() {
    const views = this.#call.session?.roster.views().filter((v) => v.video !== null) ?? [];
    const all = views.every(({ key }) => this.#asked.has(key));
    for (const { key } of views) if (this.#asked.has(key) === all) this.#why(key);
  }

  #why(key) {
    if (!this.#asked.delete(key)) this.#asked.add(key);
    this.#tiles.get(key).explain(this.#asked.has(key) ? [] : null);
    this.explain();
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
        ...(!view.self && {
          onquality: (choice) => {
            this.#wishes.set(view.key, choice);
            this.update();
          },
          onpin: () => {
            this.#wishes.pin(view.key);
            this.update();
          },
          onwhy: () => this.#why(view.key),
        }),
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
      note: layer?.paused ? NOTES[layer.reason] ?? '' : view.video === null && about?.camera ? 'Not among the pictures shown' : '',
      speaking: view.main && !muted && session.speaker === view.peer, pinned: this.#wishes.pinned(view.key),
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
    const main = tiles.filter(([, { element }]) => element.matches('.screen, .pinned')).length;
    const { rects } = feature(main, tiles.length, width, height, { gap: GAP, ...(width < NARROW && { least: LEAST, tall: TALL }) });
    tiles.forEach(([key, { element }], i) => {
      const { x, y, w, h } = rects[i] ?? { x: 0, y: 0, w: 0, h: 0 };
      Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
      element.dataset.size = w < 170 ? 'small' : w < 320 ? 'medium' : 'large';
      const whole = element.matches('.screen, .upright');
      this.#widths.set(key, (whole ? w : Math.max(w, h * WIDE)) * devicePixelRatio);
    });
  }

  #ask() {
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
