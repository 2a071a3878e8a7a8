// Messages between the parts of the page: read out by screen readers, closed by hand or by time.

/** Notices fills an element that is an aria-live region. */
export class Notices {
  #region;
  #shown = new Map(); // id → {element, timer}

  constructor(region) { this.#region = region; }

  /**
   * show puts up a message, in place of an earlier one of the same id. level is
   * "info" or "error"; action is {label, run} for a button; seconds is how long
   * it stays, 0 for until dismissed.
   */
  show({ id, level = 'info', title, text = '', action = null, seconds = 0 }) {
    const old = this.#shown.get(id);
    clearTimeout(old?.timer);
    const element = old?.element ?? document.createElement('div');
    element.className = `notice ${level}`;
    element.dataset.notice = id;
    element.setAttribute('role', level === 'error' ? 'alert' : 'group');
    const words = document.createElement('p');
    const strong = document.createElement('strong');
    strong.textContent = title;
    words.append(strong, ` ${text}`);
    element.replaceChildren(words);
    if (action) element.append(button(action.label, 'primary', action.run));
    const close = button('×', 'quiet', () => this.dismiss(id));
    close.setAttribute('aria-label', 'Close this message');
    element.append(close);
    if (!old) this.#region.append(element);
    const timer = seconds ? setTimeout(() => this.dismiss(id), seconds * 1000) : 0;
    this.#shown.set(id, { element, timer });
  }

  /** amend changes the text of a message that is up, without reading all of it out again. */
  amend(id, text) {
    const words = this.#shown.get(id)?.element.querySelector('p');
    if (words) words.lastChild.textContent = ` ${text}`;
  }

  /** has reports whether one of the messages is up. */
  has(...ids) { return ids.some((id) => this.#shown.has(id)); }

  clear() { for (const id of this.#shown.keys()) this.dismiss(id); }

  dismiss(id) {
    const shown = this.#shown.get(id);
    if (!shown) return;
    clearTimeout(shown.timer);
    shown.element.remove();
    this.#shown.delete(id);
  }
}

function button(label, className, run) {
  const b = document.createElement('button');
  b.type = 'button';
  b.className = className;
  b.textContent = label;
  b.onclick = run;
  return b;
}
