// Labelled fields; for each parameter of a notebook one of its kind.

import { element } from "./dom.js";

const TEXTS = new Set(["text", "lines", "path"]);
const SHOWS_WHAT_IT_TAKES = new Set([...TEXTS, "choice", "yes_no"]);
const KINDS = {
  choice,
  lines: area,
  path: (parameter, id, pick) => withPicker(line(parameter, id), parameter.name, pick),
  whole: (parameter, id) => number(parameter, id, 1),
  number: (parameter, id) => number(parameter, id, "any"),
  yes_no: ({ start }, id) => select(id, start.toLowerCase(), [["true", "yes"], ["false", "no"]]),
};

/** What is left as it was keeps the notebook's own default. `pick` gives the path of a file that somebody chooses. */
export function parameterField(parameter, pick) {
  const { name, kind } = parameter;
  const node = field(name, (id) => (KINDS[kind] ?? line)(parameter, id, pick), hintOf(parameter));
  const control = node.querySelector("input, select, textarea");
  const before = control.value;
  return {
    name,
    node,
    changed: () => control.value !== before && (control.value !== "" || TEXTS.has(kind)),
    /** Read by the session's server, as JSON or as Python writes it; a text stays a text. */
    literal: () => (isText(parameter) ? JSON.stringify(control.value) : control.value),
  };
}

/** `make` gets the id that the label is for. */
export function field(label, make, hint = "") {
  const id = `drybench-${crypto.randomUUID()}`;
  const made = make(id);
  const words = hint && element("small", { id: `${id}-hint` }, hint);
  if (hint) (made.querySelector("input") ?? made).setAttribute("aria-describedby", `${id}-hint`);
  return element("div", { class: "drybench-field" }, element("label", { for: id }, label), made, words);
}

export const input = (id, more) => element("input", { id, class: "jp-mod-styled", type: "text", ...more });

/** Where it begins with none of those that there are, nothing is chosen yet. */
export function select(id, start, options, name = null) {
  const all = options.some(([value]) => value === start) ? options : [[start, start || "the default"], ...options];
  const option = ([value, text]) => element("option", { value, selected: value === start }, text);
  return element("select", { id, name, class: "jp-mod-styled" }, all.map(option));
}

function hintOf({ kind, label, takes, default: written, start }) {
  const computed = !start && written && `${written} if you say nothing`;
  return [label, !SHOWS_WHAT_IT_TAKES.has(kind) && takes, computed].filter(Boolean).join(" · ");
}

function isText({ kind, choices }) {
  return TEXTS.has(kind) || (kind === "choice" && typeof choices[0] === "string");
}

/** A choice that is no text stands in the field as JSON. */
function choice({ start, choices }, id) {
  const texts = choices.map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  return select(id, start, texts.map((text) => [text, text]));
}

function number({ start, minimum, maximum, step }, id, usual) {
  return input(id, { type: "number", value: start, min: minimum, max: maximum, step: step ?? usual });
}

function line({ start }, id) {
  return input(id, { value: start });
}

function area({ start }, id) {
  return element("textarea", { id, class: "jp-mod-styled", rows: Math.min(start.split("\n").length + 1, 12) }, start);
}

function withPicker(control, name, pick) {
  const choose = async () => {
    control.value = (await pick()) || control.value;
  };
  const button = { type: "button", class: "jp-mod-styled", "aria-label": `Choose a file for ${name}`, click: choose };
  return element("div", { class: "drybench-two" }, control, element("button", button, "Choose…"));
}
