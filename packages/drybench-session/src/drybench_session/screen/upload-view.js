// One upload, twice: a line at the corner while it goes on, and one in the panel that stays.

import { add, goSoon, made } from "./notices.js";
import { say, size } from "./words.js";

const SEEN = 6; // seconds

export class UploadView {
  #lines = [made("upload"), made("upload")];
  #size;

  constructor(title, bytes, cancel) {
    this.#size = bytes;
    for (const line of this.#lines) {
      line.querySelector(".name").textContent = title;
      line.querySelector("progress").setAttribute("aria-label", title);
      line.querySelector(".cancel").addEventListener("click", cancel);
      line.querySelector(".cancel").setAttribute("aria-label", `Cancel ${title}`);
    }
    add(this.#lines[0]);
    document.querySelector("#uploads").prepend(this.#lines[1]);
    this.progress(0);
  }

  progress(sent) {
    this.#stands(`${size(sent)} of ${size(this.#size)}`);
    for (const line of this.#lines) line.querySelector("progress").value = this.#size ? sent / this.#size : 1;
  }

  waits() {
    this.#stands(say("waits"));
  }

  arrived(path) {
    this.#over(say("arrived", { path }));
    goSoon(this.#lines[0], SEEN);
  }

  cancelled() {
    this.#over(say("cancelled"));
    this.#lines[0].remove();
  }

  failed(sentence) {
    this.#over("");
    for (const line of this.#lines) {
      line.classList.add("bad");
      line.querySelector(".name").textContent = sentence;
    }
    this.#dismissable();
  }

  #stands(text) {
    for (const line of this.#lines) line.querySelector(".stands").textContent = text;
  }

  #over(text) {
    this.#stands(text);
    for (const line of this.#lines) {
      line.classList.add("done");
      line.querySelector(".cancel").remove();
    }
  }

  #dismissable() {
    for (const line of this.#lines) {
      const button = made("word").querySelector(".dismiss");
      button.addEventListener("click", () => line.remove());
      line.append(button);
    }
  }
}
