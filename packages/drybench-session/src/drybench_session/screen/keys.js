// Keys that a browser or a touch screen does not give, and those that are held for the next one.

export function addKeys(screen, bar) {
  const holders = [...document.querySelectorAll("[data-hold]")];
  const isHeld = (holder) => holder.getAttribute("aria-pressed") === "true";
  const mark = (holder, held) => holder.setAttribute("aria-pressed", String(held));
  const letGo = () => holders.forEach((holder) => mark(holder, false));

  for (const holder of holders) {
    holder.addEventListener("click", () => {
      mark(holder, !isHeld(holder));
      screen.hold(holders.filter(isHeld).map(({ dataset }) => dataset.hold), letGo);
    });
  }
  for (const key of document.querySelectorAll("[data-press]")) {
    key.addEventListener("click", () => screen.press(key.dataset.press.split(" ")));
  }
  screen.addEventListener("state", ({ detail }) => {
    if (detail.state !== "drawn" || !holders.some(isHeld)) return;
    letGo(); // a new connection holds nothing
    screen.hold([]);
  });
  addKeyboard(screen, bar);
}

/** A finger on the desktop is no wish to type: the keyboard comes when it is asked for, and goes the same way. */
function addKeyboard(screen, bar) {
  const field = document.querySelector("#screen textarea");
  const button = document.querySelector("#keyboard");
  if (!matchMedia("(any-pointer: coarse)").matches) {
    button.hidden = true;
    return;
  }
  field.inputMode = "none";
  button.addEventListener("click", () => {
    field.inputMode = "";
    bar.close();
  });
  field.addEventListener("blur", () => (field.inputMode = "none"));
}
