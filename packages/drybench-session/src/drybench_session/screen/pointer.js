// Mouse and pen: buttons as RFB counts them, and the wheel, whose small steps add up to clicks.

const BUTTONS = [1, 2, 4]; // left, middle, right, by the browser's number
export const WHEEL = { up: 8, down: 16, left: 32, right: 64 };
const A_CLICK = 60; // CSS pixels of a wheel's way
const A_LINE = 20;
const MOST_CLICKS = 20; // at once

export class Pointer {
  #element;
  #send;
  #held = 0;
  #x = 0;
  #y = 0;
  #wheel = { x: 0, y: 0 };

  /** `send(clientX, clientY, buttons, light)`; a light one may be left out. */
  constructor(element, send) {
    this.#element = element;
    this.#send = send;
    const on = (type, call, options) => element.addEventListener(type, (event) => isTouch(event) || call(event), options);
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", () => this.release());
    on("lostpointercapture", () => this.release());
    on("wheel", (event) => this.#turn(event), { passive: false });
    on("contextmenu", (event) => event.preventDefault());
  }

  release() {
    if (this.#held) this.#say((this.#held = 0));
  }

  /** The first of several buttons comes as down, all others as moves with other buttons. */
  #down(event) {
    event.preventDefault();
    this.#element.setPointerCapture(event.pointerId);
    this.#at(event);
    this.#say((this.#held = mask(event.buttons)));
  }

  #move(event) {
    this.#at(event);
    const held = this.#element.hasPointerCapture(event.pointerId) ? mask(event.buttons) : 0;
    const light = held === this.#held;
    this.#held = held;
    this.#say(held, light);
  }

  #up(event) {
    event.preventDefault();
    this.#at(event);
    this.#say((this.#held = mask(event.buttons)));
  }

  #turn(event) {
    event.preventDefault();
    this.#at(event);
    const unit = [1, A_LINE, this.#element.clientHeight][event.deltaMode];
    this.#clicks("y", event.deltaY * unit, WHEEL.up, WHEEL.down);
    this.#clicks("x", event.deltaX * unit, WHEEL.left, WHEEL.right);
  }

  #clicks(axis, way, back, on) {
    if (this.#wheel[axis] * way < 0) this.#wheel[axis] = 0;
    this.#wheel[axis] += way;
    const clicks = Math.trunc(this.#wheel[axis] / A_CLICK);
    this.#wheel[axis] -= clicks * A_CLICK;
    for (let left = Math.min(Math.abs(clicks), MOST_CLICKS); left > 0; left--) {
      this.#say(this.#held | (clicks < 0 ? back : on));
      this.#say(this.#held);
    }
  }

  #at({ clientX, clientY }) {
    this.#x = clientX;
    this.#y = clientY;
  }

  #say(buttons, light = false) {
    this.#send(this.#x, this.#y, buttons, light);
  }
}

const isTouch = ({ pointerType }) => pointerType === "touch";

/** The browser's bits are left, right, middle. */
const mask = (buttons) => (buttons & 1 ? BUTTONS[0] : 0) | (buttons & 4 ? BUTTONS[1] : 0) | (buttons & 2 ? BUTTONS[2] : 0);
