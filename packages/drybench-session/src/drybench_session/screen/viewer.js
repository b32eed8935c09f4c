// One connection to a screen: answers what the server says, and says what is wished. It knows no socket, no canvas and
// no page: bytes go out by `send`, pictures to a `painter`, all else by `tell`; `nonsense` is for what comes to light late.

import { ACTION, TEXT, TooLong, capabilities, pack, refuseTooLong, unpack } from "./clipboard_text.js";
import { conversation } from "./conversation.js";
import { Incoming } from "./incoming.js";
import * as messages from "./messages.js";
import { FINEST, Quality, STILL } from "./quality.js";
import { Sharpening } from "./sharpening.js";

const OURS = 0x5d; // the first byte of our own fences
const MEASURE_AGAIN = 1000; // milliseconds
const FULL = 400; // milliseconds without an answer: before it comes what is to be drawn
const ON_ITS_WAY = 1000; // milliseconds in which coarse pictures still come after finer ones were asked for

export class Viewer {
  #incoming;
  #send;
  #painter;
  #tell;
  #nonsense;
  #picture = null;
  #screen = null; // as the server names it: until it has, it knows no other size
  #size = null; // wished
  #asked = "";
  #wish;
  #automatic = new Quality();
  #jpeg = STILL;
  #sharpening = new Sharpening((band) => this.#sharpen(band), () => this.#awaited > FULL);
  #continuous = false;
  #visible = true;
  #text = null;
  #fences = new Map(); // of ours: when they were sent
  #lastFence = 0;
  #canFence = false;
  #pixels = 0; // of this frame, by JPEG
  #isPicture = false; // this frame, more than a size or a cursor
  #measured = 0; // when
  #coarse = -Infinity; // when coarse pictures were asked for, the last time
  frames = 0;
  moved = 0; // pixels that came by JPEG, and not because they were asked for once more
  roundTrip = null;
  drawn = false;

  constructor({ send, painter, tell, nonsense, quality, size }) {
    this.#send = send;
    this.#painter = painter;
    this.#tell = tell;
    this.#nonsense = nonsense;
    this.#wish = quality;
    this.#size = size;
    this.#incoming = new Incoming(conversation(this.#hand()));
  }

  push(bytes) {
    this.#incoming.push(bytes);
  }

  get picture() {
    return this.#picture;
  }

  get quality() {
    return this.#jpeg ?? "sharp";
  }

