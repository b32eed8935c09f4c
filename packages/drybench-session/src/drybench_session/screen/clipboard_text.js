// Text in the extended clipboard: announced, asked for, and provided, packed by zlib, lines ending as in DOS.

import { LONGEST_TEXT } from "./conversation.js";
import { u32 } from "./incoming.js";

export const TEXT = 1;
export const ACTION = { CAPABLE: 1 << 24, ASK: 1 << 25, PEEK: 1 << 26, ANNOUNCE: 1 << 27, PROVIDE: 1 << 28 };

export class TooLong extends Error {
  name = "TooLong";
}

/** What we can, and how long a text may come without being asked for. */
export function capabilities() {
  const { CAPABLE, ASK, PEEK, ANNOUNCE, PROVIDE } = ACTION;
  return { flags: TEXT | CAPABLE | ASK | PEEK | ANNOUNCE | PROVIDE, payload: number(LONGEST_TEXT) };
}

/** Cheap where it is far too long: each unit of a string is a byte at least. */
export function refuseTooLong(text) {
  if (text.length > LONGEST_TEXT) throw new TooLong();
}

export async function pack(text) {
  refuseTooLong(text);
  const bytes = new TextEncoder().encode(`${text.replace(/\r?\n|\r/g, "\r\n")}\0`);
  if (bytes.length > LONGEST_TEXT) throw new TooLong();
  const stream = new Blob([number(bytes.length), bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** It is read only as far as it says that it goes, and no further than we allow, however much it unpacks to. */
export async function unpack(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  let whole = new Uint8Array(0);
  try {
    while (whole.length < 4 || whole.length < 4 + checked(u32(whole, 0))) whole = joined(whole, await next(reader));
  } finally {
    reader.cancel().catch(() => {}); // the server never ends its stream, which the browser calls an error
  }
  const text = new TextDecoder().decode(whole.subarray(4, 4 + u32(whole, 0)));
  return text.replace(/\0$/, "").replaceAll("\r\n", "\n");
}

const number = (value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

function checked(length) {
  if (length > LONGEST_TEXT) throw new TooLong();
  return length;
}

async function next(reader) {
  const { value, done } = await reader.read();
  if (done) throw new TypeError("the text ends too early");
  return value;
}

function joined(before, more) {
  const whole = new Uint8Array(before.length + more.length);
  whole.set(before);
  whole.set(more, before.length);
  return whole;
}
