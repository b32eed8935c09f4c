// Draws what the worker made ready. On the page's own canvas: one that a worker draws on is seen a frame later.

export class Drawing {
  #canvas;
  #context;

  constructor(canvas) {
    this.#canvas = canvas;
    // Many small pictures, and what is there copied elsewhere: that is quicker in memory than on a graphics card.
    this.#context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  draw(operations) {
    for (const operation of operations) DRAW[operation.kind](this.#context, operation, this.#canvas);
  }
}

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

  /** A canvas that is drawn onto itself is copied whole before. */
  copy(context, { x, y, width, height, from }) {
    if (width && height) context.putImageData(context.getImageData(from.x, from.y, width, height), x, y);
  },

  /** What was seen stays until something new comes. */
  size(context, { width, height }, canvas) {
    const before = new OffscreenCanvas(canvas.width, canvas.height);
    before.getContext("2d", { alpha: false, willReadFrequently: true }).drawImage(canvas, 0, 0);
    Object.assign(canvas, { width, height });
    context.drawImage(before, 0, 0);
  },
};
