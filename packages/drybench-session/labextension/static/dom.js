// Elements, made without markup: what a notebook or a bench says is text and stays text.

const SVG = "http://www.w3.org/2000/svg";

/** Attributes by name; a function is a listener, true an attribute without a value; null and false leave out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== false && value !== undefined) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== ""));
  return made;
}

/** A drawing of 12 by 12 from one path, that says nothing to who hears the page. */
export function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

/** The bench sets commands and settings in backticks. */
export function said(sentence) {
  return sentence.split("`").map((part, number) => (number % 2 ? element("code", {}, part) : part));
}
