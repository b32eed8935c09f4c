// What the desktop put into "To my computer", ready to download.

import { add, made } from "./notices.js";
import { address, ask } from "./place.js";
import { say, size } from "./words.js";

const KEY = "drybench dismissed";
const REMEMBERED = 200;

export class Offers {
  #bar;
  #list = document.querySelector("#offers");
  #notices = new Map();
  #dismissed = remembered();

  constructor(screen, link, bar) {
    this.#bar = bar;
    screen.addEventListener("said", ({ detail }) => detail.event === "file" && this.#offer(detail));
    link.addEventListener("drawn", () => this.#lookAgain());
    bar.addEventListener("panel", ({ detail }) => detail.id === "files" && detail.shows && this.#lookAgain());
    this.#lookAgain();
  }

  async #lookAgain() {
    const answer = await ask("GET", "files").catch(() => null);
    if (!answer?.said?.files) return;
    this.#list.replaceChildren(...answer.said.files.map((offer) => this.#line(offer)));
    for (const offer of answer.said.files) this.#notify(offer);
    for (const [id, notice] of this.#notices) if (!answer.said.files.some((offer) => offer.id === id)) notice.remove();
    this.#tellHowMany();
  }

  #offer(offer) {
    if (this.#list.querySelector(`[data-id="${CSS.escape(offer.id)}"]`)) return;
    this.#list.prepend(this.#line(offer));
    this.#notify(offer);
    this.#tellHowMany();
  }

  /** Once for each, whatever becomes of it. */
  #notify(offer) {
    if (this.#dismissed.has(offer.id) || this.#notices.has(offer.id)) return;
    const notice = this.#line(offer, true);
    this.#notices.set(offer.id, notice);
    add(notice);
  }

  /** The list in the panel shows what there is, so nothing is dismissed there. */
  #line({ id, name, size: bytes }, isNotice = false) {
    const text = isNotice ? say("ready", { name, size: size(bytes) }) : `${name} (${size(bytes)})`;
    const line = made("offer", { name: text });
    line.dataset.id = id;
    const link = line.querySelector("a");
    link.href = address(`files/${encodeURIComponent(id)}`).href;
    link.download = name;
    link.setAttribute("aria-label", `Download ${name}`);
    link.addEventListener("click", () => this.#dismiss(id));
    const dismiss = line.querySelector(".dismiss");
    dismiss.setAttribute("aria-label", `Dismiss ${name}`);
    dismiss.addEventListener("click", () => this.#dismiss(id));
    dismiss.hidden = !isNotice;
    return line;
  }

  #dismiss(id) {
    this.#notices.get(id)?.remove();
    this.#dismissed.add(id);
    try {
      localStorage.setItem(KEY, JSON.stringify([...this.#dismissed].slice(-REMEMBERED)));
    } catch {
      // then they are shown again the next time
    }
    this.#tellHowMany();
  }

  #tellHowMany() {
    const ids = [...this.#list.children].map((line) => line.dataset.id);
    this.#bar.count("files", ids.filter((id) => !this.#dismissed.has(id)).length);
  }
}

function remembered() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY)) ?? []);
  } catch {
    return new Set();
  }
}
