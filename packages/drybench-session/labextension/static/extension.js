// Run in the Background: in the launcher, above a notebook, in its menus and in the palette; its runs at the side.

import { IN_A_SESSION } from "./bench.js";
import { RunForm } from "./form.js";
import {
  FileDialog,
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
      if (IN_A_SESSION) activate(app, ...parts);
      else saySo(app, parts[4]);
    },
  },
];

function activate(app, notebooks, documents, browsers, launcher, palette, restorer) {
  const { commands, shell } = app;
  const localPath = (path) => app.serviceManager.contents.localPath(path);

  const panel = new RunsPanel(() => commands.execute("drybench:run-chosen"));
  Object.assign(panel, { id: "drybench-runs" });
  Object.assign(panel.title, { icon, caption: "Runs in the background" });
  shell.add(panel, "left", { rank: 600, type: "Drybench" });
  restorer?.add(panel, panel.id);

  function open(path) {
    const id = `drybench-form-${path}`;
    const there = [...shell.widgets("main")].find((widget) => widget.id === id);
    const form = there ?? new RunForm(localPath(path), { save: () => save(path), pick, submitted });
    if (!there) {
      Object.assign(form, { id });
      Object.assign(form.title, { icon, label: `Run ${PathExt.basename(path)}`, closable: true });
      shell.add(form, "main");
    }
    shell.activateById(id);
  }

  /** What runs is what is in the file. */
  async function save(path) {
    const context = notebooks.find((notebook) => notebook.context.path === path)?.context;
    if (!context?.model.dirty) return;
    await context.save();
    if (context.model.dirty) throw new Error(`${PathExt.basename(path)} has changes that could not be saved.`);
  }

  async function pick(root) {
    const chosen = await FileDialog.getOpenFiles({ manager: documents, title: "Choose a file" });
    return chosen.value?.length ? `${root}/${localPath(chosen.value[0].path)}` : null;
  }

  function submitted() {
    shell.activateById(panel.id);
    panel.look();
  }

  const command = (id, execute, more = {}) =>
    commands.addCommand(`drybench:${id}`, { icon, label: `${NAME} …`, execute, ...more });
  command("run-notebook", () => open(notebooks.currentWidget.context.path), {
    caption: `${NAME}: this notebook, by itself`,
    isEnabled: () => notebooks.currentWidget !== null,
  });
  command("run-selected", () => {
    const items = [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
    items.filter((item) => item.type === "notebook").forEach((item) => open(item.path));
  });
  command(
    "run-chosen",
    async () => {
      const onlyNotebooks = (item) => (item.type === "notebook" ? {} : null);
      const title = "Choose a notebook to run in the background";
      const chosen = await FileDialog.getOpenFiles({ manager: documents, title, filter: onlyNotebooks });
      chosen.value?.filter((item) => item.type === "notebook").forEach((item) => open(item.path));
    },
    {
      label: (args) => (args.isLauncher ? NAME : `${NAME}: Choose a Notebook …`),
      caption: "Choose a notebook and run it by itself",
    },
  );
  command("show-runs", () => shell.activateById(panel.id), { label: "Show Runs in the Background" });
  launcher?.add({ command: "drybench:run-chosen", args: { isLauncher: true }, category: "Drybench", rank: 1 });
  for (const id of ["run-notebook", "run-chosen", "show-runs"]) {
    palette?.addItem({ command: `drybench:${id}`, category: "Drybench" });
  }
}

/** Elsewhere nothing is to be seen of it, but who looks for it in the palette finds why. */
function saySo({ commands }, palette) {
  const nowhere = { execute: () => {}, isEnabled: () => false, isVisible: () => false };
  for (const id of ["run-notebook", "run-selected"]) commands.addCommand(`drybench:${id}`, nowhere);
  commands.addCommand("drybench:not-here", {
    ...nowhere,
    label: `${NAME}: only in a session of a Drybench, and this JupyterLab is in none`,
    isVisible: () => true,
  });
  palette?.addItem({ command: "drybench:not-here", category: "Drybench" });
}

function stylesheet() {
  const link = document.createElement("link");
  return Object.assign(link, { rel: "stylesheet", href: new URL("style.css", import.meta.url).href });
}
