// Files both ways: what is dropped goes to Downloads, what lies in "To my computer" is offered.

import { dropped } from "./dropping.js";
import { notify } from "./notices.js";
import { Offers } from "./offers.js";
import { ask } from "./place.js";
import { Refused, send } from "./sending.js";
import { UploadView } from "./upload-view.js";
import { say } from "./words.js";

const AT_ONCE = 2;

export class Files {
  #link;
  #waiting = [];
  #under = new Set();

  constructor(screen, link, bar) {
    this.#link = link;
    new Offers(screen, link, bar);
    const chosen = document.querySelector("#chosen");
    document.querySelector("#choose").addEventListener("click", () => chosen.click());
    chosen.addEventListener("change", () => {
      this.#take([...chosen.files].map((file) => ({ title: file.name, files: [{ file, name: file.name }] })));
      chosen.value = "";
    });
    this.#letDrop();
    addEventListener("beforeunload", (event) => this.#under.size && event.preventDefault());
    addEventListener("pagehide", () => this.#under.forEach(({ id }) => id && forget(id)));
  }

  #letDrop() {
    const sign = document.querySelector("#drop");
    const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    const on = (type, call) => addEventListener(type, (event) => hasFiles(event) && call(event));
    on("dragenter", () => (sign.hidden = false));
    on("dragover", (event) => event.preventDefault());
    on("dragleave", ({ relatedTarget }) => !relatedTarget && (sign.hidden = true));
    on("drop", async (event) => {
      event.preventDefault();
      sign.hidden = true;
      if (this.#link.watches) return notify(say("only-watching"), { bad: true });
      const { items, refused } = await dropped(event.dataTransfer);
      for (const sentence of refused) notify(sentence, { bad: true });
      this.#take(items);
    });
  }

  #take(items) {
    for (const item of items) {
      const upload = { ...item, size: item.files.reduce((sum, { file }) => sum + file.size, 0), stop: new AbortController() };
      upload.view = new UploadView(upload.title, upload.size, () => this.#cancel(upload));
      this.#waiting.push(upload);
    }
    this.#next();
  }

  #next() {
    while (this.#under.size < AT_ONCE && this.#waiting.length) {
      const upload = this.#waiting.shift();
      this.#under.add(upload);
      this.#carry(upload).finally(() => {
        this.#under.delete(upload);
        this.#next();
      });
    }
  }

  #cancel(upload) {
    this.#waiting = this.#waiting.filter((each) => each !== upload);
    upload.stop.abort();
    if (upload.id) forget(upload.id);
    upload.view.cancelled();
  }

  async #carry(upload) {
    const { files, title, view, stop } = upload;
    let before = 0;
    let path;
    try {
      for (const { file, name } of files) {
        path = await send(file, name, {
          signal: stop.signal,
          begins: (id) => (upload.id = id),
          tell: (sent) => view.progress(before + sent),
          waits: () => view.waits(),
        });
        before += file.size;
      }
      view.arrived(files[0].name.includes("/") ? path.split("/", 2).join("/") : path); // of a folder: the folder
    } catch (error) {
      if (stop.signal.aborted) return;
      if (upload.id) forget(upload.id);
      view.failed(say("failed", { name: title, sentence: error instanceof Refused ? error.message : say("refused") }));
    }
  }
}

/** Also from a page that is being closed. */
function forget(id) {
  ask("DELETE", "files", { query: { id }, keepalive: true }).catch(() => {});
}
