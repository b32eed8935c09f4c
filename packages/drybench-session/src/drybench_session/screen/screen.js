// A screen of a session, in an element of a page. How it is spoken to is in worker.js.
//
//   const screen = new Screen(host, { address: () => "wss://…/stream", size: "window" });
//   screen.addEventListener("state", ({ detail }) => …);
//   screen.connect();

import { Clipboard } from "./clipboard.js";
import { styles } from "./cursor.js";
import { Drawing } from "./drawing.js";
import { placed, wanted } from "./fitting.js";
import { Keyboard } from "./keyboard.js";
import { key, pointer } from "./messages.js";
import { Pointer } from "./pointer.js";
import { Touch } from "./touch.js";
import { isForGood, pause } from "./trying_again.js";

const TOO_LONG = {
  pasted: "This text is longer than 8 MB. Put it into a file and drop that on the desktop.",
  copied: "The text copied in the desktop is longer than 8 MB, so it stays there. Save it to a file to take it along.",
};
let TOLD = {}; // what the worker tells, by name

const PATIENCE = 8000; // milliseconds for the server to say that it is there
const OPENING = 20_000; // milliseconds for the first word on a new connection: a browser itself would wait for minutes
const AFTER_RESIZING = 120; // milliseconds in which a window keeps its size

export class Screen extends EventTarget {
  #host;
  #options;
  #frame = document.createElement("div");
  #canvas = document.createElement("canvas");
  #drawing = new Drawing(this.#canvas);
  #field = document.createElement("textarea");
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #keyboard;
  #pointers = [];
  #clipboard = new Clipboard((text) => this.paste(text));
  #picture = { width: 1, height: 1 };
  #place = { factor: 1 };
  #cursor = null;
  #state = "closed";
  #tries = 0;
  #timer = 0;
  #resizing = 0;
  #measuring = new Set();
  #covered = false;
  #ending = new AbortController();
  #observer = new ResizeObserver(() => this.#hostResized());

  constructor(host, options) {
    super();
    this.#host = host;
    const times = { patience: PATIENCE, opening: OPENING };
    this.#options = { watch: false, size: "window", scale: undefined, quality: "auto", ...times, ...options };
    this.#build();
    this.#listen();
    this.#do("quality", { quality: this.#options.quality });
  }

  /** What the desktop is, in its own pixels. */
  get width() {
    return this.#picture.width;
  }

  get height() {
    return this.#picture.height;
  }

  get state() {
    return this.#state;
  }

