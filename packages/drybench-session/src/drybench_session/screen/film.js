// The picture as video, where the person wants it so, or where it is left to us and measured to be better: laid over the
// screen, which goes on with keys and mouse.

import { chosen } from "./choices.js";
import { BEGINNING, failed, next } from "./choosing.js";
import { notify } from "./notices.js";
import { address, place } from "./place.js";
import { Video, codecHere } from "./video.js";
import { say } from "./words.js";

export class Film {
  #screen;
  #link;
  #video = null;
  #codec = null;
  #drawn = false;
  #leaving = false;
  #choice = BEGINNING;

  /** `offer` is told when this session and this browser have video. */
  constructor(screen, link, offer) {
    this.#screen = screen;
    this.#link = link;
    screen.addEventListener("state", ({ detail }) => (detail.state === "drawn" ? this.choose() : this.#stop()));
    screen.addEventListener("measured", ({ detail }) => this.#measure(detail));
    this.#ask(offer);
  }

  /** As it was chosen; the screen itself comes first, and again when video does not. */
  choose() {
    const { quality } = chosen();
    const automatic = quality === "auto";
    if (!automatic) this.#choice = BEGINNING; // whoever chooses is not argued with
    const wanted = quality === "video" || (automatic && this.#choice.picture === "video");
    this.#link.why = automatic ? this.#choice.why : "chosen";
    if (!wanted) this.#leave();
    else if (this.#codec && this.#screen.state === "drawn") this.#enter();
  }

  #measure({ width, height, ...measured }) {
    if (this.#leaving) this.#stop();
    if (!this.#codec || document.hidden || this.#screen.state !== "drawn") return;
    const video = this.#drawn ? this.#link.video : null;
    this.#choice = next(this.#choice, { ...measured, pixels: width * height, video });
    this.choose();
  }

  async #ask(offer) {
    const answer = await this.#link.look();
    if (!answer?.said?.video) return;
    this.#codec = await codecHere();
    if (!this.#codec) return;
    offer();
    this.choose();
  }

  #enter() {
    this.#leaving = false;
    if (!this.#video) this.#start();
    else if (this.#drawn) this.#screen.covered = true;
  }

  #start() {
    const url = address(`screens/${encodeURIComponent(place.app)}/video`, { codec: this.#codec });
    url.protocol = url.protocol.replace("http", "ws");
    const video = new Video(document.querySelector("#screen"), url, this.#codec);
    this.#video = video;
    video.addEventListener("measured", ({ detail }) => (this.#link.video = detail));
    video.addEventListener("state", ({ detail }) => {
      if (video !== this.#video) return;
      if (detail.state === "closed") return this.#failed();
      this.#drawn = true;
      this.#screen.covered = !this.#leaving;
    });
  }

  #failed() {
    this.#stop();
    this.#choice = failed(this.#choice);
    if (chosen().quality === "video") notify(say("no-video"), { seconds: 8 });
  }

  /** It stays until the next measure, for what lies under it is old: the screen's own picture comes first. */
  #leave() {
    if (!this.#video) return;
    this.#leaving = true;
    this.#screen.covered = false;
  }

  #stop() {
    this.#leaving = this.#drawn = false;
    if (!this.#video) return;
    this.#video.close();
    this.#video = null;
    this.#link.video = null;
    this.#screen.covered = false;
  }
}
