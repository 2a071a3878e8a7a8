// The call as the user means it: it stays one call over lost connections.

import { LocalMedia } from './media.js';
import { Session } from './session.js';
import { Backoff, meaning, socketURL } from './signaling.js';

const SETTLED = 10_000; // ms after which a session counts as good and the next wait is short again

/**
 * Call fires "change" (anything to be seen may differ), "text" (detail
 * {from, text}), "notice" (detail {level, title, text}) and "state". Its state
 * is one of
 *   idle → connecting → joined ⇄ waiting (for the next try) → ended.
 */
export class Call extends EventTarget {
  state = 'idle';
  path = 'new';
  room = '';
  name = '';
  session = null;
  /** what others say about themselves, by peer id */
  people = new Map();
  /** why the call is waiting or has ended: {title, text, back} */
  why = null;
  /** when the next try is due, ms of Date.now */
  retryAt = 0;

  media = new LocalMedia();

  #backoff = new Backoff();
  #timer = 0;
  #settle = 0;
  #base = location.href;
  #final = null; // an error frame that makes the coming close final

  constructor() {
    super();
    this.media.addEventListener('change', () => this.#mediaChanged());
    addEventListener('online', () => this.retry());
    addEventListener('pagehide', () => this.session?.leave());
  }

  /** join enters a room with whatever the media holds. */
  join(room, name = '') {
    this.room = room;
    this.name = name;
    this.#backoff.reset();
    this.#connect();
  }

  /** retry comes back now instead of at retryAt. */
  retry() {
    if (this.state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  leave() {
    clearTimeout(this.#timer);
    if (this.session) this.session.leave();
    else this.#ended({ code: 1000, reason: '' });
  }

  /** say sends chat text and reports whether it could. */
  say(text) { return this.session?.chat.say(text) ?? false; }

  nameOf(peer) {
    return this.people.get(peer)?.name || `Guest ${peer}`;
  }

  #connect() {
    this.#final = null;
    this.path = 'connecting';
    this.#become('connecting');
    const session = new Session(socketURL(this.room, this.#base), this.media, {
      onchange: () => session === this.session && this.#changed(),
      onpath: (state) => session === this.session && this.#pathChanged(state),
      ontext: (from, text) => session.roster.has(from) && this.#fire('text', { from, text }),
      onabout: (from, about) => session.roster.has(from) && this.#heard(from, about),
      onnotice: (frame) => this.#noticed(frame),
      onend: (why) => session === this.session && this.#ended(why),
    });
    this.session = session;
    this.#tell();
  }

  #pathChanged(state) {
    this.path = state;
    if (state === 'connected') {
      clearTimeout(this.#settle);
      this.#settle = setTimeout(() => this.#backoff.reset(), SETTLED);
    }
    this.#changed();
  }

  #changed() {
    if (this.session.id !== null && this.state === 'connecting') this.#become('joined');
    for (const peer of this.people.keys()) if (!this.session.roster.has(peer)) this.people.delete(peer);
    this.#tell();
    this.#fire('change');
  }

  #heard(peer, about) {
    this.people.set(peer, about);
    this.session.roster.setScreens(peer, about.screens);
    this.#fire('change');
  }

  async #mediaChanged() {
    await this.session?.publisher.sync();
    this.#tell();
    this.#fire('change');
  }

  // tell keeps the others' picture of this user up to date.
  #tell() {
    const screen = this.media.screen && this.session?.publisher.mid('screen');
    this.session?.chat.tell({
      name: this.name, mic: this.media.micOn, camera: Boolean(this.media.camera), screens: screen ? [screen] : [],
    });
  }

  #noticed(frame) {
    if (frame.type === 'goaway') {
      if (frame.url) this.#base = frame.url;
      this.#fire('notice', { level: 'info', title: 'The server is going away', text: 'The call comes back by itself in a moment.' });
    } else if (frame.code === 'room_full') {
      this.#final = { back: false, title: 'The room is full', text: 'It takes no more people. Try again when somebody has left.' };
    } else if (frame.code === 'bad_offer' || frame.code === 'internal') {
      this.#fire('notice', { level: 'error', title: 'The server could not do that', text: frame.message || frame.code });
    } else {
      console.warn('server:', frame.code, frame.message); // the call goes on, or its close says why not
    }
  }

  #ended({ code, reason }) {
    clearTimeout(this.#settle);
    this.session = null;
    this.people.clear();
    this.why = this.#final ?? meaning(code, reason);
    if (!this.why.back) {
      this.media.close();
      this.#become('ended');
      return;
    }
    const wait = this.#backoff.next();
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become('waiting');
  }

  #become(state) {
    this.state = state;
    this.#fire('state');
    this.#fire('change');
  }

  #fire(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
