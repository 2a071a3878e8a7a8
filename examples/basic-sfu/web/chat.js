// What people tell each other over the data channel "chat": text, and a few
// words about themselves (name, muted or not, which track is a screen). The
// server carries messages without reading them, so `from` is what the sender
// claims: fine for a demo among friends, and the reason why nothing that
// matters depends on it.

const LABEL = 'chat';
const ID = 1; // negotiated: both sides know it beforehand
const LONGEST = 2000;

/**
 * ChatChannel is one connection's end of the channel. ontext gets (from, text),
 * onabout gets (from, {name, mic, camera, screens}).
 */
export class ChatChannel {
  #channel;
  #self = () => null; // own peer id, unknown before the welcome
  #about = {};

  constructor(pc, { self, ontext, onabout }) {
    this.#self = self;
    this.#channel = pc.createDataChannel(LABEL, { negotiated: true, id: ID });
    this.#channel.onopen = () => this.#send({ about: this.#about, ask: true });
    this.#channel.onmessage = ({ data }) => {
      const message = parse(data);
      if (!message) return;
      if (message.text) ontext(message.from, message.text);
      if (message.about) onabout(message.from, message.about);
      if (message.ask) this.#send({ about: this.#about });
    };
  }

  get open() { return this.#channel.readyState === 'open'; }

  /** say sends text to everyone else and reports whether it could. */
  say(text) { return this.#send({ text: text.slice(0, LONGEST) }); }

  /** tell sends what others should know about this user, now and to whoever asks later. */
  tell(about) {
    if (JSON.stringify(about) === JSON.stringify(this.#about)) return;
    this.#about = about;
    this.#send({ about });
  }

  #send(message) {
    if (!this.open) return false;
    this.#channel.send(JSON.stringify({ from: this.#self(), ...message }));
    return true;
  }
}

// parse takes a stranger's message to pieces; null if it is not one of ours.
function parse(data) {
  if (typeof data !== 'string') return null;
  let m;
  try {
    m = JSON.parse(data);
  } catch {
    return null;
  }
  if (!m || typeof m !== 'object' || !Number.isInteger(m.from)) return null;
  const message = { from: m.from, ask: m.ask === true };
  if (typeof m.text === 'string') message.text = m.text.slice(0, LONGEST);
  if (m.about && typeof m.about === 'object') {
    const { name, mic, camera, screens } = m.about;
    message.about = {
      name: typeof name === 'string' ? name.slice(0, 40) : '',
      mic: mic !== false,
      camera: camera !== false,
      screens: Array.isArray(screens) ? screens.filter((s) => typeof s === 'string').slice(0, 8) : [],
    };
  }
  return message;
}
