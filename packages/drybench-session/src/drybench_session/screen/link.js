// Between the screen and the states: who uses it, what a cut or an end means, and what to do next.

import { ask, address, place } from "./place.js";
import { show, showCut, showEnded, shown } from "./states.js";

const CLOSED = { 4001: "elsewhere", 4002: "taken", 4004: "unshared", 4005: "no-app" };
const ENDED = 4003;
const GONE = [404, 424]; // the proxy or the Hub knows of no such session; anything else may pass
const SETTLED = ["stopped", "signed-out", "ended"]; // known, whatever a try that leads to nothing may say
const PATIENCE = 1000; // milliseconds between looks at a screen that is starting

export class Link extends EventTarget {
  #screen;
  #mode = "control";
  #taken = "ask";
  #drawn = false;
  #shows = true; // a window, as far as is known: without one there is only the ground
  #looking = false;
  #timer = 0;
  reconnects = 0;
  viewers = [];
  held = []; // guests who may work here, and only watch as long as their host works alone
  video = null; // what it measured last, while there is one
  why = null; // the picture comes as it does, where that was chosen

  /** The screen comes later, for it needs the address at once. */
  begin(screen) {
    this.#screen = screen;
    screen.addEventListener("state", ({ detail }) => this.#on(detail));
    screen.addEventListener("said", ({ detail }) => this.#hear(detail));
    screen.connect();
  }

  /** `viewer` is this window's own: after a cut it comes back to what it had. */
  address = () => {
    const query = { mode: this.#mode, taken: this.#taken, viewer: VIEWER };
    const url = address(`screens/${encodeURIComponent(place.app)}/stream`, query);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  };

  get watches() {
    return this.#mode === "watch";
  }

  use() {
    this.#connect("control", "take");
  }

  watch() {
    this.#connect("watch", "ask");
  }

  again() {
    this.#screen.connect();
  }

  /** What the one button of an ended screen does. */
  async start() {
    show("starting");
    try {
      await ask("POST", `screens/${place.app}`, { json: { action: "start" } });
    } catch {
      // the look below says what is wrong
    }
    this.#connect(this.#mode, "ask");
  }

  /** How the screen stands, as the server tells it; null when it does not answer. */
  async look() {
    try {
      return await ask("GET", `screens/${place.app}`);
    } catch {
      return null;
    }
  }

  #connect(mode, taken) {
    this.#mode = mode;
    this.#taken = taken;
    this.#screen.watch = mode === "watch";
    document.querySelector("#watching").hidden = mode !== "watch";
    this.#screen.connect();
  }

  #on({ state, code, seconds }) {
    if (state === "drawn") this.#onDrawn();
    else if (state === "connecting" && !this.#drawn && shown() !== "starting") show("connecting");
    else if (state === "waiting") this.#onCut(seconds);
    else if (state === "closed") this.#onClosed(code);
  }

  #onDrawn() {
    if (this.#drawn) this.reconnects += 1;
    this.#drawn = true;
    this.#taken = "ask";
    this.#unveil();
    this.dispatchEvent(new Event("drawn"));
  }

  /** Until there is something to see it says that it starts. */
  #unveil() {
    show(this.#shows ? null : "starting");
  }

  /** It goes on trying whatever is known, so a session that is started again, or signed into, comes back. */
  async #onCut(seconds) {
    const starting = shown() === "starting"; // then it may only take longer than the screen waits for it
    if (!starting && !SETTLED.includes(shown())) showCut(seconds);
    const answered = await this.#learn();
    if (starting && !answered) showCut(seconds);
  }

  #onClosed(code) {
    if (code === ENDED) this.#learn();
    else show(CLOSED[code] ?? "broken");
    document.querySelector("#watching").hidden = true;
  }

  #hear({ event, state, shows, viewers, held }) {
    if (event === "screen") this.#shows = shows ?? true; // a session may be older
    if (event === "screen" && state === "running" && this.#screen.state === "drawn") this.#unveil();
    if (event === "screen" && state === "ended") this.#learn();
    if (event !== "viewers") return;
    this.viewers = viewers;
    this.held = held ?? []; // a session may be older
    this.dispatchEvent(new Event("viewers"));
  }

  /** Silence says nothing about the screen; an answer does. Whether there was one. */
  async #learn() {
    if (this.#looking) return true;
    this.#looking = true;
    const answer = await this.look();
    this.#looking = false;
    if (answer) this.#take(answer);
    return answer !== null;
  }

  #take(answer) {
    if (answer.signedOut) show("signed-out");
    else if (GONE.includes(answer.status)) show("stopped");
    else if (answer.said?.state === "ended") showEnded(answer.said);
    else if (answer.said?.state === "starting") this.#awaitStart();
    else if (answer.said?.state === "running") this.#onRunning();
  }

  /** An answer from before it was drawn may have come after it, and said that it starts. */
  #onRunning() {
    if (this.#screen.state === "closed") this.#screen.connect();
    if (this.#screen.state === "drawn") this.#unveil();
  }

  #awaitStart() {
    show("starting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#learn(), PATIENCE);
  }
}

const VIEWER = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
