// The screen before the call: which room, which devices, how one looks.

import { devices } from './devices.js';

const $ = (id) => document.getElementById(id);

/** StartScreen asks for a room and shows the preview; onjoin(room, name) ends it. */
export class StartScreen {
  #media;
  #notices;

  constructor(media, notices, onjoin) {
    this.#media = media;
    this.#notices = notices;
    media.addEventListener('change', () => this.#render());
    $('preview-mic').onclick = () => this.#tell(media.setMic(!media.micOn));
    $('preview-camera').onclick = () => this.#tell(media.setCamera(!media.camera));
    $('camera-choice').onchange = ({ target }) => this.#tell(media.choose('camera', target.value));
    $('mic-choice').onchange = ({ target }) => this.#tell(media.choose('mic', target.value));
    $('join-form').onsubmit = (event) => {
      event.preventDefault();
      onjoin($('room').value.trim() || $('room').placeholder, $('name').value.trim());
    };
  }

  /** show opens the screen with what is known already and asks for the devices. */
  async show({ room, name }) {
    $('room').value = room;
    $('name').value = name;
    $('start').hidden = false;
    (room ? $('join') : $('room')).focus();
    this.#render();
    await this.#tell(this.#media.open());
  }

  hide() {
    $('start').hidden = true;
    $('preview').srcObject = null;
  }

  async #tell(opening) {
    const problem = await opening;
    if (problem) this.#notices.show({ id: problem.code, level: 'error', ...problem });
    await this.#list();
  }

  #render() {
    const { camera, micOn } = this.#media;
    const preview = $('preview');
    if (preview.srcObject?.getVideoTracks()[0] !== (camera ?? undefined)) {
      preview.srcObject = camera && new MediaStream([camera]);
    }
    $('preview-text').hidden = Boolean(camera);
    press($('preview-camera'), Boolean(camera), 'camera');
    press($('preview-mic'), micOn, 'microphone');
  }

  async #list() {
    const { mics, cameras } = await devices();
    fill($('camera-choice'), cameras, this.#media.camera, 'No camera');
    fill($('mic-choice'), mics, this.#media.mic, 'No microphone');
  }
}

/** press shows on a button whether a device is on, and says what pressing would do. */
export function press(button, on, device, key = '') {
  button.setAttribute('aria-pressed', String(on));
  button.setAttribute('aria-label', device[0].toUpperCase() + device.slice(1));
  button.title = `Turn ${device} ${on ? 'off' : 'on'}${key && ` (${key})`}`;
}

function fill(select, list, track, none) {
  select.disabled = list.length === 0;
  select.replaceChildren(...list.length
    ? list.map((d, i) => new Option(d.label || `Device ${i + 1}`, d.deviceId))
    : [new Option(none)]);
  const id = track?.getSettings().deviceId;
  if (id) select.value = id;
}
