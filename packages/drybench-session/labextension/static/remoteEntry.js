// What JupyterLab loads first: a module-federation container, as webpack would make one, in its few lines.
// JupyterLab calls `init` with the modules that it shares, then `get` for the extension. See decision 14.

(() => {
  const here = document.currentScript.src;
  const container = {
    shared: null,
    init(shared) {
      container.shared = shared;
    },
    async get(name) {
      const plugins = (await import(new URL(`${name}.js`, here))).default;
      // JupyterLab writes into what it gets, and into a module's own namespace nobody can write.
      return () => ({ __esModule: true, default: plugins });
    },
  };
  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB["drybench-session"] = container;
})();
