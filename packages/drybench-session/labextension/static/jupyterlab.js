// JupyterLab's own modules, the very ones that it uses itself: a second copy of a token would match nothing.

export const [
  { ILayoutRestorer },
  { ICommandPalette },
  { PageConfig, PathExt, URLExt },
  { IDocumentManager },
  { FileDialog, IFileBrowserFactory },
  { ILauncher },
  { INotebookTracker },
  { ServerConnection },
  { LabIcon },
  { Widget },
] = await Promise.all(
  [
    "@jupyterlab/application",
    "@jupyterlab/apputils",
    "@jupyterlab/coreutils",
    "@jupyterlab/docmanager",
    "@jupyterlab/filebrowser",
    "@jupyterlab/launcher",
    "@jupyterlab/notebook",
    "@jupyterlab/services",
    "@jupyterlab/ui-components",
    "@lumino/widgets",
  ].map(shared),
);

/** The version that is in use already, else the newest, as webpack chooses among those of a singleton. */
async function shared(name) {
  const versions = Object.entries(globalThis._JUPYTERLAB["drybench-session"].shared[name]);
  versions.sort(([one], [other]) => other.localeCompare(one, "en", { numeric: true }));
  const [, chosen] = versions.find(([, { loaded }]) => loaded) ?? versions[0];
  chosen.loaded = 1;
  return (await chosen.get())();
}
