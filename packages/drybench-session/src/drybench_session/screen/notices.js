// Calm words at the corner, each with one button at most.

const corner = document.querySelector("#notices");

/** An element from a template of the page; `parts` by their class get text. */
export function made(template, parts = {}) {
  const element = document.querySelector(`#t-${template}`).content.firstElementChild.cloneNode(true);
  for (const [part, text] of Object.entries(parts)) element.querySelector(`.${part}`).textContent = text;
  return element;
}

export function add(element) {
  corner.prepend(element);
}

/** `deed` is {title, call}: closed when it is done. Without `seconds` it stays until it is dismissed. */
export function notify(text, { deed, seconds, bad } = {}) {
  const notice = made("word", { name: text });
  notice.classList.toggle("bad", Boolean(bad));
  if (deed) {
    const button = notice.querySelector(".do");
    button.hidden = false;
    button.textContent = deed.title;
    button.addEventListener("click", async () => (await deed.call()) !== false && notice.remove());
  }
  notice.querySelector(".dismiss").addEventListener("click", () => notice.remove());
  if (seconds) goSoon(notice, seconds);
  add(notice);
  return notice;
}

/** Not while somebody points at it or has the focus in it. */
export function goSoon(notice, seconds) {
  setTimeout(() => (notice.matches(":hover, :focus-within") ? goSoon(notice, seconds) : notice.remove()), seconds * 1000);
}
