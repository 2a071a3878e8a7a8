// One participant's picture, or the place where it would be.

const QUALITIES = [
  ['auto', 'Auto'], ['f', 'High'], ['h', 'Medium'], ['q', 'Low'], ['pause', 'Pause'],
];
const STALE = 3; // samples without a new frame after which the picture counts as standing still

const TEMPLATE = document.createElement('template');
TEMPLATE.innerHTML = `
  <article class="tile" data-picture="off">
    <video playsinline autoplay muted></video>
    <div class="avatar" aria-hidden="true"></div>
    <p class="state"></p>
    <p class="figures" aria-hidden="true"></p>
    <dl class="why" hidden></dl>
    <footer><span class="plate"><svg class="icon muted-icon" role="img" aria-label="muted"><use href="#i-mic"/></svg><span class="name"></span></span></footer>
  </article>`;

const TOOLS = document.createElement('template');
TOOLS.innerHTML = `
  <div class="tools">
    <button type="button" class="pin" title="Pin: larger, and first when bandwidth is short"><svg class="icon" aria-hidden="true"><use href="#i-pin"/></svg></button>
    <button type="button" class="why-button" title="Why does it look like this? (W for all)">?</button>
    <select title="Which layer of this picture to receive"></select>
  </div>`;

/**
 * Tile is one view's element and what plays in it. onquality(choice) hears of
 * the picker, onpin() and onwhy() of the buttons beside it; a tile without
 * onquality has none of them.
 */
export class Tile {
  element = TEMPLATE.content.firstElementChild.cloneNode(true);

  #video = this.element.querySelector('video');
  #why = this.element.querySelector('.why');
  #audio = [];
  #picker = null;
  #tools = null; // picker and buttons
  #track = null;
  #live = false; // a frame of the present track has been shown
  #hidden = false; // its owner says that there is nothing to see
  #frames = 0;
  #still = 0;
  #onblocked;

  constructor({ key, peer, self = false, onquality = null, onpin, onwhy, onblocked = () => {} }) {
    this.#onblocked = onblocked;
    Object.assign(this.element.dataset, { key, peer: String(peer ?? ''), ...(self && { self: '' }) });
    this.#video.onloadeddata = () => {
      this.#live = true;
      this.#show();
    };
    this.#video.onresize = () => {
      this.element.classList.toggle('upright', this.#video.videoHeight > this.#video.videoWidth);
    };
    if (onquality) this.#addTools(onquality, onpin, onwhy);
  }

  /**
   * describe sets name, owner (whose initials stand in for a picture), muted,
   * screen, hidden, note (a word on what is missing), speaking and pinned.
   */
  describe({ peer, name, owner = name, muted = false, screen = false, hidden = false, note = '', speaking = false, pinned = false }) {
    const { element } = this;
    element.querySelector('.name').textContent = name;
    element.setAttribute('aria-label', name + (muted ? ', muted' : '') + (note ? `, ${note}` : ''));
    element.classList.toggle('muted', muted);
    element.classList.toggle('screen', screen);
    element.classList.toggle('speaking', speaking);
    element.classList.toggle('pinned', pinned);
    element.querySelector('.state').textContent = note;
    const avatar = element.querySelector('.avatar');
    avatar.textContent = initials(owner);
    avatar.style.setProperty('--hue', String((peer ?? 0) * 137.5 % 360));
    if (this.#tools) {
      this.#picker.setAttribute('aria-label', `Quality of ${name}`);
      this.#button('pin', `Pin ${name}`, pinned);
      this.#button('why-button', `Why does ${name} look like this`, !this.#why.hidden);
    }
    this.#hidden = hidden;
    this.#show();
  }

  /** watch shows a video track; null shows none. */
  watch(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#live = false;
    this.#frames = this.#still = 0;
    this.#play(this.#video, track);
    if (this.#tools) this.#tools.hidden = !track;
    this.#show();
  }

  /** listen plays audio tracks, none for an empty list. */
  listen(tracks) {
    const old = this.#audio;
    this.#audio = tracks.map((track) => old.find((a) => a.track === track) ?? this.#speaker(track));
    for (const a of old) if (!this.#audio.includes(a)) a.element.srcObject = null;
  }

  /** unblock plays what the browser kept silent until the user touched the page. */
  unblock() { for (const { element } of this.#audio) element.play().catch(() => {}); }

  /** figures writes the numbers, a list of short texts, and notes whether the picture moves. */
  figures(parts, framesDecoded = null) {
    this.element.querySelector('.figures').replaceChildren(...parts.map((text) => node('span', text)));
    if (framesDecoded === null) return;
    this.#still = framesDecoded === this.#frames ? this.#still + 1 : 0;
    this.#frames = framesDecoded;
    this.#show();
  }

  /** explain shows a list of [name, text] over the picture; null takes it away. */
  explain(rows) {
    this.#why.hidden = rows === null;
    this.#tools?.querySelector('.why-button').setAttribute('aria-pressed', String(rows !== null));
    this.#why.replaceChildren(...(rows ?? []).flatMap(([name, text]) => [node('dt', name), node('dd', text)]));
  }

  /** choose shows a choice in the picker; single greys out the layers of a track that has only one. */
  choose(choice, single) {
    if (!this.#picker) return;
    if (document.activeElement !== this.#picker) this.#picker.value = choice;
    for (const option of this.#picker.options) option.disabled = single && 'fhq'.includes(option.value);
  }

  remove() {
    this.listen([]);
    this.#video.srcObject = null;
    this.element.remove();
  }

  #show() {
    const on = this.#track && this.#live && !this.#hidden;
    this.element.dataset.picture = !on ? 'off' : this.#still >= STALE ? 'still' : 'on';
  }

  #speaker(track) {
    const element = new Audio();
    this.#play(element, track);
    return { track, element };
  }

  #play(element, track) {
    element.srcObject = track && new MediaStream([track]);
    if (track) element.play().catch((err) => err.name === 'NotAllowedError' && this.#onblocked());
  }

  #addTools(onquality, onpin, onwhy) {
    this.#tools = TOOLS.content.firstElementChild.cloneNode(true);
    this.#tools.hidden = true;
    this.#picker = this.#tools.querySelector('select');
    this.#picker.append(...QUALITIES.map(([value, text]) => new Option(text, value)));
    this.#picker.onchange = () => onquality(this.#picker.value);
    this.#tools.querySelector('.pin').onclick = onpin;
    this.#tools.querySelector('.why-button').onclick = onwhy;
    this.element.querySelector('footer').append(this.#tools);
    this.element.ondblclick = ({ target }) => {
      if (!this.#tools.hidden && !target.closest('.tools, .why')) onpin();
    };
  }

  #button(name, label, pressed) {
    const button = this.#tools.querySelector(`.${name}`);
    button.setAttribute('aria-label', label);
    button.setAttribute('aria-pressed', String(pressed));
  }
}

function node(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return words.slice(0, 2).map((w) => [...w][0].toUpperCase()).join('') || '?';
}
