// Fingers: a tap is a click, one held long a click with the right button, one that moves drags, two scroll.

import { WHEEL } from "./pointer.js";

const LONG = 600; // milliseconds
const STILL = 10; // CSS pixels that a finger may tremble
const A_CLICK = 40;
const LEFT = 1;
const RIGHT = 4;

export class Touch {
  #send;
  #tapped;
  #fingers = new Map(); // by the browser's number: {x, y, startX, startY}
  #doing = null; // "waiting", "dragging", "scrolling", "done"
  #timer = 0;
  #scrolled = { x: 0, y: 0 };

  /** `send(clientX, clientY, buttons)`; `tapped()` is told of each tap, within what the browser calls a gesture. */
  constructor(element, send, tapped) {
    this.#send = send;
    this.#tapped = tapped;
    const on = (type, call) => {
      element.addEventListener(type, (event) => {
        if (event.pointerType !== "touch") return;
        event.preventDefault();
        call(event);
      });
    };
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#up(event, true));
  }

  #down({ pointerId, clientX: x, clientY: y }) {
    this.#fingers.set(pointerId, { x, y, startX: x, startY: y });
    clearTimeout(this.#timer);
    if (this.#fingers.size === 1) {
      this.#doing = "waiting";
      this.#timer = setTimeout(() => this.#held(), LONG);
    } else if (this.#doing === "waiting") {
      this.#doing = "scrolling";
      this.#scrolled = { x: 0, y: 0 };
    }
  }

  #move({ pointerId, clientX, clientY }) {
    const finger = this.#fingers.get(pointerId);
    if (!finger) return;
    const way = { x: clientX - finger.x, y: clientY - finger.y };
    Object.assign(finger, { x: clientX, y: clientY });
    const far = Math.hypot(finger.x - finger.startX, finger.y - finger.startY) > STILL;
    if (this.#doing === "waiting" && far) this.#drag(finger);
    if (this.#doing === "dragging") this.#send(clientX, clientY, LEFT);
    if (this.#doing === "scrolling") this.#scroll(way);
  }

  #up({ pointerId }, cancelled = false) {
    const finger = this.#fingers.get(pointerId);
    if (!finger) return;
    this.#fingers.delete(pointerId);
    clearTimeout(this.#timer);
    if (this.#doing === "dragging") this.#send(finger.x, finger.y, 0);
    if (this.#doing === "waiting" && !cancelled) {
      this.#click(finger, LEFT);
      this.#tapped();
    }
    this.#doing = this.#fingers.size ? "done" : null;
  }

  #held() {
    const [finger] = this.#fingers.values();
    this.#doing = "done";
    this.#click(finger, RIGHT);
  }

  #drag(finger) {
    clearTimeout(this.#timer);
    this.#doing = "dragging";
    this.#send(finger.startX, finger.startY, 0);
    this.#send(finger.startX, finger.startY, LEFT);
  }

  /** The content follows the fingers: half of the way, for both of two fingers tell of it. */
  #scroll(way) {
    const [{ x, y }] = this.#fingers.values();
    for (const [axis, back, on] of [["x", WHEEL.left, WHEEL.right], ["y", WHEEL.up, WHEEL.down]]) {
      this.#scrolled[axis] -= way[axis] / 2;
      const clicks = Math.trunc(this.#scrolled[axis] / A_CLICK);
      this.#scrolled[axis] -= clicks * A_CLICK;
      for (let left = Math.abs(clicks); left > 0; left--) this.#click({ x, y }, clicks < 0 ? back : on);
    }
  }

  #click({ x, y }, button) {
    this.#send(x, y, 0);
    this.#send(x, y, button);
    this.#send(x, y, 0);
  }
}
