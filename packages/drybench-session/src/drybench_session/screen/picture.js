// How large and how good the picture is, and full screen.

import { asScreen, choose, chosen } from "./choices.js";
import { Film } from "./film.js";
import { notify } from "./notices.js";
import { ask, place } from "./place.js";
import { say } from "./words.js";

const OFFERED = ["window", "1280x800", "1680x1050", "1920x1080"];

export function addPicture(screen, link) {
  const form = document.querySelector("#picture-form");
  fill(form, chosen());
  tellScale(screen);
  const film = new Film(screen, link, () => (document.querySelector("#video").hidden = false));
  form.addEventListener("change", () => take(form, screen, film));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(form, screen, film);
  });
  addFullScreen(screen);
}

function fill(form, { size, quality, fine }) {
  const own = !OFFERED.includes(size);
  form.elements.size.value = own ? "own" : size;
  if (own) [form.elements.width.value, form.elements.height.value] = size.split("x");
  form.elements.quality.value = quality;
  form.elements.fine.checked = fine;
  document.querySelector("#own").hidden = !own;
  document.querySelector("#fine").hidden = devicePixelRatio === 1;
}

function take(form, screen, film) {
  const { size, width, height, quality, fine } = form.elements;
  const own = size.value === "own";
  document.querySelector("#own").hidden = !own;
  if (own && !form.checkValidity()) return;
  choose({ size: own ? `${width.value}x${height.value}` : size.value, quality: quality.value, fine: fine.checked });
  Object.assign(screen, asScreen(chosen()));
  tellScale(screen);
  film.choose();
}

/** Each pixel of a finer display shows more of them, so letters and buttons take more: they stay as large as they were. */
function tellScale(screen) {
  if (!screen.watch) ask("POST", `screens/${place.app}`, { json: { action: "scale", scale: screen.scale } }).catch(() => {});
}

/** With the browser's own keys, where it gives them. */
function addFullScreen(screen) {
  const button = document.querySelector("#full");
  if (!document.documentElement.requestFullscreen) {
    button.hidden = true;
    return;
  }
  button.addEventListener("click", async () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
    await navigator.keyboard?.lock?.().catch(() => {});
    screen.focus();
  });
  document.addEventListener("fullscreenchange", () => {
    const full = Boolean(document.fullscreenElement);
    button.querySelector("span").textContent = say(full ? "leave-full" : "full");
    if (full) notify(say("hold-escape"), { seconds: 4 });
    else navigator.keyboard?.unlock?.();
  });
}
