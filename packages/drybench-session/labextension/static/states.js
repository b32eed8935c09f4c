// A state is a word, a colour and a shape: the same as on the bench's own pages.

import { drawing, element } from "./dom.js";

const CIRCLE = "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z";
const SHAPES = {
  waiting: CIRCLE,
  starting: `${CIRCLE}M6 1.5v9`,
  running: "M2.5 1.2v9.6L11 6z",
  stopping: "M2 2h8v8h-8z",
  done: "M1.5 6.5l3 3 6-7",
  failed: "M2 2l8 8M10 2l-8 8",
  stopped: "M2 2h8v8h-8z",
  lost: "M6 .8L11.2 6 6 11.2.8 6z",
};

export function word(run) {
  if (run.outcome) return run.outcome;
  return run.wanted === "stop" ? "stopping" : run.phase;
}

export const isOpen = (run) => run.phase !== "ended";

export function state(run) {
  const is = word(run);
  return element("span", { class: `drybench-state drybench-${is}` }, drawing(SHAPES[is] ?? SHAPES.lost), is);
}

/** 12 s · 3 min 20 s · 1 h 05 min */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}
