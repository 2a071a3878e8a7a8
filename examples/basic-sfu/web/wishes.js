// Which layer of which picture this user wants: picked by hand, or in step
// with the size it is shown at.

/**
 * Wishes remembers choices by tile, over reconnects, and sends a set_layer only
 * when the wish for an m-line is another than the last one sent.
 */
export class Wishes {
  #choices = new Map(); // tile key → "f", "h", "q" or "pause"; auto is absent
  #sent = new Map(); // mid → JSON of the last wish
  #session = null;

  choice(key) { return this.#choices.get(key) ?? 'auto'; }

  set(key, choice) {
    if (choice === 'auto') this.#choices.delete(key);
    else this.#choices.set(key, choice);
  }

  /** apply tells the server of whatever is new. widthOf(key) is a tile's width in device pixels. */
  apply(session, views, widthOf) {
    if (session !== this.#session) this.#sent.clear();
    this.#session = session;
    for (const { key, video } of views) {
      if (video === null) continue;
      const wish = this.#wish(key, widthOf(key));
      const text = JSON.stringify(wish);
      if (text === (this.#sent.get(video) ?? '{}')) continue;
      this.#sent.set(video, text);
      session.wish(video, wish);
    }
  }

  #wish(key, width) {
    const choice = this.choice(key);
    if (choice === 'pause') return { paused: true };
    if (choice !== 'auto') return { max_rid: choice };
    // A tile asks for no more than one step above what it can show; a large one for anything.
    if (!width || width > 800) return {};
    return { max_width: width > 400 ? 640 : 320 };
  }
}
