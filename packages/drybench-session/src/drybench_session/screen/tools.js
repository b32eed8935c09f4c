// The tools around the picture, once it is on its way.

import { Bar } from "./bar.js";
import { ClipboardPanel } from "./clipboard-panel.js";
import { Files } from "./files.js";
import { addGuests } from "./guests.js";
import { addKeys } from "./keys.js";
import { Meter } from "./meter.js";
import { addPicture } from "./picture.js";

export function addTools(screen, link) {
  const bar = new Bar(screen);
  addGuests(link);
  addKeys(screen, bar);
  addPicture(screen, link);
  new ClipboardPanel(screen);
  new Files(screen, link, bar);
  new Meter(screen, link, bar);
  document.body.dataset.tools = "ready";
}
