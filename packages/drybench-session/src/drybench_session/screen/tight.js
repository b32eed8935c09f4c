// A rectangle in Tight: one colour, a JPEG, or pixels packed by zlib. What comes out are operations for the painter.

import { Nonsense, u16 } from "./incoming.js";
import { Inflate } from "./inflate.js";

const FILL = 8;
const JPEG = 9;
const FILTERS = [plain, palette, gradient];
const TOO_SHORT_TO_PACK = 12;
const MOST_PIXELS = 1 << 22; // TigerVNC cuts into pieces of 65536

export const streams = () => [0, 1, 2, 3].map(() => new Inflate());

export function* tight(place, zlib) {
  const [control] = yield 1;
  for (let number = 0; number < 4; number++) if ((control >> number) & 1) zlib[number] = new Inflate();
  const kind = control >> 4;
  if (kind === FILL) return { kind: "fill", ...place, colour: (yield 3).slice() };
  if (place.width * place.height > MOST_PIXELS) throw new Nonsense("a piece too large to unpack");
  if (kind === JPEG) return yield* jpeg(place);
  if (kind > JPEG) throw new Nonsense(`Tight has no kind ${kind}`);
  const filter = FILTERS[kind & 4 ? (yield 1)[0] : 0];
  if (!filter) throw new Nonsense("Tight has no such filter");
  const rgba = place.width && place.height ? yield* filter(place, zlib[kind & 3]) : new Uint32Array(0);
  return { kind: "pixels", ...place, rgba: new Uint8ClampedArray(rgba.buffer) };
}

function* jpeg(place) {
  const bytes = yield yield* length();
  const [width, height] = jpegSize(bytes);
  if (width !== place.width || height !== place.height) throw new Nonsense("a JPEG of another size than its place");
  return { kind: "jpeg", ...place, bytes };
}

/** As the picture itself says: who decodes it makes room for that. */
export function jpegSize(bytes) {
  for (let at = 2; at + 9 < bytes.length; at += 2 + u16(bytes, at + 2)) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [u16(bytes, at + 7), u16(bytes, at + 5)];
  }
  throw new Nonsense("no JPEG");
}

const opaque = (red, green, blue) => 0xff000000 | (blue << 16) | (green << 8) | red;

function* plain({ width, height }, zlib) {
  const rgb = yield* unpacked(width * height * 3, zlib);
  const rgba = new Uint32Array(width * height);
  for (let pixel = 0, at = 0; pixel < rgba.length; pixel++, at += 3) {
    rgba[pixel] = opaque(rgb[at], rgb[at + 1], rgb[at + 2]);
  }
  return rgba;
}

function* palette({ width, height }, zlib) {
  const count = (yield 1)[0] + 1;
  const rgb = yield count * 3;
  const colours = new Uint32Array(256).fill(opaque(0, 0, 0));
  for (let colour = 0; colour < count; colour++) {
    colours[colour] = opaque(rgb[colour * 3], rgb[colour * 3 + 1], rgb[colour * 3 + 2]);
  }
  const rgba = new Uint32Array(width * height);
  if (count > 2) {
    const indices = yield* unpacked(rgba.length, zlib);
    for (let pixel = 0; pixel < rgba.length; pixel++) rgba[pixel] = colours[indices[pixel]];
  } else {
    const row = (width + 7) >> 3;
    bits(rgba, yield* unpacked(row * height, zlib), { width, row }, colours);
  }
  return rgba;
}

function bits(rgba, packed, { width, row }, [zero, one]) {
  for (let pixel = 0, x = 0, start = 0; pixel < rgba.length; pixel++) {
    rgba[pixel] = (packed[start + (x >> 3)] >> (7 - (x & 7))) & 1 ? one : zero;
    if (++x === width) {
      x = 0;
      start += row;
    }
  }
}

/** Each pixel is what its neighbours to the left and above let expect, and the difference to that. */
function* gradient({ width, height }, zlib) {
  const rgb = (yield* unpacked(width * height * 3, zlib)).slice();
  const row = width * 3;
  for (let at = 0; at < rgb.length; at++) {
    const left = at % row < 3 ? 0 : rgb[at - 3];
    const above = at < row ? 0 : rgb[at - row];
    const corner = at % row < 3 || at < row ? 0 : rgb[at - row - 3];
    rgb[at] += Math.max(0, Math.min(255, left + above - corner));
  }
  const rgba = new Uint32Array(width * height);
  for (let pixel = 0, at = 0; pixel < rgba.length; pixel++, at += 3) {
    rgba[pixel] = opaque(rgb[at], rgb[at + 1], rgb[at + 2]);
  }
  return rgba;
}

function* unpacked(size, zlib) {
  return size < TOO_SHORT_TO_PACK ? yield size : zlib.unpack(yield yield* length(), size);
}

/** Seven bits a byte, the lowest first, in at most three. */
function* length() {
  const [first] = yield 1;
  if (first < 128) return first;
  const [second] = yield 1;
  if (second < 128) return (first & 127) | (second << 7);
  const [third] = yield 1;
  return (first & 127) | ((second & 127) << 7) | (third << 14);
}
