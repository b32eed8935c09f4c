// Widgets as they were last, drawn by ipywidgets' own extension of the classic notebook (widgetsnbextension).
// That expects a notebook around it: here stands the little of one that it asks for. There is no kernel.

import { amd } from "./libraries.js"

const EXTENSION = "nbextensions/jupyter-js-widgets/extension"
const PATH = new URL("../vendor/widgets/extension", import.meta.url).href
const known = {} // model id → its state as it was told last
let shower = null

// What is known of models may come in parts, and again with what has changed.
export async function tell(state) {
  for (const [id, model] of Object.entries(state)) known[id] = { ...model, state: { ...known[id]?.state, ...model.state } }
  const manager = await shower
  if (!manager) return
  const here = Object.entries(state).filter(([id]) => manager.has_model(id))
  await Promise.all(here.map(async ([id, model]) => (await manager.get_model(id)).set_state(model.state)))
  await manager.set_state({ version_major: 2, version_minor: 0, state: without(state, here) })
}

export function isKnown(id) { return id in known }

export async function draw(place, id) {
  shower ??= begin()
  const manager = await shower
  if (!manager.has_model(id)) await manager.set_state({ version_major: 2, version_minor: 0, state: known })
  const view = await manager.create_view(await manager.get_model(id))
  place.replaceChildren()
  view.luminoWidget.constructor.attach(view.luminoWidget, place)
}

function without(state, gone) {
  const names = new Set(gone.map(([id]) => id))
  return Object.fromEntries(Object.entries(state).filter(([id]) => !names.has(id)))
}

async function begin() {
  const requirejs = await amd()
  const Manager = await managerOfTheExtension(requirejs)
  class Shower extends Object.getPrototypeOf(Manager) {
    loadClass(name, module, version) { return Manager.prototype.loadClass.call(this, name, module, version) }
    async _get_comm_info() { return {} }
    async _create_comm() { return { comm_id: "", open() {}, send() {}, close() {}, on_msg() {}, on_close() {} } }
  }
  return new Shower()
}

async function managerOfTheExtension(requirejs) {
  const handlers = {}
  const events = { on: (names, handler) => names.split(" ").forEach((name) => { handlers[name] = handler }) }
  const nothing = new Proxy(function () {}, { get: (_, name) => (name === "then" ? undefined : nothing), apply: () => nothing })
  const notebook = { metadata: {}, container: { on() {} }, get_cells: () => [], keyboard_manager: nothing }
  const Jupyter = { version: "6.5.0", notebook, notification_area: nothing, menubar: nothing }
  class OutputArea { register_mime_type() {} }
  window.Jupyter = Jupyter
  define("base/js/namespace", [], () => Jupyter)
  define("base/js/events", [], () => events)
  define("notebook/js/outputarea", [], () => ({ OutputArea }))
  requirejs.config({ paths: { [EXTENSION]: PATH } })
  const extension = await new Promise((done, failed) => requirejs([EXTENSION], done, failed))
  await extension.load_ipython_extension()
  const menu = placeForItsMenu()
  handlers["kernel_created.Kernel"](null, { kernel: { comm_manager: { register_target() {}, new_comm: nothing, kernel: nothing } } })
  menu.remove()
  return Jupyter.WidgetManager
}

function placeForItsMenu() {
  const bar = document.createElement("ul")
  bar.innerHTML = '<li><ul id="help_menu"></ul></li>'
  document.body.append(bar)
  return bar
}
