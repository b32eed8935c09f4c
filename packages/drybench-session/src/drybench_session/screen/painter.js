// Makes operations ready to be drawn: in the order in which they came, though JPEGs are decoded beside each other and are
// ready when they are, and a frame only as a whole. The page draws them, and says so.

import { decode } from "./jpeg.js";

const MOST_WAITING = 1 << 28; // pixels in JPEGs that are not drawn yet: nobody draws so slowly in good faith

export class Painter {
  #hand;
  #broken;
  #frame = newFrame();
  #frames = []; // whole ones that wait for their JPEGs
  #handed = []; // what is to be called when the page has drawn them
  #number = 0; // of the last one that was handed over
  #waiting = 0;

  /** `hand(number, operations, transfer)` gives a frame to the page; `broken(error)` is for a picture that is none. */
  constructor(hand, broken) {
    this.#hand = hand;
    this.#broken = broken;
  }

  draw(operation) {
    this.#frame.operations.push(operation);
    if (operation.kind === "jpeg") this.#decode(operation, this.#frame);
  }

  /** All of a frame was drawn: `then` is called when it can be seen. */
  show(then) {
    this.#frame.then.push(then);
    this.#frames.push(this.#frame);
    this.#frame = newFrame();
    this.#handWhole();
  }

  /** When all frames that came before can be seen. */
  after(then) {
    const last = this.#frames.at(-1) ?? this.#handed.at(-1);
    if (last) last.then.push(then);
    else then();
  }

  /** The page has drawn this one, and so all before it. */
  drawn(number) {
    while (this.#handed.length && this.#handed[0].number <= number) {
      for (const call of this.#handed.shift().then) call();
    }
  }

  /** What waits is of a connection that is no more. */
  forget() {
    this.#frame = newFrame();
    this.#frames = [];
    this.#handed = [];
  }

  #decode(operation, frame) {
    const pixels = operation.width * operation.height;
    this.#waiting += pixels;
    if (this.#waiting > MOST_WAITING) throw new RangeError("pictures come faster than they can be drawn");
    frame.left++;
    decode(operation.bytes)
      .then((image) => {
        operation.image = image;
        delete operation.bytes; // they stay here
        frame.left--;
        this.#handWhole();
      }, this.#broken)
      .finally(() => (this.#waiting -= pixels));
  }

  #handWhole() {
    while (this.#frames.length && this.#frames[0].left === 0) {
      const { operations, then } = this.#frames.shift();
      this.#handed.push({ number: ++this.#number, then });
      this.#hand(this.#number, operations, operations.flatMap(carried));
    }
  }
}

const newFrame = () => ({ operations: [], left: 0, then: [] });

const CARRIED = {
  jpeg: ({ image }) => [image],
  pixels: ({ rgba }) => [rgba.buffer],
};

/** What goes over to the page without being copied. */
const carried = (operation) => CARRIED[operation.kind]?.(operation) ?? [];
