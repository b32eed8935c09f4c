// The form of a run, in a tab of its own beside the notebook: what was typed stays while something is put right.

import * as bench from "./bench.js";
import { element, said } from "./dom.js";
import { field, input, parameterField, select } from "./fields.js";
import { PathExt, Widget } from "./jupyterlab.js";

const SECONDS = { minutes: 60, hours: 3600 };

/** `save` writes the notebook to its file, `pick` lets somebody choose a file, `submitted` is told afterwards. */
export class RunForm extends Widget {
  #path;
  #actions;
  #key = crypto.randomUUID(); // so that pressing twice runs nothing twice
  #fields = [];
  #button = element("button", { type: "submit", class: "jp-mod-styled jp-mod-accept" }, "Run it");
  #form = element("form", { submit: (event) => this.#submit(event) });
  #problem = element("div", { class: "drybench-problem", role: "alert" });

  constructor(path, { save, pick, submitted }) {
    super();
    this.#path = path;
    this.#actions = { save, pick, submitted };
    this.addClass("drybench-form");
    this.node.append(element("h1", {}, "Run in the background"), this.#form, this.#problem);
    this.#load();
  }

  onActivateRequest() {
    this.#form.querySelector("input, select, textarea, button")?.focus();
  }

  async #load() {
    this.#form.replaceChildren(element("p", { role: "status" }, `Reading ${PathExt.basename(this.#path)}…`));
    const again = { type: "button", class: "jp-mod-styled", click: () => this.#load() };
    const worked = await this.#attempt(async () => {
      await this.#actions.save();
      const [here, found] = await Promise.all([bench.here(), bench.inspect(this.#path)]);
      this.#form.replaceChildren(...this.#parts(here, found));
    });
    if (!worked) this.#form.replaceChildren(element("button", again, "Try again"));
    else if (this.isVisible) this.onActivateRequest();
  }

  #parts(here, found) {
    this.#fields = found.parameters.map((parameter) => parameterField(parameter, () => this.#actions.pick(here.root)));
    return [
      element("p", {}, element("code", {}, this.#path), " runs by itself; you may close JupyterLab meanwhile."),
      group("Parameters", [found.note && element("p", {}, ...said(found.note)), this.#fields.map(({ node }) => node)]),
      group("How", settings(this.#path, here)),
      this.#button,
    ];
  }

  async #submit(event) {
    event.preventDefault();
    this.#button.disabled = true;
    const worked = await this.#attempt(async () => {
      await this.#actions.save();
      await bench.submit(this.#path, this.#request(), this.#key);
    });
    this.#button.disabled = false;
    if (!worked) return;
    this.#actions.submitted();
    this.dispose();
  }

  /** Only what was said: the bench knows the rest. */
  #request() {
    const typed = Object.fromEntries(new FormData(this.#form));
    const changed = this.#fields.filter((field) => field.changed());
    const tags = typed.tags.split(",").map((tag) => tag.trim());
    const request = {
      parameters: Object.fromEntries(changed.map((field) => [field.name, field.literal()])),
      name: typed.name.trim(),
      environment: typed.environment,
      size: typed.size,
      timeout: typed.limit && Number(typed.limit) * SECONDS[typed.unit],
      requirements: typed.requirements.trim(),
      tags: tags.filter(Boolean),
    };
    return Object.fromEntries(Object.entries(request).filter(([, value]) => value.length !== 0));
  }

  /** Whether it worked; what does not go is said below the form, in the bench's own words. */
  async #attempt(deed) {
    this.#problem.replaceChildren();
    try {
      await deed();
      return true;
    } catch ({ message, step = "" }) {
      this.#problem.append(element("p", {}, element("strong", {}, ...said(message)), " ", ...said(step)));
      this.#problem.scrollIntoView({ block: "nearest" });
      return false;
    }
  }
}

/** Nothing at all where nothing is in it. */
function group(name, parts) {
  const inside = parts.flat().filter(Boolean);
  return inside.length ? element("fieldset", {}, element("legend", {}, name), inside) : "";
}

function settings(path, { environment, environments, sizes }) {
  const titles = (things) => things.map(({ name, title }) => [name, title || name]);
  const requirements = { name: "requirements", class: "jp-mod-styled", rows: 2, spellcheck: "false" };
  return [
    field("Name", (id) => input(id, { name: "name", maxlength: 100, placeholder: PathExt.basename(path, ".ipynb") })),
    field("Environment", (id) => select(id, environment, titles(environments), "environment")),
    field("Size", (id) => select(id, "", [["", "the environment's own"], ...titles(sizes)], "size")),
    field("Time limit", timeLimit, "It is stopped then, and what it did so far is kept"),
    field(
      "Requirements",
      (id) => element("textarea", { id, ...requirements }),
      "Packages for this run only, one in a line, as in requirements.txt",
    ),
    field("Tags", (id) => input(id, { name: "tags" }), "Words to find it by, with commas between"),
  ];
}

function timeLimit(id) {
  const unit = select(`${id}-unit`, "hours", Object.keys(SECONDS).map((one) => [one, one]), "unit");
  unit.setAttribute("aria-label", "Unit of the time limit");
  const limit = input(id, { name: "limit", type: "number", min: 0, step: "any" });
  return element("div", { class: "drybench-two" }, limit, unit);
}
