// Which layer of which picture this user wants: picked by hand, or in step
// with the size it is shown at; and which pictures come before others.

const ENLARGED = 1.5; // a picture may be shown this much larger than it is before the next size is worth its bandwidth
const STEP = 16; // px; a tile that grows by less asks for nothing new

/** Wishes remembers choices and pins by tile, over reconnects. */
export class Wishes {
  #choices = new Map(); // tile key → "f", "h", "q" or "pause"; auto is absent
  #pinned = new Set(); // tile keys

  choice(key) { return this.#choices.get(key) ?? 'auto'; }

  set(key, choice) {
    if (choice === 'auto') this.#choices.delete(key);
    else this.#choices.set(key, choice);
  }

  pinned(key) { return this.#pinned.has(key); }

  /** pin pins a tile, or lets go of it. */
  pin(key) {
    if (!this.#pinned.delete(key)) this.#pinned.add(key);
  }

  /** apply tells the server of whatever is new. widthOf(key) is the width of a tile's picture in device pixels. */
  apply(session, views, widthOf) {
    for (const { key, video } of views) {
      if (video !== null) session.wish(video, this.#wish(key, widthOf(key)));
    }
  }

  #wish(key, width) {
    const wish = this.#pinned.has(key) ? { priority: 1 } : {};
    const choice = this.choice(key);
    if (choice === 'pause') wish.paused = true;
    else if (choice !== 'auto') wish.max_rid = choice;
    else if (width) wish.max_width = Math.ceil(width * ENLARGED / STEP) * STEP;
    return wish;
  }
}
