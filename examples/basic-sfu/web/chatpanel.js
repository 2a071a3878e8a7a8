// The chat at the side of the call.

/** ChatPanel shows a Call's text messages; it opens and closes with a button. */
export class ChatPanel {
  #call;
  #panel = document.getElementById('chat');
  #toggle = document.getElementById('chat-toggle');
  #log = document.getElementById('chat-log');
  #input = document.getElementById('chat-text');

  constructor(call) {
    this.#call = call;
    call.addEventListener('text', ({ detail: { from, text } }) => this.#add(call.nameOf(from), text));
    this.#toggle.onclick = () => this.open(this.#panel.hidden);
    document.getElementById('chat-close').onclick = () => {
      this.open(false);
      this.#toggle.focus();
    };
    document.getElementById('chat-form').onsubmit = (event) => {
      event.preventDefault();
      this.#say(this.#input.value.trim());
    };
  }

  get isOpen() { return !this.#panel.hidden; }

  open(yes) {
    this.#panel.hidden = !yes;
    this.#toggle.setAttribute('aria-expanded', String(yes));
    if (!yes) return;
    this.#toggle.classList.remove('unread');
    this.#input.focus();
  }

  #say(text) {
    if (!text) return;
    if (this.#call.say(text)) {
      this.#add(this.#call.name || 'You', text, true);
      this.#input.value = '';
    } else {
      this.#add('', 'Not sent: there is no connection.');
    }
  }

  #add(name, text, own = false) {
    const item = document.createElement('li');
    item.classList.toggle('own', own);
    if (name) {
      const who = document.createElement('b');
      who.textContent = name;
      item.append(who, ' ');
    }
    item.append(text);
    this.#log.append(item);
    while (this.#log.children.length > 500) this.#log.firstChild.remove();
    this.#log.scrollTop = this.#log.scrollHeight;
    if (!this.isOpen) this.#toggle.classList.add('unread');
  }
}
