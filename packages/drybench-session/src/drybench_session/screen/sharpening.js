// At rest: what was drawn with losses is asked for once more, without, band by band. The next band is asked for when
// the one before is there, so that a narrow line is never full of what nobody waits for. Rest is measured by how fast
// pictures came: where a busy machine makes two a second, half a second without one is none.

import { AT_REST, Lossy } from "./quality.js";

const LARGEST = 1 << 19; // pixels of a band
const SMALLEST = 1 << 16;
const [QUICK, SLOW] = [100, 400]; // milliseconds for a band
const NEVER = 15_000;
const BEATS = 3; // that are missed at rest
const LONGEST_REST = 2000; // milliseconds

export class Sharpening {
  #lossy = new Lossy();
  #bands = [];
  #size = LARGEST;
  #asked = 0; // when, for the first of them
  #missing = 0; // pixels of it
  #others = 0; // pixels that came meanwhile and were not asked for
  #timer = 0;
  #moved = -Infinity; // when, the last time
  #rest = AT_REST;
  #picture = null;
  #ask;

  /** `ask(band)` wants one, without loss; `ask(null)` is the end of it. */
  constructor(ask) {
    this.#ask = ask;
  }

  get active() {
    return this.#bands.length > 0;
  }

  /** Of each rectangle that comes. */
  seen(operation) {
    if (operation.kind === "size") this.stop();
    else if (operation.kind === "jpeg") this.#lossy.add(operation);
    else if (this.active) this.#came(operation);
  }

  /** A frame is over in which something came with losses. */
  moved(time, picture) {
    const since = time - this.#moved;
    if (since < LONGEST_REST) this.#rest = Math.min(LONGEST_REST, Math.max(AT_REST, since * BEATS, this.#rest * 0.8));
    else this.#rest = AT_REST;
    this.#moved = time;
    this.#picture = picture;
    if (!this.active) this.#wait();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#lossy.forget();
    this.#end();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), this.#rest);
  }

  #begin() {
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

  /** Where much comes that was not asked for, something moves again: without JPEGs that would be dear. */
  #came(operation) {
    const pixels = common(this.#bands[0], operation);
    this.#missing -= pixels;
    this.#others += operation.width * operation.height - pixels;
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
    this.#rest = LONGEST_REST;
    this.#wait();
  }

  /** What was drawn with losses meanwhile has its turn after the next rest. */
  #over() {
    this.#ask(null);
    if (this.#lossy.any) this.#wait();
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
