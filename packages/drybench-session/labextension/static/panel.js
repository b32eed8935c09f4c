// The list at the side: one's runs, the newest first. It looks only while somebody can see it.

import * as bench from "./bench.js";
import { element, said } from "./dom.js";
import { Widget } from "./jupyterlab.js";
import { duration, isOpen, state, word } from "./states.js";

const WHILE_SOMETHING_RUNS = 1500; // milliseconds between two looks
const ELSE = 15_000;

export class RunsPanel extends Widget {
  #seen = new Map(); // by the run's id: its place in the list, and what it says there
  #list = element("ul");
  #words = element("p", { class: "drybench-words" }, "Looking…");
  #news = element("p", { class: "drybench-unseen", role: "status" });
  #next = 0;
  #looks = 0;

  constructor(chooseNotebook) {
    super();
    this.addClass("drybench-runs");
    const choose = { type: "button", class: "jp-mod-styled", click: chooseNotebook };
    const button = element("button", choose, "Run a notebook…");
    this.node.append(element("h2", {}, "Runs"), button, this.#words, this.#list, this.#news);
    document.addEventListener("visibilitychange", () => this.look());
  }

  onAfterShow() {
    this.look();
  }

  /** Now, and then again and again. */
  async look() {
    clearTimeout(this.#next);
    if (!this.isVisible || document.hidden) return;
    const look = ++this.#looks;
    let pause = ELSE;
    try {
      const { items } = await bench.runs();
      await this.#display(items);
      if (items.some(isOpen)) pause = WHILE_SOMETHING_RUNS;
    } catch ({ message, step = "" }) {
      this.#words.replaceChildren(...said(`${message} ${step}`));
    }
    if (look === this.#looks) this.#next = setTimeout(() => this.look(), pause);
  }

  /** What did not change is not touched, so that who reads it or tabs through it is not disturbed. */
  async #display(runs) {
    this.#words.replaceChildren(runs.length ? "" : "No runs yet. What you run in the background is shown here.");
    await Promise.all(runs.map((run) => this.#renew(run)));
    const items = runs.map(({ id }) => this.#seen.get(id).item);
    const there = [...this.#list.children];
    if (items.length !== there.length || items.some((item, place) => item !== there[place])) {
      this.#list.replaceChildren(...items);
    }
  }

  async #renew(run) {
    const clock = () => element("span", { class: "drybench-clock" });
    const entry = this.#seen.get(run.id) ?? { item: element("li"), clock: clock() };
    this.#seen.set(run.id, entry);
    entry.clock.textContent = times(run);
    const says = JSON.stringify([word(run), run.cell, run.cells, run.ahead, run.detail, run.sentence, run.name]);
    if (says === entry.says) return;
    if (entry.word && entry.word !== word(run)) this.#news.textContent = `${run.name}: ${word(run)}`;
    Object.assign(entry, { says, word: word(run) });
    const whole = run.outcome === "failed" ? await bench.run(run.id).catch(() => run) : run; // with its cause
    draw(entry, whole);
  }
}

/** The link stays the same one, for it may have the focus. */
function draw({ item, clock }, run) {
  const page = { href: run.url, target: "_blank", rel: "noopener", title: "Its page on the bench" };
  const link = item.firstElementChild ?? item.appendChild(element("a", page, run.name));
  while (link.nextSibling) link.nextSibling.remove();
  link.after(element("div", { class: "drybench-line" }, state(run), clock), ...details(run));
}

function details(run) {
  if (run.phase === "waiting") return [small(run.ahead ? `${run.ahead} ahead of you` : "next in line")];
  if (!isOpen(run)) return run.sentence ? [small(run.sentence, "drybench-cause"), small(run.next_step)] : [];
  if (!run.cells) return run.detail ? [small(run.detail)] : [];
  const progress = { value: run.cell, max: run.cells, "aria-label": `Progress of ${run.name}` };
  const cells = small(`cell ${run.cell} of ${run.cells}`);
  return [element("div", { class: "drybench-line" }, element("progress", progress), cells)];
}

const small = (text, name = null) => element("small", { class: name }, ...said(text));

/** 4 min 03 s · 18:20, or the day where it is not today. */
function times({ created_at: asked, started_at: began, ended_at: ended }) {
  const took = began && duration((ended ? new Date(ended) : new Date()) - new Date(began));
  const then = new Date(asked);
  const today = then.toDateString() === new Date().toDateString();
  const when = then.toLocaleString([], today ? { timeStyle: "short" } : { day: "numeric", month: "short" });
  return [took, when].filter(Boolean).join(" · ");
}
