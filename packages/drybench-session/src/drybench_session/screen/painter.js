// Draws operations on a canvas: in the order in which they came, though JPEGs are decoded beside each other and are
// ready when they are, and a frame only as a whole.

import { decode } from "./jpeg.js";

const MOST_WAITING = 1 << 28; // pixels in JPEGs that are not drawn yet: nobody draws so slowly in good faith

export class Painter {
  #canvas;
  #context;
  #broken;
  #frame = newFrame();
  #frames = []; // whole ones that wait for their JPEGs
  #waiting = 0;

  /** `broken(error)` is called when a picture cannot be decoded. */
  constructor(canvas, broken) {
    this.#canvas = canvas;
    // Many small pictures, and what is there copied elsewhere: that is quicker in memory than on a graphics card.
    this.#context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
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
    this.#drawWhole();
  }

  /** When all frames that came before can be seen. */
  after(then) {
    if (this.#frames.length) this.#frames.at(-1).then.push(then);
    else then();
  }

  /** What waits is of a connection that is no more. */
  forget() {
    this.#frame = newFrame();
    this.#frames = [];
  }

  #decode(operation, frame) {
    const pixels = operation.width * operation.height;
    this.#waiting += pixels;
    if (this.#waiting > MOST_WAITING) throw new RangeError("pictures come faster than they can be drawn");
    frame.left++;
    decode(operation.bytes)
      .then((image) => {
        operation.image = image;
        frame.left--;
        this.#drawWhole();
      }, this.#broken)
      .finally(() => (this.#waiting -= pixels));
  }

  #drawWhole() {
    while (this.#frames.length && this.#frames[0].left === 0) {
      const { operations, then } = this.#frames.shift();
      for (const operation of operations) DRAW[operation.kind](this.#context, operation, this.#canvas);
      for (const call of then) call();
    }
  }
}

const newFrame = () => ({ operations: [], left: 0, then: [] });

const DRAW = {
  fill(context, { x, y, width, height, colour: [red, green, blue] }) {
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(x, y, width, height);
  },

  pixels(context, { x, y, width, height, rgba }) {
    if (width && height) context.putImageData(new ImageData(rgba, width, height), x, y);
  },

  jpeg(context, { x, y, image }) {
    context.drawImage(image, x, y);
    image.close();
  },

  copy(context, { x, y, width, height, from }, canvas) {
    if (width && height) context.drawImage(canvas, from.x, from.y, width, height, x, y, width, height);
  },

  /** What was seen stays until something new comes. */
  size(context, { width, height }, canvas) {
    const before = new OffscreenCanvas(canvas.width, canvas.height);
    before.getContext("2d", { alpha: false, willReadFrequently: true }).drawImage(canvas, 0, 0);
    Object.assign(canvas, { width, height });
    context.drawImage(before, 0, 0);
  },
};
