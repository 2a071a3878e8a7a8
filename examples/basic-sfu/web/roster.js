// Who is in the room and which of our m-lines carries what of whom. No DOM, no
// WebRTC: frames in, a list of views out.

/**
 * Roster follows tracks_map, tracks_map_update, tracks_removed, peer_joined
 * and peer_left. An m-line may change its meaning without a new description
 * (slots), so everything is keyed by mid and nothing is read from the SDP.
 */
export class Roster {
  #peers = new Map(); // peer id → {screens: Set of source mids}
  #slots = new Map(); // mid → {peer, kind, source}

  get size() { return this.#peers.size; }
  has(peer) { return this.#peers.has(peer); }

  join(peer) {
    if (!this.#peers.has(peer)) this.#peers.set(peer, { screens: new Set() });
  }

  leave(peer) {
    this.#peers.delete(peer);
    for (const [mid, slot] of this.#slots) if (slot.peer === peer) this.#slots.delete(mid);
  }

  /** assign takes the tracks of a tracks_map_update. */
  assign(tracks) {
    for (const { mid, peer_id: peer, kind, source_mid: source } of tracks) {
      this.join(peer);
      this.#slots.set(mid, { peer, kind, source: source ?? mid });
    }
  }

  remove(mids) {
    for (const mid of mids) this.#slots.delete(mid);
  }

  /** setScreens says which of a peer's tracks, by its own mids, show a screen. */
  setScreens(peer, mids) {
    if (this.#peers.has(peer)) this.#peers.get(peer).screens = new Set(mids);
  }

  /**
   * views lists what is to be seen: for every peer its camera, or a view
   * without picture if it has none, then its other pictures. Sound belongs to
   * the first. A view: {key, peer, source, main, screen, video, audio} with
   * video a mid or null, audio a list of mids, and main true for a peer's first.
   */
  views() {
    const views = [];
    for (const [peer, { screens }] of this.#peers) {
      const slots = [...this.#slots].filter(([, slot]) => slot.peer === peer);
      const audio = slots.filter(([, slot]) => slot.kind === 'audio').map(([mid]) => mid);
      const videos = slots.filter(([, slot]) => slot.kind === 'video')
        .map(([mid, { source }]) => ({ key: `${peer}/${source}`, peer, source, main: false, screen: screens.has(source), video: mid, audio: [] }))
        .sort((a, b) => a.screen - b.screen || a.source.localeCompare(b.source, 'en', { numeric: true }));
      if (!videos.length || videos[0].screen) {
        videos.unshift({ key: `${peer}/`, peer, source: '', main: true, screen: false, video: null, audio: [] });
      }
      Object.assign(videos[0], { main: true, audio });
      views.push(...videos);
    }
    return views;
  }
}
