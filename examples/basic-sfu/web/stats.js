// Numbers from getStats: totals as they are, rates as differences.

/**
 * Meter reads one RTCPeerConnection into
 * {received: Map of mid → numbers, sent: [numbers per encoding], rtt}, with rtt
 * in seconds, null while unknown.
 */
export class Meter {
  #pc;
  #last = new Map(); // report id → {at, bytes, packets, lost}

  constructor(pc) { this.#pc = pc; }

  /** sample reads the numbers; the next sample's rates are differences to this one. */
  async sample() {
    const { seen, ...sample } = await this.#read();
    this.#last = seen;
    return sample;
  }

  /** peek reads without becoming what the next sample is compared with. */
  async peek() {
    const { seen, ...sample } = await this.#read();
    return sample;
  }

  async #read() {
    const reports = await this.#pc.getStats();
    const received = new Map();
    const sent = [];
    let rtt = null;
    const seen = new Map();
    for (const r of reports.values()) {
      if (r.type === 'inbound-rtp') received.set(r.mid, this.#inbound(r, seen));
      else if (r.type === 'outbound-rtp') sent.push(this.#outbound(r, seen));
      else if (r.type === 'candidate-pair' && r.nominated && r.state === 'succeeded') rtt = r.currentRoundTripTime ?? null;
    }
    return { received, sent, rtt, seen };
  }

  #inbound(r, seen) {
    const now = { at: r.timestamp, bytes: r.bytesReceived ?? 0, packets: r.packetsReceived ?? 0, lost: r.packetsLost ?? 0 };
    const was = this.#last.get(r.id);
    seen.set(r.id, now);
    const lost = was ? Math.max(0, now.lost - was.lost) : 0;
    const expected = was ? now.packets - was.packets + lost : 0;
    return {
      kind: r.kind,
      frameWidth: r.frameWidth ?? 0,
      frameHeight: r.frameHeight ?? 0,
      framesPerSecond: r.framesPerSecond ?? 0,
      framesDecoded: r.framesDecoded ?? 0,
      keyFramesDecoded: r.keyFramesDecoded ?? 0,
      freezeCount: r.freezeCount ?? 0,
      totalFreezesDuration: r.totalFreezesDuration ?? 0,
      totalAudioEnergy: r.totalAudioEnergy ?? 0,
      totalSamplesReceived: r.totalSamplesReceived ?? 0,
      concealedSamples: r.concealedSamples ?? 0,
      bitrate: rate(was, now),
      loss: expected > 0 ? lost / expected : 0,
    };
  }

  #outbound(r, seen) {
    const now = { at: r.timestamp, bytes: r.bytesSent ?? 0 };
    const was = this.#last.get(r.id);
    seen.set(r.id, now);
    return {
      kind: r.kind,
      mid: r.mid,
      rid: r.rid ?? '',
      active: r.active ?? true,
      frameWidth: r.frameWidth ?? 0,
      frameHeight: r.frameHeight ?? 0,
      framesPerSecond: r.framesPerSecond ?? 0,
      framesEncoded: r.framesEncoded ?? 0,
      limitedBy: r.qualityLimitationReason ?? 'none',
      bitrate: rate(was, now),
    };
  }
}

function rate(was, now) {
  return was && now.at > was.at ? Math.max(0, now.bytes - was.bytes) * 8000 / (now.at - was.at) : 0;
}

/** bits writes a rate for people: "1.4 Mb/s", "320 kb/s". */
export function bits(perSecond) {
  return perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(1)} Mb/s` : `${Math.round(perSecond / 1e3)} kb/s`;
}

/** percent writes a share: "0 %", "0.4 %", "12 %". */
export function percent(share) {
  return `${share > 0 && share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}
