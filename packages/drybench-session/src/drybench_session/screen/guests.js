// Whom this desktop is shared with and who looks at it now: its owner always sees it, and who works in it beside them;
// one click takes that back, and another gives it again.

import { ask, place } from "./place.js";
import { say } from "./words.js";

export function addGuests(link) {
  const chip = document.querySelector("#guests");
  const button = chip.querySelector("button");
  let works = false; // somebody beside the owner
  const tell = () => {
    const guests = link.viewers.filter(({ guest }) => guest);
    works = guests.some(({ mode }) => mode !== "watch");
    chip.hidden = !guests.length;
    chip.querySelector("span").textContent = guests.map(told).join(" ");
    button.hidden = !works && !link.held.length;
    button.textContent = button.hidden ? "" : say(works ? "work-alone" : "work-together");
  };
  button.addEventListener("click", () => {
    ask("POST", `screens/${place.app}/guests`, { json: { work: !works } }).catch(() => {}); // cut off: it can be said again
  });
  link.addEventListener("viewers", tell);
  tell();
}

const told = ({ name, mode }) => say(mode === "watch" ? "guest-watches" : "guest-works", { name: name || say("somebody") });
