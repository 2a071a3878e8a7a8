// Sends the user's tracks over one RTCPeerConnection.

// Lowest first, as the server's ladder and every browser's encoder expect.
const CAMERA_ENCODINGS = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150e3 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500e3 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1500e3 },
];
const SCREEN_ENCODINGS = [{ maxBitrate: 2500e3 }];

/**
 * Publisher makes the connection's senders carry what a LocalMedia holds. A
 * line, once made, is kept: it falls silent when its track goes and is used
 * again by the next, so that a session's lines do not pile up.
 */
export class Publisher {
  #pc;
  #media;
  #lines = {}; // mic, camera, screen → RTCRtpTransceiver
  #streams = { mic: new MediaStream(), screen: new MediaStream() };

  constructor(pc, media) {
    this.#pc = pc;
    this.#media = media;
    this.#streams.camera = this.#streams.mic; // one stream: the browser keeps lips in step
  }

  /** sync adds the lines that are missing and gives every line its present track. */
  async sync() {
    await Promise.all([
      this.#carry('mic'),
      this.#carry('camera', CAMERA_ENCODINGS),
      this.#carry('screen', SCREEN_ENCODINGS),
    ]);
  }

  /** mid is the m-line of "mic", "camera" or "screen", null before there is one. */
  mid(what) { return this.#lines[what]?.mid ?? null; }

  /**
   * want takes the server's word on which encodings of a line are of use to anybody; the others need no encoder.
   * A word that names none of ours changes nothing. To be called in a step of the Negotiator: a description applied
   * between reading the parameters and setting them would void them.
   */
  async want(mid, rids) {
    const line = Object.values(this.#lines).find((l) => l.mid === mid);
    const params = line?.sender.getParameters();
    if (!params?.encodings?.some((e) => rids.includes(e.rid))) return;
    for (const encoding of params.encodings) encoding.active = rids.includes(encoding.rid);
    await line.sender.setParameters(params);
  }

  async #carry(what, sendEncodings) {
    const track = this.#media[what];
    const line = this.#lines[what];
    if (!line) {
      if (track) this.#lines[what] = this.#add(what, track, sendEncodings);
      return;
    }
    // A screen that is gone frees its line for the viewers; a camera that is
    // off keeps it, so that it is back at once.
    const direction = track || what !== 'screen' ? 'sendonly' : 'inactive';
    if (line.direction !== direction) line.direction = direction;
    if (line.sender.track !== track) await line.sender.replaceTrack(track);
  }

  #add(what, track, sendEncodings) {
    const line = this.#pc.addTransceiver(track, {
      direction: 'sendonly',
      streams: [this.#streams[what]],
      ...(sendEncodings && { sendEncodings }),
    });
    if (track.kind === 'video') preferVP8(line);
    return line;
  }
}

// VP8 is what every browser can both send as simulcast and receive.
function preferVP8(line) {
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (!codecs || !line.setCodecPreferences) return;
  const wanted = codecs.filter((c) => /^video\/(vp8|rtx)$/i.test(c.mimeType));
  if (wanted.length) line.setCodecPreferences(wanted);
}
