// Off the page's thread: the socket, all reading and decoding. Whatever the page does meanwhile, and however busy the
// desktop is, neither waits for the other; what is left for the page is to draw what is ready.

import { TooLong } from "./clipboard_text.js";
import { Painter } from "./painter.js";
import { Viewer } from "./viewer.js";

const QUIET = 5000; // milliseconds without a word from the server, before it is asked whether it is there
const MOST_UNSENT = 1 << 16; // bytes: beyond that the pointer's way is left out
const LONGEST_SAID = 1 << 20;

const tell = (said, transfer = []) => postMessage(said, transfer);

const painter = new Painter(
  (number, operations, transfer) => tell({ event: "frame", number, operations }, transfer),
  () => connection?.nonsense("a picture that is none"),
);
let connection = null;
const wishes = { quality: "auto", size: null, visible: true };

class Connection {
  #socket;
  #viewer;
  #heard = performance.now();
  #patience;
  #silence = 0; // the timer while an answer is awaited
  #before = { frames: 0, moved: 0, bytes: 0, time: performance.now() };
  #bytes = 0;
  watch;

  constructor({ address, watch, patience, opening }) {
    this.watch = watch;
    this.#patience = patience;
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = ({ code }) => this.end({ event: "closed", code });
    const size = watch ? null : wishes.size;
    const send = (bytes) => this.#write(bytes);
    const nonsense = (reason) => this.nonsense(reason);
    this.#viewer = new Viewer({ send, painter, tell, nonsense, quality: wishes.quality, size });
    this.#viewer.visible = wishes.visible;
    this.#await(opening);
  }

  get viewer() {
    return this.#viewer;
  }

  /** Whatever is said of it after that does not count. */
  end(said = null) {
    clearTimeout(this.#silence);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#viewer.end();
    if (connection === this) connection = null;
    if (said) tell(said);
  }

  nonsense(reason) {
    this.end({ event: "closed", code: 0, reason });
  }

  /** Keys, and the pointer, which may be left out (`light`) where it would only make the queue longer. */
  input(bytes, light) {
    if (this.watch || !this.#viewer.picture || (light && this.#socket.bufferedAmount > MOST_UNSENT)) return;
    this.#write(bytes);
    if (performance.now() - this.#heard > QUIET) this.check();
  }

  /** A cut line says nothing: without an answer it counts as cut. */
  check() {
    if (this.#silence) return;
    this.#viewer.ask();
    this.#await(this.#patience);
  }

  /** Also who only looks must not take an old picture for what is there now. */
  measured() {
    const now = performance.now();
    if (now - this.#heard > QUIET) this.check();
    const seconds = (now - this.#before.time) / 1000;
    const frames = (this.#viewer.frames - this.#before.frames) / seconds;
    const bytes = (this.#bytes - this.#before.bytes) / seconds;
    const { width = 0, height = 0 } = this.#viewer.picture ?? {};
    const moved = (this.#viewer.moved - this.#before.moved) / Math.max(1, width * height) / seconds;
    this.#before = { frames: this.#viewer.frames, moved: this.#viewer.moved, bytes: this.#bytes, time: now };
    const { roundTrip, lag, shortest, quality } = this.#viewer;
    tell({ event: "measured", roundTrip, lag, shortest, frames, bytes, moved, quality, width, height });
    this.#viewer.ask();
  }

  #await(milliseconds) {
    this.#silence = setTimeout(() => this.end({ event: "closed", code: 1006 }), milliseconds);
  }

  #take(data) {
    this.#heard = performance.now();
    clearTimeout(this.#silence);
    this.#silence = 0;
    try {
      if (typeof data === "string") return this.#said(data);
      this.#bytes += data.byteLength;
      this.#viewer.push(new Uint8Array(data));
    } catch (error) {
      this.nonsense(error.message);
    }
  }

  #said(text) {
    if (text.length > LONGEST_SAID) throw new RangeError("more is said than can be heard");
    tell({ event: "said", said: JSON.parse(text) });
  }

  #write(bytes) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }
}

let measuring = 0;

const DO = {
  drawn: ({ number }) => painter.drawn(number),
  open(wanted) {
    connection?.end();
    connection = new Connection(wanted);
  },
  close: () => connection?.end(),
  check: () => connection?.check(),
  input: ({ bytes, light }) => connection?.input(bytes, light),
  quality({ quality }) {
    wishes.quality = quality;
    if (connection) connection.viewer.quality = quality;
  },
  size({ size }) {
    wishes.size = size;
    if (connection && !connection.watch) connection.viewer.size = size;
  },
  watch({ watch }) {
    if (!connection) return;
    connection.watch = watch;
    connection.viewer.size = watch ? null : wishes.size;
  },
  visible({ visible }) {
    wishes.visible = visible;
    if (connection) connection.viewer.visible = visible;
  },
  text({ text }) {
    if (!connection || connection.watch) return;
    try {
      connection.viewer.text = text;
    } catch (error) {
      if (!(error instanceof TooLong)) throw error;
      tell({ event: "refused", what: "pasted" });
    }
  },
  /** Once a second, and only while somebody wants to know. */
  measure({ on }) {
    clearInterval(measuring);
    measuring = on ? setInterval(() => connection?.measured(), 1000) : 0;
  },
};

onmessage = ({ data }) => DO[data.do](data);
