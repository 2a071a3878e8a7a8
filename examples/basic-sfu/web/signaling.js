// The socket of oxpulse-sfu-v1: JSON text frames over one WebSocket, what each
// close code means, and how long to wait before coming back.

const SUBPROTOCOL = 'oxpulse-sfu-v1';

/** socketURL is where a room's signalling lives on the server at base. */
export function socketURL(room, base = location.href) {
  const url = new URL(`/sfu/ws/${encodeURIComponent(room)}`, base);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return url.href;
}

// code: [may we come back by ourselves, title, text]
const CLOSED = {
  1000: [false, 'You left the call', 'The session has ended.'],
  1001: [true, 'The server is going away', 'It is restarting or moving the room.'],
  1009: [false, 'Message too large', 'The server refused a message of this page for its size.'],
  1013: [true, 'The server is busy', 'It takes no more calls at the moment.'],
  4001: [false, 'Wrong room', 'The invitation is for another room.'],
  4002: [false, 'The server refused the call', 'It could not read this browser’s offer.'],
  4003: [false, 'The server refused the call', 'It could not use this browser’s offer.'],
  4004: [false, 'The invitation has expired', 'Ask for a new link.'],
  4005: [false, 'Nobody else came', 'The room was closed after waiting for others.'],
  4008: [true, 'The connection is too slow', 'The server could not deliver its messages in time.'],
  4031: [false, 'Joined somewhere else', 'This call goes on in another tab or on another device.'],
};

/** meaning explains a close: {back, title, text}. back says whether to return without being asked. */
export function meaning(code, reason = '') {
  if (code === 4002 && reason === 'offer timeout') {
    return { back: true, title: 'The call did not start in time', text: 'The server waited too long for this browser.' };
  }
  if (code === 1001 && reason === 'media lost') {
    return { back: true, title: 'Connection lost', text: 'Sound and picture no longer got through.' };
  }
  // Codes that are not ours come from proxies and broken paths, which pass;
  // unknown private ones are decisions of a newer server, which do not.
  const [back, title, text] = CLOSED[code] ?? (code >= 4000
    ? [false, 'The server ended the call', reason || `Close code ${code}.`]
    : [true, 'Connection lost', 'The server cannot be reached.']);
  return { back, title, text };
}

/** Backoff counts out 1, 2, 4, 8, 8 … seconds, each with up to half again at random. */
export class Backoff {
  #tries = 0;

  /** next returns the wait in milliseconds. */
  next() {
    const seconds = Math.min(2 ** this.#tries++, 8);
    return seconds * 1000 * (1 + Math.random() / 2);
  }

  reset() { this.#tries = 0; }
}

/**
 * Signaling is one connection. Frames sent before it is open wait for it.
 * onframe gets every JSON object received; onclose is called exactly once.
 */
export class Signaling {
  #socket;
  #waiting = [];
  #closed = false;
  #onclose;

  constructor(url, { onframe, onclose }) {
    this.#onclose = onclose;
    this.#socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket.onopen = () => {
      for (const text of this.#waiting.splice(0)) this.#socket.send(text);
    };
    this.#socket.onmessage = ({ data }) => {
      if (this.#closed || typeof data !== 'string') return;
      let frame;
      try {
        frame = JSON.parse(data);
      } catch {
        return;
      }
      if (frame && typeof frame === 'object') onframe(frame);
    };
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
  }

  send(frame) {
    const text = JSON.stringify(frame);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else if (this.#socket.readyState === WebSocket.CONNECTING) this.#waiting.push(text);
  }

  /** close ends the connection; onclose hears code and reason at once, without waiting for the server. */
  close(code = 1000, reason = 'leave') {
    if (this.#closed) return;
    // A page may only send 1000 and 3000 to 4999; other codes are for our own side.
    if (code === 1000) this.#socket.close(code, reason);
    else this.#socket.close();
    this.#end(code, reason);
  }

  #end(code, reason) {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting = [];
    this.#onclose({ code, reason });
  }
}
