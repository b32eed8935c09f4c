// How finely JPEGs are asked for: the more of the screen moves, and the longer an answer takes, the less finely. Times
// are given, in milliseconds.

const LOOK_BACK = 1000;
export const AT_REST = 220;
export const STILL = 8; // who does not know sees no loss in it
export const FINEST = 9;
/** From so many whole screens a second on. */
const MOVING = [
  [10, 2],
  [4, 3],
  [1, 5],
];
const SLOW_LINE = 120; // longer than the shortest round trip: it is full
const FULL_LINE = 400;

export class Quality {
  #pieces = []; // {time, pixels} of the last moments
  #shortest = Infinity;
  #latest = 0;

  /** `pixels` of a frame came by JPEG. */
  seen(time, pixels) {
    this.#pieces.push({ time, pixels });
    this.#forget(time);
  }

  /** Whatever moves next is looked at anew. */
  rested() {
    this.#pieces = [];
  }

  roundTrip(milliseconds) {
    this.#shortest = Math.min(this.#shortest, milliseconds);
    this.#latest = milliseconds;
  }

  get shortest() {
    return this.#shortest;
  }

  /** From 0, the smallest, to 9. */
  level(time, screen) {
    this.#forget(time);
    const pixels = this.#pieces.reduce((sum, piece) => sum + piece.pixels, 0);
    const screens = (pixels / screen) * (1000 / LOOK_BACK);
    const level = MOVING.find(([from]) => screens >= from && this.#pieces.length > 2)?.[1] ?? STILL;
    return Math.max(0, level - this.#narrow());
  }

  #narrow() {
    const longer = this.#latest - this.#shortest;
    if (!this.#pieces.length || longer < SLOW_LINE) return 0;
    return longer < FULL_LINE ? 1 : 2;
  }

  #forget(time) {
    while (this.#pieces.length && this.#pieces[0].time < time - LOOK_BACK) this.#pieces.shift();
  }
}

/** What came coarsely, as one rectangle. */
export class Lossy {
  #place = null;

  add({ x, y, width, height }) {
    const old = this.#place ?? { left: x, top: y, right: x, bottom: y };
    const right = Math.max(old.right, x + width);
    this.#place = { left: Math.min(old.left, x), top: Math.min(old.top, y), right, bottom: Math.max(old.bottom, y + height) };
  }

  get any() {
    return this.#place !== null;
  }

  forget() {
    this.#place = null;
  }

  /** In bands of about so many pixels from the top, so that what somebody does meanwhile is seen between two. */
  bands(picture, pixels) {
    if (!this.#place) return [];
    const { left: x, top } = this.#place;
    const width = Math.min(this.#place.right, picture.width) - x;
    const bottom = Math.min(this.#place.bottom, picture.height);
    const height = Math.max(16, Math.floor(pixels / Math.max(1, width)));
    const bands = [];
    for (let y = top; y < bottom && width > 0; y += height) {
      bands.push({ x, y, width, height: Math.min(height, bottom - y) });
    }
    return bands;
  }
}
