// window.call: a read-only look inside, for the console and for tests.

/** expose publishes a Call as window.call. */
export function expose(call) {
  window.call = Object.freeze({
    /** idle, connecting, joined, waiting or ended */
    get state() { return call.state; },
    /** the connection's state, as in RTCPeerConnection.connectionState */
    get path() { return call.path; },
    get room() { return call.room; },
    get id() { return call.session?.id ?? null; },
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
        totalAudioEnergy: audio.reduce((sum, mid) => sum + (received.get(mid)?.totalAudioEnergy ?? 0), 0),
      }));
    },
    /** what is sent, one entry per encoding */
    async sent() { return (await call.session?.meter.peek())?.sent ?? []; },
  });
}
