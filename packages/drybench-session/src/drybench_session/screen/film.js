// The picture as video, where the person wants it so: laid over the screen, which goes on with keys and mouse.

import { chosen } from "./choices.js";
import { notify } from "./notices.js";
import { address, place } from "./place.js";
import { Video, codecHere } from "./video.js";
import { say } from "./words.js";

export class Film {
  #screen;
  #link;
  #video = null;
  #codec = null;

  /** `offer` is told when this session and this browser have video. */
  constructor(screen, link, offer) {
    this.#screen = screen;
    this.#link = link;
    screen.addEventListener("state", ({ detail }) => (detail.state === "drawn" ? this.choose() : this.#stop()));
    this.#ask(offer);
  }

  /** As it was chosen; the screen itself comes first, and again when video does not. */
  choose() {
    const wanted = chosen().quality === "video" && this.#codec && this.#screen.state === "drawn";
    if (!wanted) this.#stop();
    else if (!this.#video) this.#start();
  }

  async #ask(offer) {
    const answer = await this.#link.look();
    if (!answer?.said?.video) return;
    this.#codec = await codecHere();
    if (!this.#codec) return;
    offer();
    this.choose();
  }

  #start() {
    const url = address(`screens/${encodeURIComponent(place.app)}/video`, { codec: this.#codec });
    url.protocol = url.protocol.replace("http", "ws");
    const video = new Video(document.querySelector("#screen"), url, this.#codec);
    this.#video = video;
    video.addEventListener("measured", ({ detail }) => (this.#link.video = detail));
    video.addEventListener("state", ({ detail }) => {
      if (video !== this.#video) return;
      if (detail.state === "drawn") this.#screen.covered = true;
      if (detail.state === "closed") this.#failed();
    });
  }

  #failed() {
    this.#stop();
    notify(say("no-video"), { seconds: 8 });
  }

  #stop() {
    if (!this.#video) return;
    this.#video.close();
    this.#video = null;
    this.#link.video = null;
    this.#screen.covered = false;
  }
}
