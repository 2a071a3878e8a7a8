// What this user shows and says: one microphone, one camera, one screen.

import { capture, captureScreen } from './devices.js';

/**
 * LocalMedia holds the user's own tracks. It outlives connections: after a
 * reconnect the same tracks are published again. It fires "change" whenever a
 * track comes, goes or is muted.
 */
export class LocalMedia extends EventTarget {
  mic = null;
  camera = null;
  screen = null;
  /** chosen devices: true for the default one, else a device id. */
  choice = { mic: true, camera: true };

  get micOn() { return Boolean(this.mic?.enabled); }

  /** open captures what is wanted at once and returns why nothing came, or null. */
  async open({ mic = true, camera = true } = {}) {
    const got = await capture({ mic: mic && this.choice.mic, camera: camera && this.choice.camera });
    if (got.mic) this.#take('mic', got.mic);
    if (got.camera) this.#take('camera', got.camera);
    this.#changed();
    return got.problem;
  }

  /** setMic mutes by sending silence, which keeps the device and the way back short. */
  async setMic(on) {
    if (on && !this.mic) return this.open({ camera: false });
    if (this.mic) this.mic.enabled = on;
    this.#changed();
    return null;
  }

  /** setCamera off lets go of the device, so that its light goes out. */
  async setCamera(on) {
    if (on && !this.camera) return this.open({ mic: false });
    if (!on) this.#drop('camera');
    this.#changed();
    return null;
  }

  async setScreen(on) {
    if (!on) this.#drop('screen');
    else if (!this.screen) {
      const track = await captureScreen();
      if (track) this.#take('screen', track);
    }
    this.#changed();
  }

  /** choose switches to another device of a kind, "mic" or "camera". */
  async choose(kind, deviceId) {
    this.choice[kind] = deviceId;
    if (!this[kind]) return null;
    const enabled = this[kind].enabled;
    const why = await this.open({ mic: kind === 'mic', camera: kind === 'camera' });
    if (this[kind]) this[kind].enabled = enabled;
    this.#changed();
    return why;
  }

  close() {
    for (const kind of ['mic', 'camera', 'screen']) this.#drop(kind);
    this.#changed();
  }

  #take(kind, track) {
    this.#drop(kind);
    this[kind] = track;
    // Unplugged, or ended by the browser's own "stop sharing".
    track.onended = () => {
      if (this[kind] !== track) return;
      this[kind] = null;
      this.#changed();
    };
  }

  #drop(kind) {
    this[kind]?.stop();
    this[kind] = null;
  }

  #changed() { this.dispatchEvent(new Event('change')); }
}
