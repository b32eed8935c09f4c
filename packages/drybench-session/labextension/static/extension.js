// Run in the Background: in the launcher, above a notebook, in its menus and in the palette; its runs at the side.
// And the way to the session's other apps.

import { showApps, showOnlyATerminal } from "./apps.js";
import { IN_A_SESSION } from "./bench.js";
import { Files } from "./files.js";
import { RunForm } from "./form.js";
import {
  ICommandPalette,
  IDocumentManager,
  IFileBrowserFactory,
  ILauncher,
  ILayoutRestorer,
  INotebookTracker,
  LabIcon,
  PathExt,
} from "./jupyterlab.js";
import { RunsPanel } from "./panel.js";

const NAME = "Run in the Background";
const icon = new LabIcon({
  name: "drybench:run",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">
    <path class="jp-icon3" fill="#616161" d="M1 8h14v2H1zM2.6 10h2v5h-2zM11.4 10h2v5h-2zM5.5 1v6l5.5-3z"/></svg>`,
});

export default [
  {
    id: "drybench-session:plugin",
    description: "Run a notebook in the background, on the bench that this session belongs to.",
    autoStart: true,
    requires: [INotebookTracker, IDocumentManager],
    optional: [IFileBrowserFactory, ILauncher, ICommandPalette, ILayoutRestorer],
    activate(app, ...parts) {
      document.head.append(stylesheet());
      showApps(app, parts[3], parts[4]);
      showOnlyATerminal(app);
      if (IN_A_SESSION) activate(app, ...parts);
      else saySo(app, parts[4]);
    },
  },
];

function activate(app, notebooks, documents, browsers, launcher, palette, restorer) {
  const files = new Files(app, notebooks, documents, browsers);
  const panel = addPanel(app, restorer);
  addCommands(app, files, panel);
  launcher?.add({ command: "drybench:run-chosen", args: { isLauncher: true }, category: "Drybench", rank: 1 });
  for (const id of ["run-notebook", "run-chosen", "show-runs"]) {
    palette?.addItem({ command: `drybench:${id}`, category: "Drybench" });
  }
}

function addPanel({ commands, shell }, restorer) {
  const panel = new RunsPanel(() => commands.execute("drybench:run-chosen"));
  Object.assign(panel, { id: "drybench-runs" });
  Object.assign(panel.title, { icon, caption: "Runs in the background" });
  shell.add(panel, "left", { rank: 600, type: "Drybench" });
  restorer?.add(panel, panel.id);
  return panel;
}

/** Those for the toolbar and the menus are named in schemas/drybench-session/plugin.json. */
function addCommands({ commands, shell }, files, panel) {
  const open = (path) => openForm(shell, files, panel, path);
  const command = (id, execute, more = {}) =>
    commands.addCommand(`drybench:${id}`, { icon, label: `${NAME}…`, execute, ...more });
  command("run-notebook", () => open(files.current), {
    caption: `${NAME}: this notebook, by itself`,
    isEnabled: () => files.hasCurrent,
  });
  command("run-selected", () => files.selected.forEach(open));
  command("run-chosen", async () => (await files.chooseNotebooks()).forEach(open), {
    label: ({ isLauncher }) => (isLauncher ? NAME : `${NAME}: Choose a Notebook…`),
    caption: "Choose a notebook and run it by itself",
  });
  command("show-runs", () => shell.activateById(panel.id), { label: "Show Runs in the Background" });
}

/** One for each notebook: who asks again finds what they have typed. */
function openForm(shell, files, panel, path) {
  const id = `drybench-form-${path}`;
  if (![...shell.widgets("main")].some((widget) => widget.id === id)) {
    const form = new RunForm(files.local(path), {
      save: () => files.save(path),
      pick: (root) => files.pick(root),
      submitted: () => {
        shell.activateById(panel.id);
        panel.look();
      },
    });
    Object.assign(form, { id });
    Object.assign(form.title, { icon, label: `Run ${PathExt.basename(path)}`, closable: true });
    shell.add(form, "main");
  }
  shell.activateById(id);
}

/** Elsewhere nothing is to be seen of it, but who looks for it in the palette finds why. */
function saySo({ commands }, palette) {
  const nowhere = { execute: () => {}, isEnabled: () => false, isVisible: () => false };
  for (const id of ["run-notebook", "run-selected"]) commands.addCommand(`drybench:${id}`, nowhere);
  const label = `${NAME}: only in a session of a Drybench, and this JupyterLab is in none`;
  commands.addCommand("drybench:not-here", { execute: () => {}, label }); // JupyterLab's palette hides what is disabled
  palette?.addItem({ command: "drybench:not-here", category: "Drybench" });
}

function stylesheet() {
  const link = document.createElement("link");
  return Object.assign(link, { rel: "stylesheet", href: new URL("style.css", import.meta.url).href });
}
