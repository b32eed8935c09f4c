// How well it goes: shown on demand, and told to the bench once a minute, so that its keeper can see it.

import { ask, place } from "./place.js";
import { say } from "./words.js";

const SHOWN = 60; // seconds in the little drawing
const TOLD_EVERY = 60; // seconds
const WIDTH = 120;
const HEIGHT = 32;

export class Meter {
  #link;
  #bar;
  #seen = [];
  #since = [];
  #reconnects = 0;

  constructor(screen, link, bar) {
    this.#link = link;
    this.#bar = bar;
    screen.addEventListener("measured", ({ detail }) => this.#measure(detail));
    bar.addEventListener("panel", ({ detail }) => detail.id === "quality" && detail.shows && this.#open());
    addEventListener("pagehide", () => this.#tell(true));
  }

  #measure(detail) {
    const measured = { ...detail, ...this.#ofVideo(detail) };
    this.#seen = [...this.#seen, measured].slice(-SHOWN);
    this.#since.push(measured);
    if (this.#since.length >= TOLD_EVERY) this.#tell(false);
    if (this.#bar.shows("quality")) this.#show(measured);
  }

  /** It brings the picture then, and what the screen's own line carries comes on top. */
  #ofVideo({ bytes }) {
    const video = this.#link.video;
    return video && { frames: video.frames, bytes: bytes + video.bytes, quality: "video" };
  }

  async #open() {
    if (this.#seen.length) this.#show(this.#seen.at(-1));
    const answer = await this.#link.look();
    if (answer?.said) write("opengl", opengl(answer.said.opengl));
  }

  #show({ roundTrip, frames, bytes, quality, width, height }) {
    write("trip", isNumber(roundTrip) ? say("trip", { number: Math.round(roundTrip) }) : "–");
    write("frames", say("frames", { number: Math.round(frames) }));
    write("bytes", say("bandwidth", { number: megabits(bytes) }));
    write("why", this.#link.why ? say(`why-${this.#link.why}`) : "–");
    write("quality", isNumber(quality) ? say("level", { number: quality }) : (known(quality) ?? "–"));
    write("size", `${width} × ${height}`);
    this.#draw(this.#seen.map((each) => each.roundTrip).filter(isNumber));
  }

  #draw(trips) {
    const most = Math.max(20, ...trips);
    const left = WIDTH - ((trips.length - 1) * WIDTH) / (SHOWN - 1);
    const points = trips.map((trip, number) => [left + (number * WIDTH) / (SHOWN - 1), HEIGHT - 2 - (trip / most) * (HEIGHT - 4)]);
    document.querySelector("#spark polyline").setAttribute("points", points.map((point) => point.map((at) => at.toFixed(1))).join(" "));
    document.querySelector("#spark-most").textContent = trips.length ? say("most", { number: Math.round(Math.max(...trips)) }) : "";
  }

  /** Also from a page that is being closed. */
  #tell(end) {
    const seen = this.#since;
    if (!seen.length) return;
    const trips = seen.map(({ roundTrip }) => roundTrip).filter(isNumber).sort((a, b) => a - b);
    const { width, height, quality } = seen.at(-1);
    const json = {
      seconds: seen.length,
      round_trip_p50: quantile(trips, 0.5),
      round_trip_p95: quantile(trips, 0.95),
      frames: seen.reduce((sum, { frames }) => sum + frames, 0) / seen.length,
      bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
      quality: String(quality),
      reconnects: this.#link.reconnects - this.#reconnects,
      width,
      height,
      end,
    };
    this.#since = [];
    this.#reconnects = this.#link.reconnects;
    ask("POST", "trace", { query: { app: place.app }, json, keepalive: true }).catch(() => {});
  }
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
const known = (word) => (["auto", "sharp", "video"].includes(word) ? say(word) : null);
const opengl = (name) => (["software", "starting", "unknown", "missing"].includes(name) ? say(name) : name);

function megabits(bytes) {
  const number = (bytes * 8) / 1e6;
  return number < 10 ? number.toFixed(1) : Math.round(number);
}

function write(id, text) {
  document.querySelector(`#m-${id}`).textContent = text;
}