  connect() {
    clearTimeout(this.#timer);
    this.#say("connecting");
    this.#wish();
    this.#clipboard.forget();
    const { address, patience, opening } = this.#options;
    this.#do("open", { address: address(), watch: this.watch, patience, opening });
  }

  /** For good: the element is empty again. */
  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#resizing);
    this.#keyboard.release();
    this.#do("close");
    this.#observer.disconnect();
    this.#ending.abort();
    this.#worker.terminate();
    this.#frame.remove();
    if (this.#state !== "closed") this.#say("closed");
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  get watch() {
    return this.#options.watch;
  }

  set watch(watch) {
    this.#keyboard.release();
    this.#options.watch = Boolean(watch);
    this.#do("watch", { watch: this.watch });
    this.#pointCursor();
  }

  get size() {
    return this.#options.size;
  }

  set size(size) {
    this.#options.size = size;
    this.#wish();
    this.#fit();
  }

  get scale() {
    return this.#options.scale ?? devicePixelRatio;
  }

  set scale(scale) {
    this.#options.scale = scale;
    this.#hostResized();
  }

  get quality() {
    return this.#options.quality;
  }

  set quality(quality) {
    this.#options.quality = quality;
    this.#do("quality", { quality });
  }

  /** Something else shows the picture: then it need not come here, too. Keys and mouse go on. */
  set covered(covered) {
    this.#covered = covered;
    this.#do("visible", { visible: !covered && !document.hidden });
  }

  /** By X's names: `screen.press(["Control_L", "Alt_L", "Delete"])`. */
  press(names) {
    this.#keyboard.press(names);
  }

  /** Modifiers, by X's names, for the next key; `over` is told when it has been pressed. None lets go of all. */
  hold(names, over) {
    this.#keyboard.hold(names, over);
  }

  /** Gives the desktop's clipboard this text; what to paste it with differs from program to program. */
  paste(text) {
    this.#do("text", { text });
  }

  /** What was copied in the desktop; also for a text that came another way. */
  copied(text) {
    this.#clipboard.copied(text);
    this.#tell("copied", { text });
  }

  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    if (type === "measured") this.#measure(this.#measuring.add(listener));
  }

  removeEventListener(type, listener, options) {
    super.removeEventListener(type, listener, options);
    if (type === "measured" && this.#measuring.delete(listener)) this.#measure(this.#measuring);
  }

  #measure({ size }) {
    this.#do("measure", { on: size > 0 });
  }

  #build() {
    Object.assign(this.#frame.style, { position: "relative", width: "100%", height: "100%", overflow: "hidden" });
    Object.assign(this.#canvas.style, { position: "absolute", display: "block", touchAction: "none" });
    Object.assign(this.#field.style, {
      position: "absolute", left: "0", top: "0", width: "1px", height: "1px", padding: "0", border: "0", opacity: "0",
      resize: "none", overflow: "hidden", caretColor: "transparent", fontSize: "16px", pointerEvents: "none",
    });
    for (const [name, value] of Object.entries({ autocapitalize: "off", autocomplete: "off", spellcheck: "false" })) {
      this.#field.setAttribute(name, value);
    }
    this.#field.setAttribute("aria-label", "Keyboard of the desktop");
    this.#frame.append(this.#field, this.#canvas);
    this.#host.replaceChildren(this.#frame);
  }

  #listen() {
    const { signal } = this.#ending;
    this.#worker.onmessage = ({ data }) => TOLD[data.event].call(this, data);
    this.#keyboard = new Keyboard(this.#field, (...said) => this.#key(...said), (data) => this.#pasted(data));
    const point = (...said) => this.#point(...said);
    this.#pointers = [new Pointer(this.#canvas, point), new Touch(this.#canvas, point, () => this.focus())];
    this.#canvas.addEventListener("pointerdown", ({ pointerType }) => {
      if (pointerType !== "touch") this.focus();
      this.#clipboard.gesture();
    });
    this.#field.addEventListener("keydown", () => this.#clipboard.gesture());
    this.#observer.observe(this.#frame);
    addEventListener("resize", () => this.#hostResized(), { signal }); // also where only the device's pixels change
    addEventListener("focus", () => this.#clipboard.look(), { signal });
    addEventListener("blur", () => this.#keyboard.release(), { signal });
    addEventListener("online", () => this.#back(), { signal });
    document.addEventListener("visibilitychange", () => this.#visible(), { signal });
  }

  #do(what, said = {}, transfer = []) {
    this.#worker.postMessage({ do: what, ...said }, transfer);
  }

  #say(state, more = {}) {
    this.#state = state;
    this.#tell("state", { state, ...more });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #key(keysym, down) {
    if (!this.watch) this.#do("input", { bytes: key(keysym, down) });
  }

  #point(clientX, clientY, buttons, light = false) {
    if (this.watch) return;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const at = (length, most) => Math.max(0, Math.min(most - 1, Math.floor(length / this.#place.factor)));
    const x = at(clientX - left, this.width);
    const y = at(clientY - top, this.height);
    this.#do("input", { bytes: pointer(x, y, buttons), light });
  }

  /** Whoever listens may take its files, and let the key wait until the desktop has them. */
  async #pasted(data) {
    if (this.watch) return;
    this.#clipboard.pasted(data.getData("text/plain"));
    const waits = [];
    const files = [...data.files];
    if (files.length) this.#tell("pasting", { files, wait: (promise) => waits.push(promise) });
    await Promise.allSettled(waits);
  }

  #visible() {
    const visible = !document.hidden;
    this.#do("visible", { visible: visible && !this.#covered });
    if (visible) this.#back();
    else this.#keyboard.release();
  }

  /** From sleep, or to a network: whether the connection still is one, nobody knows. */
  #back() {
    if (this.#state === "waiting") this.connect();
    else if (this.#state === "drawn") this.#do("check");
  }

  #hostResized() {
    this.#fit();
    clearTimeout(this.#resizing);
    this.#resizing = setTimeout(() => this.#wish(), AFTER_RESIZING);
  }

  #wish() {
    clearTimeout(this.#resizing);
    if (this.size === null) return; // as it is
    const { width, height } = this.#frame.getBoundingClientRect();
    if (!width || !height) return; // nobody sees it now
    const size = this.size === "window" ? [width * this.scale, height * this.scale] : this.size;
    this.#do("size", { size: wanted(...size) });
  }

  #fit() {
    const host = this.#frame.getBoundingClientRect();
    this.#place = placed(this.#picture, host, this.scale);
    const { width, height, left, top } = this.#place;
    const css = Object.entries({ width, height, left, top }).map(([name, length]) => [name, `${length}px`]);
    Object.assign(this.#canvas.style, Object.fromEntries(css));
    this.#pointCursor();
  }

  #pointCursor() {
    const all = this.#cursor && !this.watch ? styles(this.#cursor, 1 / this.#place.factor) : ["default"];
    for (const style of all) this.#canvas.style.cursor = style;
  }

  #closed(code, reason) {
    this.#keyboard.release();
    if (isForGood(code)) return this.#say("closed", { code, reason });
    const seconds = pause(this.#tries++);
    this.#timer = setTimeout(() => this.connect(), seconds * 1000);
    this.#say("waiting", { code, seconds });
  }

  static {
    TOLD = {
      frame({ number, operations }) {
        this.#drawing.draw(operations);
        this.#do("drawn", { number });
      },
      size({ width, height }) {
        this.#picture = { width, height };
        this.#fit();
      },
      drawn() {
        this.#tries = 0;
        this.#say("drawn");
      },
      closed({ code, reason }) {
        this.#closed(code, reason);
      },
      cursor(cursor) {
        this.#cursor = cursor;
        this.#pointCursor();
      },
      copied({ text }) {
        this.copied(text);
      },
      refused({ what }) {
        this.#tell("refused", { what, sentence: TOO_LONG[what] });
      },
      said({ said }) {
        this.#tell("said", said);
      },
      measured({ event: _, ...measured }) {
        this.#tell("measured", measured);
      },
      bell() {
        this.#tell("bell");
      },
    };
  }
}
