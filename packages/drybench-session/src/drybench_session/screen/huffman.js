// Bits and the codes in them, as deflate has them (RFC 1951).

import { Nonsense } from "./incoming.js";

const QUICK = 10; // bits that are looked up at once; longer codes are rare and go step by step
const LONGEST = 15;
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Bits from the lowest on. Past the end come zeros, until somebody asks what is `left`. */
export class Bits {
  #bytes = new Uint8Array(0);
  #at = 0;
  hold = 0;
  count = 0;

  over(bytes) {
    this.#bytes = bytes;
    this.#from(0);
  }

  fill() {
    while (this.count <= 16) {
      if (this.#at > this.#bytes.length + 8) throw new Nonsense("zlib ends too early");
      this.hold |= this.#bytes[this.#at++] << this.count; // of an undefined one comes a zero
      this.count += 8;
    }
  }

  take(count) {
    if (this.count < count) this.fill();
    const value = this.hold & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  drop(count) {
    this.hold >>>= count;
    this.count -= count;
  }

  align() {
    this.drop(this.count & 7);
  }

  /** Whole bytes, after `align`. */
  bytes(length) {
    const from = this.#at - (this.count >> 3);
    if (from + length > this.#bytes.length) throw new Nonsense("zlib ends too early");
    this.#from(from + length);
    return this.#bytes.subarray(from, from + length);
  }

  /** In whole bytes: the rest of one that is begun only fills it up. */
  left() {
    const left = this.#bytes.length - this.#at + (this.count >> 3);
    if (left < 0) throw new Nonsense("zlib ends too early");
    return left;
  }

  #from(at) {
    this.#at = at;
    this.hold = 0;
    this.count = 0;
  }
}

/** Symbols by how many bits each one's code has. */
class Code {
  #quick = new Uint16Array(1 << QUICK); // symbol and, in the lowest four bits, the code's length; 0: a longer one
  #counts = new Uint16Array(LONGEST + 1);
  #sorted;

  constructor(lengths) {
    for (const length of lengths) if (length) this.#counts[length]++;
    this.#refuseTooMany();
    const places = new Uint16Array(LONGEST + 2);
    const codes = new Uint16Array(LONGEST + 2);
    for (let length = 1; length <= LONGEST; length++) {
      places[length + 1] = places[length] + this.#counts[length];
      codes[length + 1] = (codes[length] + this.#counts[length]) << 1;
    }
    this.#sorted = new Uint16Array(lengths.length);
    lengths.forEach((length, symbol) => {
      if (!length) return;
      this.#sorted[places[length]++] = symbol;
      if (length <= QUICK) this.#remember(symbol, length, codes[length]);
      codes[length]++;
    });
  }

  next(bits) {
    if (bits.count < LONGEST) bits.fill();
    const found = this.#quick[bits.hold & ((1 << QUICK) - 1)];
    if (!found) return this.#slowly(bits);
    bits.drop(found & 15);
    return found >> 4;
  }

  #refuseTooMany() {
    let free = 1;
    for (let length = 1; length <= LONGEST; length++) free = free * 2 - this.#counts[length];
    if (free < 0) throw new Nonsense("codes of zlib that cannot be");
  }

  /** Under all that may follow the code, which comes with its first bit lowest. */
  #remember(symbol, length, code) {
    let turned = 0;
    for (let bit = 0; bit < length; bit++) turned |= ((code >> bit) & 1) << (length - 1 - bit);
    for (let at = turned; at < this.#quick.length; at += 1 << length) this.#quick[at] = (symbol << 4) | length;
  }

  #slowly(bits) {
    let code = 0;
    let first = 0;
    let place = 0;
    for (let length = 1; length <= LONGEST; length++) {
      code |= bits.take(1);
      const count = this.#counts[length];
      if (code - first < count) return this.#sorted[place + code - first];
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Nonsense("no such code in zlib");
  }
}

const of = (...runs) => runs.flatMap(([times, length]) => Array(times).fill(length));

export const FIXED = {
  lengths: new Code(of([144, 8], [112, 9], [24, 7], [8, 8])),
  distances: new Code(of([30, 5])),
};

/** What a block brings itself: its codes for literals and lengths, and those for distances. */
export function tables(bits) {
  const literals = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const known = bits.take(4) + 4;
  const order = Array(ORDER.length).fill(0);
  for (const symbol of ORDER.slice(0, known)) order[symbol] = bits.take(3);
  const lengths = codeLengths(bits, new Code(order), literals + distances);
  return [new Code(lengths.slice(0, literals)), new Code(lengths.slice(literals))];
}

function codeLengths(bits, code, wanted) {
  const lengths = [];
  while (lengths.length < wanted) {
    const symbol = code.next(bits);
    if (symbol < 16) lengths.push(symbol);
    else lengths.push(...repeated(symbol, lengths, bits));
  }
  if (lengths.length > wanted) throw new Nonsense("codes of zlib that cannot be");
  return lengths;
}

function repeated(symbol, lengths, bits) {
  if (symbol === 16) {
    if (!lengths.length) throw new Nonsense("codes of zlib that cannot be");
    return Array(3 + bits.take(2)).fill(lengths.at(-1));
  }
  return Array(symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)).fill(0);
}
