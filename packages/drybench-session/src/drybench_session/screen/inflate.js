// Unpacks zlib as Tight uses it: one stream over many rectangles, each flushed to a whole byte.
//
// The browser's own DecompressionStream is quicker for megabytes, but hands out what it has when it likes, and a
// rectangle must be whole before the next is looked at. So this one is called and returns. It refuses what does not
// end where it says, and never writes more than it was told will come.

import { Bits, FIXED, tables } from "./huffman.js";
import { Nonsense } from "./incoming.js";

const WINDOW = 32_768; // how far back a match may reach

const LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193,
  12289, 16385, 24577,
];
const DISTANCE_BITS = DISTANCES.map((_, code) => Math.max(0, (code >> 1) - 1));

export class Inflate {
  #out = new Uint8Array(WINDOW);
  #start = 0; // of what this call writes; what lies before is the window
  #end = 0;
  #limit = 0;
  #bits = new Bits();
  #begun = false;

  /** Exactly `size` bytes, good until the next call. */
  unpack(packed, size) {
    this.#room(size);
    this.#bits.over(packed);
    if (!this.#begun) this.#header();
    while (this.#bits.left() > 0) this.#block();
    if (this.#end !== this.#limit) throw new Nonsense("zlib ends too early");
    return this.#out.subarray(this.#start, this.#end);
  }

  #room(size) {
    const kept = Math.min(this.#end, WINDOW);
    if (this.#end + size > this.#out.length) {
      const enough = WINDOW + size;
      const next = enough > this.#out.length ? new Uint8Array(enough * 2) : this.#out;
      next.set(this.#out.subarray(this.#end - kept, this.#end));
      this.#out = next;
      this.#end = kept;
    }
    this.#start = this.#end;
    this.#limit = this.#end + size;
  }

  #header() {
    const head = (this.#bits.take(8) << 8) | this.#bits.take(8);
    if ((head & 0x0f20) !== 0x0800 || head % 31) throw new Nonsense("no zlib");
    this.#begun = true;
  }

  #block() {
    this.#bits.take(1); // whether it is the last: a server that lives has none
    const kind = this.#bits.take(2);
    if (kind === 0) this.#stored();
    else if (kind === 1) this.#codes(FIXED.lengths, FIXED.distances);
    else if (kind === 2) this.#codes(...tables(this.#bits));
    else throw new Nonsense("no such block in zlib");
  }

  #stored() {
    this.#bits.align();
    const length = this.#bits.take(16);
    if (this.#bits.take(16) !== (length ^ 0xffff)) throw new Nonsense("a block of zlib with a wrong length");
    if (this.#end + length > this.#limit) throw new Nonsense("zlib holds more than it should");
    this.#out.set(this.#bits.bytes(length), this.#end);
    this.#end += length;
  }

  #codes(lengths, distances) {
    const bits = this.#bits;
    const out = this.#out;
    let end = this.#end;
    for (;;) {
      const symbol = lengths.next(bits);
      if (symbol === 256) break;
      const length = symbol < 256 ? 1 : matchLength(bits, symbol - 257);
      if (end + length > this.#limit) throw new Nonsense("zlib holds more than it should");
      if (symbol < 256) out[end++] = symbol;
      else end = repeat(out, end, length, matchDistance(bits, distances, end));
    }
    this.#end = end;
  }
}

function matchLength(bits, code) {
  if (code >= LENGTHS.length) throw new Nonsense("no such length in zlib");
  return LENGTHS[code] + bits.take(LENGTH_BITS[code]);
}

function matchDistance(bits, distances, end) {
  const code = distances.next(bits);
  if (code >= DISTANCES.length) throw new Nonsense("no such distance in zlib");
  const distance = DISTANCES[code] + bits.take(DISTANCE_BITS[code]);
  if (distance > end) throw new Nonsense("zlib reaches back before its beginning");
  return distance;
}

/** What it repeats may be what it is just writing. */
function repeat(out, end, length, distance) {
  if (distance === 1) out.fill(out[end - 1], end, end + length);
  else if (distance >= length && length > 16) out.copyWithin(end, end - distance, end - distance + length);
  else for (let at = end; at < end + length; at++) out[at] = out[at - distance];
  return end + length;
}
