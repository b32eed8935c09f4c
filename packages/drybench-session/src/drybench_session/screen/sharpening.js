// At rest: what was drawn with losses is asked for once more, without, band by band. The next band is asked for when
// the one before is there, so that a narrow line is never full of what nobody waits for.

import { AT_REST, Lossy } from "./quality.js";

const BAND = 1 << 19; // pixels

export class Sharpening {
  #lossy = new Lossy();
  #bands = [];
  #missing = 0; // pixels of the first band
  #others = 0; // pixels that came meanwhile and were not asked for
  #timer = 0;
  #ask;

  /** `ask(band)` wants one, without loss; `ask(null)` is the end of it. */
  constructor(ask) {
    this.#ask = ask;
  }

  get active() {
    return this.#bands.length > 0;
  }

  /** Of each rectangle that comes. */
  seen(operation, picture) {
    if (operation.kind === "size") return this.stop();
    if (operation.kind === "jpeg") this.#moved(operation, picture);
    else if (this.active) this.#came(operation);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#lossy.forget();
    this.#giveUp();
  }

  #moved(place, picture) {
    this.#lossy.add(place);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(picture), AT_REST);
  }

  #begin(picture) {
    this.#bands = this.#lossy.bands(picture, BAND);
    this.#lossy.forget();
    this.#next();
  }

  #next() {
    const [band] = this.#bands;
    this.#missing = band ? band.width * band.height : 0;
    this.#others = 0;
    this.#ask(band ?? null);
  }

  /** Where more comes than was asked for, something moves again: without JPEGs that would be dear. */
  #came(operation) {
    const [band] = this.#bands;
    const pixels = common(band, operation);
    this.#missing -= pixels;
    this.#others += operation.width * operation.height - pixels;
    if (this.#missing <= 0) {
      this.#bands.shift();
      this.#next();
    } else if (this.#others > BAND) {
      const rest = this.#bands;
      this.#giveUp();
      for (const left of rest) this.#lossy.add(left);
    }
  }

  #giveUp() {
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
