// Whom this desktop is shared with and who looks at it now: its owner always sees it.

import { say } from "./words.js";

export function addGuests(link) {
  const chip = document.querySelector("#guests");
  const tell = () => {
    const guests = link.viewers.filter(({ guest }) => guest);
    chip.hidden = !guests.length;
    chip.querySelector("span").textContent = guests.map(told).join(" ");
  };
  link.addEventListener("viewers", tell);
  tell();
}

const told = ({ name, mode }) => say(mode === "watch" ? "guest-watches" : "guest-works", { name: name || say("somebody") });
