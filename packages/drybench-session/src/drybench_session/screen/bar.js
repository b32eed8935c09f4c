// The bar and its panels: opened by the handle, by Ctrl+Alt+Shift, and closed by Esc or a click on the desktop.

import { choose, chosen } from "./choices.js";
import { say } from "./words.js";

const MODIFIERS = { Control: "ctrlKey", Alt: "altKey", Shift: "shiftKey" };
const NEW_HERE = 6000; // milliseconds for which the handle says its name to who is new here

export class Bar extends EventTarget {
  #screen;
  #handle = document.querySelector("#handle");
  #bar = document.querySelector("#bar");
  #openers = [...this.#bar.querySelectorAll("[aria-controls]")];

  constructor(screen) {
    super();
    this.#screen = screen;
    this.#handle.addEventListener("click", () => (this.#isOpen ? this.close() : this.open()));
    for (const opener of this.#openers) opener.addEventListener("click", () => this.#toggle(opener));
    document.querySelector(".tools").addEventListener("keydown", (event) => this.#onKey(event));
    document.querySelector("#screen").addEventListener("pointerdown", () => this.close(false), { capture: true });
    this.#addWayOut();
    this.#greet();
  }

  open() {
    this.#bar.hidden = false;
    this.#handle.setAttribute("aria-expanded", "true");
    this.#handle.querySelector("span").textContent = say("close-tools");
  }

  /** Back to the desktop, where the keys go again. */
  close(focus = true) {
    this.show(null);
    this.#bar.hidden = true;
    this.#handle.setAttribute("aria-expanded", "false");
    this.#handle.querySelector("span").textContent = say("tools");
    if (focus) this.#screen.focus();
  }

  /** One panel, or none. */
  show(id) {
    for (const opener of this.#openers) {
      const shows = opener.getAttribute("aria-controls") === id;
      const before = opener.getAttribute("aria-expanded") === "true";
      opener.setAttribute("aria-expanded", String(shows));
      document.getElementById(opener.getAttribute("aria-controls")).hidden = !shows;
      if (shows !== before) this.dispatchEvent(new CustomEvent("panel", { detail: { id: opener.getAttribute("aria-controls"), shows } }));
    }
  }

  shows(id) {
    return !document.getElementById(id).hidden;
  }

  /** A number on a tool, such as how many files are ready. */
  count(id, number) {
    const opener = this.#openers.find((each) => each.getAttribute("aria-controls") === id);
    if (number) opener.dataset.count = number;
    else delete opener.dataset.count;
  }

  get #isOpen() {
    return !this.#bar.hidden;
  }

  #toggle(opener) {
    const id = opener.getAttribute("aria-controls");
    this.show(this.shows(id) ? null : id);
  }

  #onKey(event) {
    if (event.key === "Escape") this.#stepBack();
    else if (this.#bar.contains(event.target)) this.#walk(event);
    else return;
    if (event.key === "Escape") event.preventDefault();
  }

  #stepBack() {
    const opened = this.#openers.find((each) => each.getAttribute("aria-expanded") === "true");
    this.show(null);
    if (opened) opened.focus();
    else this.close();
  }

  #walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tools = [...this.#bar.querySelectorAll(".tool:not([hidden])")];
    const next = tools.indexOf(document.activeElement) + step;
    tools.at(next % tools.length).focus();
    event.preventDefault();
  }

  /** All keys go to the desktop, so one way leads out: the three held together, and no other key with them. */
  #addWayOut() {
    let together = false;
    const on = (type, call) => window.addEventListener(type, call, { capture: true });
    on("keydown", (event) => {
      together = event.key in MODIFIERS && Object.values(MODIFIERS).every((held) => event[held]);
    });
    on("keyup", () => {
      if (!together) return;
      together = false;
      this.open();
      this.#bar.querySelector(".tool").focus();
    });
    on("blur", () => (together = false));
  }

  #greet() {
    if (chosen().met) return;
    choose({ met: true });
    document.body.classList.add("fresh");
    setTimeout(() => document.body.classList.remove("fresh"), NEW_HERE);
  }
}
