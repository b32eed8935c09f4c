// The card: one state at a time, as the page has it, over the dimmed last picture.

import { say } from "./words.js";

const card = document.querySelector("#card");
const cards = [...card.querySelectorAll("[data-state]")];
const countdown = document.querySelector("#countdown");
let counting;

/** None shows the desktop itself. */
export function show(state) {
  clearInterval(counting);
  const before = cards.find((each) => !each.hidden)?.dataset.state;
  if (before === state) return;
  for (const each of cards) each.hidden = each.dataset.state !== state;
  document.body.classList.toggle("dim", Boolean(state));
  if (state && card.contains(document.activeElement) === false && needsAnAnswer(state)) {
    card.querySelector(`[data-state="${state}"] .primary`)?.focus({ focusVisible: false });
  }
}

export const shown = () => cards.find((each) => !each.hidden)?.dataset.state;

/** The connection was cut; it counts down to the next try. */
export function showCut(seconds) {
  show(navigator.onLine ? "cut" : "offline");
  let left = Math.ceil(seconds ?? 0);
  const tell = () => (countdown.textContent = left > 0 ? say("in", { seconds: left }) : say("now"));
  tell();
  counting = setInterval(() => {
    left -= 1;
    tell();
    if (left <= 0) clearInterval(counting);
  }, 1000);
}

/** As the server tells how a screen has ended. */
export function showEnded({ sentence, next, programs }) {
  document.querySelector("#ended-sentence").textContent = sentence;
  const kept = document.querySelector("#ended-kept");
  kept.hidden = !programs;
  kept.textContent = say(programs === 1 ? "kept-one" : "kept", { number: programs });
  const button = document.querySelector("#ended-next");
  button.hidden = !next;
  button.textContent = next?.title ?? "";
  show("ended");
}

/** What somebody does who presses one of the buttons. */
export function onDeed(deeds) {
  document.addEventListener("click", ({ target }) => deeds[target.closest?.("[data-do]")?.dataset.do]?.());
}

const needsAnAnswer = (state) => !["starting", "connecting"].includes(state);
