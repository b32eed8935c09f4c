// At rest: what came coarsely is asked for once more in the finest JPEG, band by band; what that leaves to be wished for
// the server makes good by itself, bit by bit. The next band is asked for when the one before is there, so that a narrow
// line is never full of what nobody waits for. Rest is measured by how fast pictures came: where a busy machine makes two
// a second, half a second without one is none.

import { AT_REST, Lossy } from "./quality.js";

const LARGEST = 1 << 19; // pixels of a band
const SMALLEST = 1 << 16;
const [QUICK, SLOW] = [100, 400]; // milliseconds for a band
const NEVER = 15_000;
const BEATS = 3; // that are missed at rest
const SLOWEST_BEAT = 600;
const MOST_PATIENCE = 8;

export class Sharpening {
  #lossy = new Lossy();
  #bands = [];
  #size = LARGEST;
  #asked = 0; // when, for the first of them
  #missing = 0; // pixels of it
  #others = 0; // pixels that came meanwhile and were not asked for
  #timer = 0;
  #moved = 0; // when, the last time
  #beat = 0; // from one frame to the next, as a rule
  #patience = 1; // more, after what was taken for rest was none
  #picture = null;
  #ask;
  #isFull;

  /** `ask(band)` wants one, finely; `ask(null)` is the end of it. While the line `isFull()`, nothing rests. */
  constructor(ask, isFull) {
    this.#ask = ask;
    this.#isFull = isFull;
  }

  get active() {
    return this.#bands.length > 0;
  }

  /** Pixels that came by themselves. */
  unasked(operation) {
    return operation.width * operation.height - (this.active ? common(this.#bands[0], operation) : 0);
  }

  /** Of each rectangle that comes; `coarse` is one that is to be asked for again. */
  seen(operation, coarse) {
    if (operation.kind === "size") this.stop();
    else if (this.active) this.#came(operation);
    else if (coarse) this.#lossy.add(operation);
  }

  /** A frame is over in which something came by JPEG. */
  moved(time, picture) {
    this.#beat += (Math.min(time - this.#moved, SLOWEST_BEAT) - this.#beat) / 5;
    this.#moved = time;
    this.#picture = picture;
    if (!this.active && this.#lossy.any) this.#wait();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#lossy.forget();
    this.#end();
  }

  #wait() {
    clearTimeout(this.#timer);
    const rest = Math.max(AT_REST, BEATS * this.#beat) * this.#patience;
    this.#timer = setTimeout(() => this.#begin(), rest);
  }

  #begin() {
    if (this.#isFull()) return this.#wait();
    this.#bands = this.#lossy.bands(this.#picture, this.#size);
    this.#lossy.forget();
    this.#next();
  }

  #next() {
    const [band] = this.#bands;
    clearTimeout(this.#timer);
    if (!band) return this.#over();
    this.#missing = band.width * band.height;
    this.#others = 0;
    this.#asked = performance.now();
    this.#timer = setTimeout(() => this.stop(), NEVER);
    this.#ask(band);
  }

  /** Where much comes that was not asked for, something moves again, and that need not be fine. */
  #came(operation) {
    const pixels = common(this.#bands[0], operation);
    this.#missing -= pixels;
    if (operation.kind === "jpeg") this.#others += this.unasked(operation);
    if (this.#missing <= 0) this.#there();
    else if (this.#others > LARGEST) this.#putOff();
  }

  #there() {
    const took = performance.now() - this.#asked;
    if (took > SLOW) this.#size = Math.max(SMALLEST, this.#size / 2);
    else if (took < QUICK) this.#size = Math.min(LARGEST, this.#size * 2);
    this.#bands.shift();
    this.#next();
  }

  #putOff() {
    for (const left of this.#bands) this.#lossy.add(left);
    this.#end();
    this.#patience = Math.min(MOST_PATIENCE, this.#patience * 2);
    this.#wait();
  }

  #over() {
    this.#patience = 1;
    this.#ask(null);
  }

  #end() {
    if (!this.active) return;
    this.#bands = [];
    this.#ask(null);
  }
}

function common(one, other) {
  const width = Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
  const height = Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y);
  return Math.max(0, width) * Math.max(0, height);
}
