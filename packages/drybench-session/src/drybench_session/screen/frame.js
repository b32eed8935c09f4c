// The page around a desktop. The picture comes first; the tools when it is on its way.

import { asScreen, chosen } from "./choices.js";
import { Link } from "./link.js";
import { Screen } from "./screen.js";
import { onDeed } from "./states.js";

let added;
const link = new Link();
const screen = new Screen(document.querySelector("#screen"), { address: link.address, watch: false, ...asScreen(chosen()) });
link.begin(screen);
onDeed({
  again: () => link.again(),
  start: () => link.start(),
  use: () => link.use(),
  watch: () => link.watch(),
});
link.addEventListener("drawn", () => document.activeElement.matches("body, #card *") && screen.focus());
link.addEventListener("drawn", addTools, { once: true });
setTimeout(addTools, 3000); // also around a desktop that does not come


async function addTools() {
  added ??= import("./tools.js").then(({ addTools }) => addTools(screen, link));
  await added;
}
