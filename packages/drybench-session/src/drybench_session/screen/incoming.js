// Bytes as they come, handed to a reader as it wants them. A reader is a generator: `const four = yield 4` is how it
// asks. So what reads is plain code from top to bottom, knows no sockets, and can be tried with bytes cut anywhere.

/** The server said what no server of good faith says: the reason is for the log, not for people. */
export class Nonsense extends Error {
  name = "Nonsense";
}

export class Incoming {
  #reader;
  #wanted;
  #chunks = []; // what has come and was not asked for yet
  #held = 0;
  #used = 0; // of the first chunk

  constructor(reader) {
    this.#reader = reader;
    this.#wanted = reader.next().value;
  }

  /** The reader may keep what it is given: nobody writes into it any more. */
  push(chunk) {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= this.#wanted) this.#wanted = this.#reader.next(this.#take(this.#wanted)).value;
  }

  #take(length) {
    const [first] = this.#chunks;
    this.#held -= length;
    if (length && first.length - this.#used > length) {
      this.#used += length;
      return first.subarray(this.#used - length, this.#used);
    }
    return this.#join(length);
  }

  #join(length) {
    const whole = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const [first] = this.#chunks;
      const part = first.subarray(this.#used, this.#used + length - filled);
      whole.set(part, filled);
      filled += part.length;
      this.#used += part.length;
      if (this.#used === first.length) {
        this.#chunks.shift();
        this.#used = 0;
      }
    }
    return whole;
  }
}

export const u16 = (bytes, at) => (bytes[at] << 8) | bytes[at + 1];
export const i32 = (bytes, at) => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
export const u32 = (bytes, at) => i32(bytes, at) >>> 0;
