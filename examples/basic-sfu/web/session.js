// One stay in the room: one socket, one RTCPeerConnection, from the first
// offer to the close. Coming back is a new Session (see call.js).

import { ChatChannel } from './chat.js';
import { Negotiator } from './negotiator.js';
import { Publisher } from './publisher.js';
import { Roster } from './roster.js';
import { Signaling } from './signaling.js';
import { Meter } from './stats.js';

const DEAD_AFTER = 6000; // ms of a failed path, after one ICE restart, before starting over

/**
 * Session runs the protocol and keeps what follows from it: id, roster, layers
 * by mid, speaker, video. Handlers: onchange() after any of that changed, onpath(state)
 * with the connection's state, ontext(from, text), onabout(from, about),
 * onnotice(frame) for error and goaway, onend({code, reason}) once.
 */
export class Session {
  id = null;
  roster = new Roster();
  layers = new Map(); // mid → last layer frame
  speaker = null;
  video = { mode: 'video', budget_bps: 0 }; // last video_mode frame
  times = { start: performance.now() }; // start, answer, path: ms of performance.now

  #pc;
  #signaling;
  #negotiator;
  #on;
  #dead = 0;
  #wished = new Map(); // mid → JSON of the wish that the server knows

  constructor(url, media, handlers) {
    this.#on = handlers;
    this.#pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.#signaling = new Signaling(url, {
      onframe: (frame) => this.#negotiator.run(() => this.#receive(frame)),
      onclose: (why) => this.#end(why),
    });
    this.#negotiator = new Negotiator(this.#pc, (frame) => this.#signaling.send(frame),
      (err) => console.error('negotiation:', err));
    this.chat = new ChatChannel(this.#pc, { self: () => this.id, ontext: handlers.ontext, onabout: handlers.onabout });
    this.publisher = new Publisher(this.#pc, media);
    this.publisher.sync();
    this.meter = new Meter(this.#pc);
    this.#pc.onconnectionstatechange = () => this.#pathChanged();
  }

  /** track is what arrives on an m-line, null if there is none of that mid. */
  track(mid) {
    return this.#pc.getTransceivers().find((t) => t.mid === mid)?.receiver.track ?? null;
  }

  /** wish asks for a layer of a video: {max_rid, max_width, priority, paused}, all optional. It sends only what is new. */
  wish(mid, wish) {
    const text = JSON.stringify(wish);
    if (text === (this.#wished.get(mid) ?? '{}')) return;
    this.#wished.set(mid, text);
    this.#signaling.send({ type: 'set_layer', mid, ...wish });
  }

  /** leave says goodbye and ends the session with 1000. */
  leave() {
    this.#signaling.send({ type: 'leave' });
    this.#signaling.close();
  }

  async #receive(frame) {
    switch (frame.kind ?? frame.type) {
      case 'answer':
        this.times.answer ??= performance.now();
        await this.#negotiator.answered(frame);
        break; // lines that are new have a mid now
      case 'offer-renegotiate':
        return this.#negotiator.offered(frame);
      case 'ice':
        return this.#negotiator.candidate(frame.candidate);
      case 'publish_layers':
        return this.publisher.want(frame.mid, frame.rids);
      case 'error':
        if (frame.code === 'bad_offer') await this.#negotiator.refused();
        return this.#on.onnotice(frame);
      case 'goaway':
        return this.#on.onnotice(frame);
      case 'welcome':
        this.id = frame.peer_id;
        break;
      case 'tracks_map':
        for (const { peer_id: peer } of frame.tracks) this.roster.join(peer);
        break;
      case 'tracks_map_update':
        this.roster.assign(frame.tracks);
        for (const { mid } of frame.tracks) this.#forget(mid);
        break;
      case 'tracks_removed':
        this.roster.remove(frame.mids);
        for (const mid of frame.mids) this.#forget(mid);
        break;
      case 'peer_joined':
        this.roster.join(frame.peer_id);
        break;
      case 'peer_left':
        this.roster.leave(frame.peer_id);
        if (this.speaker === frame.peer_id) this.speaker = null;
        break;
      case 'speaker':
        this.speaker = frame.peer_id ?? null;
        break;
      case 'layer':
        this.layers.set(frame.mid, frame);
        break;
      case 'video_mode':
        this.video = frame;
        break;
      default:
        return; // a newer server may say more
    }
    this.#on.onchange();
  }

  // What was said of a line does not hold for the next track on it.
  #forget(mid) {
    this.layers.delete(mid);
    this.#wished.delete(mid);
  }

  #pathChanged() {
    const state = this.#pc.connectionState;
    if (state === 'connected') this.times.path ??= performance.now();
    clearTimeout(this.#dead);
    if (state === 'failed') {
      this.#pc.restartIce();
      this.#dead = setTimeout(() => this.#signaling.close(1006, 'no path'), DEAD_AFTER);
    }
    this.#on.onpath(state);
  }

  #end(why) {
    clearTimeout(this.#dead);
    this.#pc.close();
    this.#on.onend(why);
  }
}
