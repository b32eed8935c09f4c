// The session's other apps: in the launcher and the palette, each in a tab of its own. And a terminal as an app, which
// is a JupyterLab that shows nothing else.

import { LabIcon, PageConfig, URLExt } from "./jupyterlab.js";

const icon = new LabIcon({
  name: "drybench:screen",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
    <path class="jp-icon3" fill="#616161" d="M1 2h14v10H1zm1.5 1.5v7h11v-7zM5 13h6v1.5H5z"/></svg>`,
});

export function showApps({ commands }, launcher, palette) {
  const apps = JSON.parse(PageConfig.getOption("drybenchApps") || "[]");
  if (!apps.length) return;
  commands.addCommand("drybench:open-app", {
    icon,
    label: ({ title, isPalette }) => (isPalette ? `Open ${title}` : title),
    caption: ({ title }) => `${title}, in a new tab of the browser`,
    execute: ({ name }) => void window.open(URLExt.join(PageConfig.getBaseUrl(), name, "/"), "_blank"),
  });
  for (const [place, { name, title }] of apps.entries()) {
    const item = { command: "drybench:open-app", category: "Drybench" };
    launcher?.add({ ...item, args: { name, title }, rank: 2 + place });
    palette?.addItem({ ...item, args: { name, title, isPalette: true } });
  }
}

/** The one that was open before, if it is still there. */
export async function showOnlyATerminal({ commands, restored, shell }) {
  if (new URLSearchParams(location.search).get("drybench") !== "terminal") return;
  await restored;
  shell.mode = "single-document";
  shell.collapseLeft();
  shell.collapseRight();
  const known = [...shell.widgets("main")].find(terminal);
  if (known) shell.activateById(known.id);
  else await commands.execute("terminal:create-new");
  for (const widget of [...shell.widgets("main")]) if (!terminal(widget)) widget.close();
}

const terminal = (widget) => widget.content?.hasClass("jp-Terminal");