  /** How long an answer takes now, in milliseconds, also one that is not there yet; and the quickest there was. */
  get lag() {
    return Math.max(this.roundTrip ?? 0, this.#awaited);
  }

  get shortest() {
    return this.#automatic.shortest;
  }

  set quality(wish) {
    this.#wish = wish;
    this.#sharpening.stop();
    this.#choose();
  }

  /** In the server's pixels; null leaves it as it is. */
  set size(size) {
    this.#size = size;
    this.#asked = "";
    this.#resize();
  }

  /** Nothing is drawn for who does not look. */
  set visible(visible) {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (this.#continuous) this.#go(visible);
  }

  set text(text) {
    refuseTooLong(text);
    this.#text = text;
    if (this.#picture) this.#announce();
  }

  /** Asks for an answer. False where one is on its way already, or none can be had. */
  ask() {
    if (!this.#canFence || this.#fences.size) return false;
    const number = ++this.#lastFence & 0xff;
    this.#fences.set(number, performance.now());
    this.#send(messages.fence((messages.FENCE.REQUEST | messages.FENCE.BLOCK_BEFORE) >>> 0, [OURS, number]));
    return true;
  }

  end() {
    this.#sharpening.stop();
    this.#painter.forget();
    this.#send = () => {};
  }

  #hand() {
    return {
      send: (bytes) => this.#send(bytes),
      begun: (picture) => this.#begun(picture),
      draw: (operation) => this.#draw(operation),
      show: () => this.#show(),
      cursor: (cursor) => this.#tell({ event: "cursor", ...cursor }),
      resized: (said) => this.#resized(said),
      continuous: () => this.#goOn(),
      fence: (flags, payload) => this.#fence(flags, payload),
      bell: () => this.#tell({ event: "bell" }),
      clipboard: (flags, payload) => this.#clipboard(flags, payload),
    };
  }

  #begun(picture) {
    this.#picture = picture;
    this.#send(messages.pixelFormat());
    this.#jpeg = this.#wished(() => STILL);
    this.#send(messages.encodings(messages.wishes(this.#jpeg)));
    this.#send(messages.update(true, whole(picture)));
    this.#painter.draw({ kind: "size", ...whole(picture) });
    this.#tell({ event: "size", width: picture.width, height: picture.height });
  }

  #draw(operation) {
    this.#painter.draw(operation);
    if (operation.kind !== "size") this.#isPicture = true;
    if (operation.kind === "jpeg") {
      this.#pixels += operation.width * operation.height;
      this.moved += this.#sharpening.unasked(operation);
    }
    if (this.#wish === "auto") this.#sharpening.seen(operation, operation.kind === "jpeg" && this.#isCoarse());
  }

  #show() {
    const now = performance.now();
    const isPicture = this.#isPicture;
    this.#painter.show(() => isPicture && this.#shown());
    if (this.#wish === "auto" && this.#pixels) {
      this.#automatic.seen(now, this.#pixels);
      this.#sharpening.moved(now, this.#picture);
      this.#choose();
      if (now - this.#measured > MEASURE_AGAIN && this.ask()) this.#measured = now;
    }
    this.#pixels = 0;
    this.#isPicture = false;
    if (!this.#continuous) this.#send(messages.update(false, whole(this.#picture)));
  }

  #isCoarse() {
    const now = performance.now();
    if (this.#jpeg < STILL) this.#coarse = now;
    return now - this.#coarse < ON_ITS_WAY;
  }

  #shown() {
    this.frames++;
    if (this.drawn) return;
    this.drawn = true;
    this.#tell({ event: "drawn" });
  }

  #choose() {
    if (!this.#picture || this.#sharpening.active) return;
    const { width, height } = this.#picture;
    const jpeg = this.#wished(() => this.#automatic.level(performance.now(), width * height));
    this.#encode(jpeg);
  }

  #encode(jpeg) {
    if (jpeg === this.#jpeg) return;
    this.#jpeg = jpeg;
    this.#send(messages.encodings(messages.wishes(jpeg)));
  }

  /** A level of JPEG, or null for none. */
  #wished(automatic) {
    if (this.#wish === "auto") return automatic();
    return this.#wish === "sharp" ? null : this.#wish;
  }

  #sharpen(band) {
    if (band) {
      this.#encode(FINEST);
      this.#send(messages.update(true, band));
    } else {
      this.#automatic.rested();
      this.#coarse = -Infinity;
      this.#choose();
    }
  }

  #resized({ screen, refused }) {
    this.#screen = screen ?? this.#screen;
    const { width, height } = this.#picture;
    this.#painter.after(() => this.#tell({ event: "size", width, height }));
    if (refused) return;
    if (this.#continuous && this.#visible) this.#go(true);
    this.#resize();
  }

  #resize() {
    if (!this.#size || !this.#screen) return;
    const [width, height] = this.#size;
    const wish = `${width}×${height}`;
    const there = width === this.#picture.width && height === this.#picture.height;
    if (there || wish === this.#asked) return;
    this.#asked = wish; // one that was refused is not asked for again
    this.#send(messages.resize(width, height, this.#screen));
  }

  /** The server says this when it can, and when it stops because we said so. */
  #goOn() {
    if (this.#continuous) return;
    this.#continuous = true;
    this.#go(this.#visible);
  }

  #go(on) {
    this.#send(messages.continuous(on, this.#picture.width, this.#picture.height));
  }

  /** Answered when all before it can be seen: so the server learns how much it may send ahead. */
  #fence(flags, payload) {
    this.#canFence = true;
    if ((flags & messages.FENCE.REQUEST) !== 0) {
      const answer = messages.fence(flags & 7, payload);
      this.#painter.after(() => this.#send(answer));
    } else if (payload[0] === OURS && this.#fences.has(payload[1])) {
      this.#painter.after(() => this.#answered(payload[1]));
    }
  }

  /** For how long, in milliseconds. */
  get #awaited() {
    const [asked = Infinity] = this.#fences.values();
    return Math.max(0, performance.now() - asked);
  }

  #answered(number) {
    this.roundTrip = performance.now() - this.#fences.get(number);
    this.#fences.clear();
    this.#automatic.roundTrip(this.roundTrip);
  }

  /** What is not too long comes by itself, so what is only announced is too long. */
  #clipboard(flags, payload) {
    if (flags & ACTION.CAPABLE) {
      const ours = capabilities();
      this.#send(messages.clipboard(ours.flags, ours.payload));
      if (this.#text !== null) this.#announce();
    } else if (flags & ACTION.ASK) this.#provide();
    else if (flags & ACTION.PEEK) this.#announce();
    else if (flags & ACTION.PROVIDE && flags & TEXT) this.#copied(payload.slice());
    else if (flags & ACTION.ANNOUNCE && flags & TEXT) this.#tell({ event: "refused", what: "copied" });
  }

  #announce() {
    this.#send(messages.clipboard(ACTION.ANNOUNCE | (this.#text === null ? 0 : TEXT)));
  }

  async #provide() {
    if (this.#text === null) return;
    try {
      this.#send(messages.clipboard(ACTION.PROVIDE | TEXT, await pack(this.#text)));
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      this.#tell({ event: "refused", what: "pasted" });
    }
  }

  async #copied(packed) {
    this.#text = null; // what the browser has is the older one now
    try {
      this.#tell({ event: "copied", text: await unpack(packed) });
    } catch (error) {
      if (error instanceof TooLong) this.#tell({ event: "refused", what: "copied" });
      else this.#nonsense(error.message);
    }
  }
}

const whole = ({ width, height }) => ({ x: 0, y: 0, width, height });
