// window.call: a read-only look inside, for the console and for tests.

function sums(reports, names) {
  return Object.fromEntries(names.map((name) => [name, reports.reduce((sum, r) => sum + (r?.[name] ?? 0), 0)]));
}

/** expose publishes a Call as window.call. */
export function expose(call) {
  window.call = Object.freeze({
    /** idle, connecting, joined, waiting or ended */
    get state() { return call.state; },
    /** the connection's state, as in RTCPeerConnection.connectionState */
    get path() { return call.path; },
    get room() { return call.room; },
    get id() { return call.session?.id ?? null; },
    /** video, audio_only or suspended */
    get mode() { return call.session?.video.mode ?? 'video'; },
    get speaker() { return call.session?.speaker ?? null; },
    get peers() { return call.session?.roster.size ?? 0; },
    /** {start, answer, path}: when the session began, had its answer and was connected, ms of performance.now */
    get times() { return { ...call.session?.times }; },
    /** what is received, one entry per tile of another peer, with fresh numbers */
    async tiles() {
      const { session } = call;
      if (!session) return [];
      const { received } = await session.meter.peek();
      return session.roster.views().map(({ key, peer, source, screen, video, audio }) => ({
        key, peer, source, screen, mid: video,
        layer: session.layers.get(video) ?? null,
        ...received.get(video),
        ...sums(audio.map((mid) => received.get(mid)),
          ['totalAudioEnergy', 'totalSamplesReceived', 'concealedSamples']),
      }));
    },
    /** what is sent, one entry per encoding */
    async sent() { return (await call.session?.meter.peek())?.sent ?? []; },
  });
}
