// A frame: rectangles of several encodings, some of which are no picture at all.

import { BYTES_A_PIXEL, ENCODING } from "./messages.js";
import { Nonsense, i32, u16, u32 } from "./incoming.js";
import { tight } from "./tight.js";

const UNTIL_SAID = 0xffff; // as many rectangles as there are before the one that is the last
const WIDEST = 16_384;
const MOST_PIXELS = 1 << 26;
const LARGEST_CURSOR = 1024;

/** `picture` is {width, height, zlib}; `hand` takes what was read. */
export function* frame(picture, hand) {
  const count = u16(yield 3, 1);
  for (let number = 0; number < count || count === UNTIL_SAID; number++) {
    const head = yield 12;
    const place = { x: u16(head, 0), y: u16(head, 2), width: u16(head, 4), height: u16(head, 6) };
    const encoding = i32(head, 8);
    if (encoding === ENCODING.LAST) break;
    const read = READERS.get(encoding);
    if (!read) throw new Nonsense(`encoding ${encoding} was never asked for`);
    yield* read(place, picture, hand);
  }
  hand.show();
}

/** Before memory is made for it. */
export function checkedSize(width, height) {
  if (!width || !height || Math.max(width, height) > WIDEST || width * height > MOST_PIXELS) {
    throw new Nonsense(`a screen of ${width} × ${height}`);
  }
  return { width, height };
}

function inside({ x, y, width, height }, picture) {
  if (x + width > picture.width || y + height > picture.height) throw new Nonsense("a rectangle beyond the screen");
}

const READERS = new Map([
  [ENCODING.RAW, raw],
  [ENCODING.COPY, copy],
  [ENCODING.TIGHT, packed],
  [ENCODING.CURSOR, cursor],
  [ENCODING.DESKTOP_SIZE, size],
  [ENCODING.EXTENDED_SIZE, screens],
]);

function* raw(place, picture, hand) {
  inside(place, picture);
  const rgba = new Uint8ClampedArray(yield place.width * place.height * BYTES_A_PIXEL);
  for (let at = 3; at < rgba.length; at += BYTES_A_PIXEL) rgba[at] = 255;
  hand.draw({ kind: "pixels", ...place, rgba });
}

function* copy(place, picture, hand) {
  inside(place, picture);
  const from = yield 4;
  const source = { x: u16(from, 0), y: u16(from, 2) };
  inside({ ...place, ...source }, picture);
  hand.draw({ kind: "copy", ...place, from: source });
}

function* packed(place, picture, hand) {
  inside(place, picture);
  hand.draw(yield* tight(place, picture.zlib));
}

/** The place is the point that points; colours are multiplied by alpha already. */
function* cursor({ x, y, width, height }, _picture, hand) {
  if (Math.max(width, height) > LARGEST_CURSOR) throw new Nonsense("a cursor larger than a screen");
  if (u32(yield 4, 0) !== ENCODING.RAW) throw new Nonsense("a cursor in another encoding than its own");
  hand.cursor({ x, y, width, height, rgba: (yield width * height * 4).slice() });
}

function* size({ width, height }, picture, hand) {
  Object.assign(picture, checkedSize(width, height));
  hand.draw({ kind: "size", width, height });
  hand.resized({});
}

/** Also the answer to a wish for another size: then `refused` says whether it was granted. */
function* screens({ x: reason, y: result, width, height }, picture, hand) {
  const [count] = yield 4;
  const all = yield count * 16;
  const screen = count ? { id: u32(all, 0), flags: u32(all, 12) } : { id: 0, flags: 0 };
  const refused = reason === 1 && result !== 0;
  if (!refused && (width !== picture.width || height !== picture.height)) {
    Object.assign(picture, checkedSize(width, height));
    hand.draw({ kind: "size", width, height });
  }
  hand.resized({ screen, refused });
}
