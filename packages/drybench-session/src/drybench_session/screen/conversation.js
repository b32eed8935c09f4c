// All that the server says, from its first byte on, as one reader (see incoming.js). `hand` is told of it.

import { checkedSize, frame } from "./rectangles.js";
import { Nonsense, i32, u16, u32 } from "./incoming.js";
import { VERSION, begin, choose } from "./messages.js";
import { streams } from "./tight.js";

const NO_PASSWORD = 1;
const LONGEST_NAME = 1 << 16;
const LONGEST_FENCE = 64;
export const LONGEST_TEXT = 8 << 20;
const PIECE = 1 << 16;

export function* conversation(hand) {
  const picture = yield* greeting(hand);
  hand.begun(picture);
  for (;;) {
    const [kind] = yield 1;
    const read = MESSAGES.get(kind);
    if (!read) throw new Nonsense(`no message is of kind ${kind}`);
    yield* read(picture, hand);
  }
}

function* greeting(hand) {
  if (!new TextDecoder().decode(yield 12).startsWith("RFB 003.00")) throw new Nonsense("no RFB");
  hand.send(VERSION);
  const [count] = yield 1;
  if (!(yield count).includes(NO_PASSWORD)) throw new Nonsense("it wants a password");
  hand.send(choose(NO_PASSWORD));
  if (u32(yield 4, 0)) throw new Nonsense("it lets nobody in");
  hand.send(begin());
  const head = yield 24;
  const size = checkedSize(u16(head, 0), u16(head, 2));
  yield* skipped(u32(head, 20), LONGEST_NAME);
  return { ...size, zlib: streams() };
}

const MESSAGES = new Map([
  [0, frame],
  [1, colours],
  [2, bell],
  [3, text],
  [150, continuous],
  [248, fence],
]);

function* colours() {
  const head = yield 5;
  yield u16(head, 3) * 6; // of another kind of screen than ours
}

function* bell(_picture, hand) {
  hand.bell();
}

function* continuous(_picture, hand) {
  hand.continuous();
}

function* fence(_picture, hand) {
  const head = yield 8;
  if (head[7] > LONGEST_FENCE) throw new Nonsense("a fence too long");
  hand.fence(u32(head, 3), (yield head[7]).slice());
}

/** A length below nothing says that more than Latin text can come (the extended clipboard). */
function* text(_picture, hand) {
  const length = i32(yield 7, 3);
  if (length >= 0) return yield* skipped(length, 0x7fffffff); // it knows that we speak the other one
  if (length > -4 || -length > LONGEST_TEXT + PIECE) throw new Nonsense("a clipboard of such a length");
  const flags = u32(yield 4, 0);
  hand.clipboard(flags, yield -length - 4);
}

function* skipped(length, most) {
  if (length > most) throw new Nonsense("longer than anything is");
  for (let left = length; left > 0; left -= PIECE) yield Math.min(left, PIECE);
}
