// The browser's clipboard, as far as the browser lets us: writing needs that the page is looked at, reading without
// being asked for needs a permission that was given before. Nobody is asked anything here.

export class Clipboard {
  #send;
  #unwritten = null;
  #both = null; // what desktop and browser have in common, as far as is known

  /** `send(text)` gives the desktop what the browser has. */
  constructor(send) {
    this.#send = send;
  }

  /** From the desktop. Where it may not be written now, it is with the next key or click. */
  async copied(text) {
    this.#both = text;
    this.#unwritten = text;
    await this.gesture();
  }

  async gesture() {
    const text = this.#unwritten;
    if (text === null || !navigator.clipboard) return;
    try {
      await navigator.clipboard.writeText(text);
      if (this.#unwritten === text) this.#unwritten = null;
    } catch {
      // not now: the page is not looked at, or a key has to be pressed first
    }
  }

  pasted(text) {
    if (!text || text === this.#both) return;
    this.#both = text;
    this.#unwritten = null;
    this.#send(text);
  }

  /** Whoever comes back from another window may have copied something there. */
  async look() {
    if (this.#unwritten !== null) return this.gesture();
    if (!navigator.clipboard?.readText || !document.hasFocus()) return;
    try {
      const { state } = await navigator.permissions.query({ name: "clipboard-read" });
      if (state === "granted") this.pasted(await navigator.clipboard.readText());
    } catch {
      // this browser has no such permission to give
    }
  }

  /** A new connection knows nothing of what went before. */
  forget() {
    this.#both = null;
  }
}
