// What this person chose for this app in this browser; forgotten where the browser keeps nothing.

import { place } from "./place.js";

const KEY = `drybench ${place.app}`;
const USUAL = { size: "window", quality: "auto", fine: false, met: false };

export function chosen() {
  try {
    return { ...USUAL, ...JSON.parse(localStorage.getItem(KEY)) };
  } catch {
    return { ...USUAL };
  }
}

export function choose(changes) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...chosen(), ...changes }));
  } catch {
    // then it holds for as long as the page is open
  }
}

/** As a Screen takes them. */
export function asScreen({ size, quality, fine }) {
  return {
    size: size === "window" ? size : size.split("x").map(Number),
    quality: /^\d$/.test(quality) ? Number(quality) : quality === "video" ? "auto" : quality,
    scale: fine ? devicePixelRatio : 1,
  };
}
