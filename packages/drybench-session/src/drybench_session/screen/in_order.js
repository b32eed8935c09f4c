// Keys one after the other, with a pause behind those that the X server has to make a place for on its keyboard first:
// programs read the keyboard's new map a moment later, and take two that came at once for the same one.

import { isOnNoKeyboard } from "./keysyms.js";

const MOMENT = 25; // milliseconds

export class InOrder {
  #send;
  #known = new Set();
  #waiting = [];
  #timer = 0;

  constructor(send) {
    this.#send = send;
  }

  put(keysym, down) {
    this.#waiting.push([keysym, down]);
    if (!this.#timer) this.#go();
  }

  #go() {
    this.#timer = 0;
    while (this.#waiting.length) {
      const [keysym, down] = this.#waiting.shift();
      const isNew = isOnNoKeyboard(keysym) && !this.#known.has(keysym);
      this.#send(keysym, down);
      if (isNew) {
        this.#known.add(keysym);
        this.#timer = setTimeout(() => this.#go(), MOMENT);
        return;
      }
    }
  }
}
