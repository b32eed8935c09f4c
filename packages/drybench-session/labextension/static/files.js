// The person's files, as JupyterLab knows them: which are open, which are chosen, where they lie.

import { FileDialog, PathExt } from "./jupyterlab.js";

export class Files {
  #contents;
  #notebooks;
  #documents;
  #browsers;

  constructor({ serviceManager }, notebooks, documents, browsers) {
    this.#contents = serviceManager.contents;
    this.#notebooks = notebooks;
    this.#documents = documents;
    this.#browsers = browsers;
  }

  get hasCurrent() {
    return this.#notebooks.currentWidget !== null;
  }

  get current() {
    return this.#notebooks.currentWidget.context.path;
  }

  /** The notebooks that are marked in the file browser. */
  get selected() {
    return notebooksOf([...(this.#browsers?.tracker.currentWidget?.selectedItems() ?? [])]);
  }

  /** As the session's server has it: a notebook that several people edit goes by another name here. */
  local(path) {
    return this.#contents.localPath(path);
  }

  /** What runs is what is in the file. */
  async save(path) {
    const context = this.#notebooks.find((notebook) => notebook.context.path === path)?.context;
    if (!context?.model.dirty) return;
    await context.save();
    if (context.model.dirty) throw new Error(`${PathExt.basename(path)} has changes that could not be saved.`);
  }

  /** Where on the machine a file lies that somebody chooses; nothing where they think better of it. */
  async pick(root) {
    const [file] = await this.#choose({ title: "Choose a file" });
    return file && `${root}/${this.local(file.path)}`;
  }

  async chooseNotebooks() {
    const filter = ({ type }) => (type === "notebook" ? {} : null);
    return notebooksOf(await this.#choose({ title: "Choose a notebook to run in the background", filter }));
  }

  /** Beginning where the file browser is. */
  async #choose(asked) {
    const defaultPath = this.#browsers?.tracker.currentWidget?.model.path;
    const chosen = await FileDialog.getOpenFiles({ manager: this.#documents, defaultPath, ...asked });
    return chosen.value?.filter(({ type }) => type !== "directory") ?? [];
  }
}

const notebooksOf = (items) => items.filter(({ type }) => type === "notebook").map(({ path }) => path);
