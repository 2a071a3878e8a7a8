// Perfect negotiation (W3C WebRTC, section 10.7), polite side: when both sides
// offer at once the server ignores our offer, we roll ours back by taking the
// server's, and the browser asks for negotiation again once that is answered.

const SULK = 10_000; // ms without an offer after the server refused one

/**
 * Negotiator keeps one RTCPeerConnection's descriptions in step with the
 * server's. Everything it does runs one step after another, in the order in
 * which it was asked for, so that a frame never overtakes the one before it.
 */
export class Negotiator {
  #pc;
  #send;
  #fail;
  #tail = Promise.resolve();
  #first = true;
  #notBefore = 0;

  /** send takes a frame; fail hears of a description the browser refuses. */
  constructor(pc, send, fail) {
    this.#pc = pc;
    this.#send = send;
    this.#fail = fail;
    pc.onnegotiationneeded = () => this.run(() => this.#offer());
    pc.onicecandidate = ({ candidate }) => send({ kind: 'ice', candidate: candidate?.toJSON() ?? null });
  }

  /** run queues a step behind all earlier ones. */
  run(step) {
    this.#tail = this.#tail.then(() => this.#pc.signalingState === 'closed' ? undefined : step()).catch(this.#fail);
    return this.#tail;
  }

  async #offer() {
    // Not stable: the event fires again when the running exchange is over.
    if (this.#pc.signalingState !== 'stable') return;
    const wait = this.#notBefore - Date.now();
    if (wait > 0) {
      setTimeout(() => this.run(() => this.#offer()), wait);
      return;
    }
    await this.#pc.setLocalDescription();
    const frame = { kind: 'offer', sdp: this.#pc.localDescription.sdp };
    if (this.#first) frame.features = ['slots'];
    this.#first = false;
    this.#send(frame);
  }

  /** answered takes the server's answer to our offer; one to an offer we rolled back is dropped. */
  async answered({ sdp }) {
    if (this.#pc.signalingState !== 'have-local-offer') return;
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** offered takes the server's offer, at the price of our own if one is under way, and answers it. */
  async offered({ sdp, mid, id }) {
    await this.#pc.setRemoteDescription({ type: 'offer', sdp });
    await this.#pc.setLocalDescription();
    this.#send({ type: 'answer-renegotiate', sdp: this.#pc.localDescription.sdp, mid, id });
    // A line switched on while it was offered as inactive is answered so, and then the browser sees no need to
    // negotiate (W3C WebRTC, "check if negotiation is needed"). We do.
    const starved = (t) => t.direction === 'sendonly' && t.currentDirection === 'inactive';
    if (this.#pc.getTransceivers().some(starved)) this.run(() => this.#offer());
  }

  /** refused gives up an offer that the server would not take; the browser asks again at once, we do so later. */
  async refused() {
    if (this.#pc.signalingState !== 'have-local-offer') return;
    this.#notBefore = Date.now() + SULK;
    await this.#pc.setLocalDescription({ type: 'rollback' });
  }

  /** candidate adds a remote ICE candidate: an RTCIceCandidateInit, its bare text, or null for the end. */
  async candidate(candidate) {
    if (typeof candidate === 'string') candidate = { candidate, sdpMLineIndex: 0 };
    try {
      await this.#pc.addIceCandidate(candidate ?? undefined);
    } catch (err) {
      console.debug('candidate ignored:', err.message); // others may do; ICE decides
    }
  }
}
