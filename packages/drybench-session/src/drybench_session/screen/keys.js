// Keys that a browser or a touch screen does not give, and those that are held for the next one.

export function addKeys(screen, bar) {
  const holders = [...document.querySelectorAll("[data-hold]")];
  const held = () => holders.filter((each) => each.getAttribute("aria-pressed") === "true").map((each) => each.dataset.hold);
  const hold = () => screen.hold(held());
  const letGo = () => holders.forEach((each) => each.setAttribute("aria-pressed", "false"));

  for (const holder of holders) {
    holder.addEventListener("click", () => {
      holder.setAttribute("aria-pressed", String(holder.getAttribute("aria-pressed") !== "true"));
      hold();
    });
  }
  for (const key of document.querySelectorAll("[data-press]")) {
    key.addEventListener("click", () => {
      screen.press([...held(), ...key.dataset.press.split(" ")]);
      letGo();
      hold();
    });
  }
  screen.addEventListener("released", letGo); // the next key was pressed on a keyboard
  document.querySelector("#keyboard").addEventListener("click", () => {
    bar.show(null);
    screen.focus({ keyboard: true });
  });
}
