// What a viewer says in RFB, as bytes. See RFC 6143, and the community's rfbproto for the extensions.

export const ENCODING = {
  RAW: 0,
  COPY: 1,
  TIGHT: 7,
  BEST_JPEG: -23, // nine below it down to the smallest
  COMPRESSION_2: -254,
  DESKTOP_SIZE: -223,
  LAST: -224,
  EXTENDED_SIZE: -308,
  FENCE: -312,
  CONTINUOUS: -313,
  CURSOR: -314, // with alpha
  CLIPBOARD: -1063131698, // 0xC0A1E5CE, the extended one
};

/** Red, green, blue and one byte to spare: as a canvas has them. */
export const BYTES_A_PIXEL = 4;

export const FENCE = { BLOCK_BEFORE: 1, REQUEST: 0x80000000 };

export const VERSION = new TextEncoder().encode("RFB 003.008\n");

/** What the bytes of a number are: `u8(1), u16(2), u32(3)` one behind the other. */
const u8 = (value) => [value & 0xff];
const u16 = (value) => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value) => [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
const message = (...parts) => Uint8Array.from(parts.flat());

export const choose = (security) => message(u8(security));

/** Others may look on: who controls is decided before the stream begins. */
export const begin = () => message(u8(1));

export const pixelFormat = () =>
  message(u8(0), [0, 0, 0], [32, 24, 0, 1], u16(255), u16(255), u16(255), [0, 8, 16], [0, 0, 0]);

export const encodings = (wanted) => message(u8(2), [0], u16(wanted.length), ...wanted.map(u32));

export const update = (whole, { x, y, width, height }) =>
  message(u8(3), u8(whole ? 0 : 1), ...[x, y, width, height].map(u16));

export const key = (keysym, down) => message(u8(4), u8(down ? 1 : 0), [0, 0], u32(keysym));

export const pointer = (x, y, buttons) => message(u8(5), u8(buttons), u16(x), u16(y));

/** One screen as large as the whole. */
export const resize = (width, height, { id, flags }) =>
  message(u8(251), [0], u16(width), u16(height), u8(1), [0], u32(id), u16(0), u16(0), u16(width), u16(height), u32(flags));

export const continuous = (on, width, height) => message(u8(150), u8(on ? 1 : 0), u16(0), u16(0), u16(width), u16(height));

export const fence = (flags, payload) => message(u8(248), [0, 0, 0], u32(flags), u8(payload.length), [...payload]);

/** Of the extended clipboard: a length below nothing says so. */
export function clipboard(flags, payload = new Uint8Array(0)) {
  const head = message(u8(6), [0, 0, 0], u32(-(4 + payload.length)), u32(flags));
  const whole = new Uint8Array(head.length + payload.length);
  whole.set(head);
  whole.set(payload, head.length);
  return whole;
}

/** `jpeg` from 0, the smallest, to 9; null is without loss. */
export const wishes = (jpeg) => [
  ENCODING.TIGHT,
  ENCODING.COPY,
  ENCODING.RAW,
  ...(jpeg === null ? [] : [ENCODING.BEST_JPEG - 9 + jpeg]),
  ENCODING.COMPRESSION_2,
  ENCODING.LAST,
  ENCODING.CURSOR,
  ENCODING.DESKTOP_SIZE,
  ENCODING.EXTENDED_SIZE,
  ENCODING.FENCE,
  ENCODING.CONTINUOUS,
  ENCODING.CLIPBOARD,
];
