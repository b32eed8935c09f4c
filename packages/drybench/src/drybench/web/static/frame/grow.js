// Runs inside the sandboxed frame, where it can harm nobody: draws what a run has written so far, in the
// places that nbconvert's own page would give it, and tells the page how high it has become.

import { markdown, ours, plotly, typeset } from "./libraries.js"
import { Printed, coloured } from "./printed.js"
import * as widgets from "./widgets.js"

const PLOTLY = "application/vnd.plotly.v1+json"
const WIDGET = "application/vnd.jupyter.widget-view+json"
const ORDER = [PLOTLY, WIDGET, "application/javascript", "text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp", "text/latex", "text/plain"]
const MOST_OUTPUTS = 200 // of one cell; of more the last ones are shown
const printed = new WeakMap() // the terminal in an output's element

const happened = {
  cell({ index }) {
    document.querySelector(".running")?.classList.remove("running")
    cellOf(index)?.classList.add("running")
    clear(index)
    prompt(index, "*")
  },
  output({ index, output, display_id, earlier }) {
    if (display_id) happened.update({ output, display_id })
    const area = areaOf(index)
    if (area && output) put(area, output, display_id, earlier)
  },
  left_out({ index, outputs }) { sayLeftOut(areaOf(index), outputs) },
  update({ display_id, output }) {
    for (const shown of document.querySelectorAll(`[data-display-id="${CSS.escape(display_id)}"]`)) {
      shown.replaceWith(child({ output_type: "display_data", ...output }, display_id))
    }
  },
  clear({ index }) { clear(index) },
  cell_ended({ index, execution_count }) {
    cellOf(index)?.classList.remove("running")
    prompt(index, execution_count ?? " ")
  },
  widgets({ state }) {
    widgets.tell(state).catch(passedOver)
    for (const place of document.querySelectorAll("[data-model]")) drawWidget(place)
  },
  ended() { document.querySelector(".running")?.classList.remove("running") },
}

window.addEventListener("message", ({ source, data }) => {
  if (source !== parent) return
  if (data.hello) sayReady()
  take(data.events ?? [])
})

function take(events) {
  for (const event of events) {
    try { happened[event.event]?.(event) } catch (problem) { passedOver(problem, event) }
  }
}

function passedOver(problem, event) { console.warn("passed over", event, problem) }

function cellOf(index) { return document.getElementById(`cell-id=cell-${index}`) }

function areaOf(index) {
  const cell = cellOf(index)
  if (!cell) return null
  let area = cell.querySelector(".jp-OutputArea")
  if (!area) {
    cell.insertAdjacentHTML("beforeend", '<div class="jp-Cell-outputWrapper"><div class="jp-Collapser jp-OutputCollapser jp-Cell-outputCollapser"></div><div class="jp-OutputArea jp-Cell-outputArea"></div></div>')
    cell.classList.remove("jp-mod-noOutputs")
    area = cell.querySelector(".jp-OutputArea")
  }
  return area
}

function clear(index) { cellOf(index)?.querySelector(".jp-OutputArea")?.replaceChildren() }

function prompt(index, count) {
  const place = cellOf(index)?.querySelector(".jp-InputPrompt")
  if (place) place.textContent = `In\u00a0[${count}]:`
}

function put(area, output, id, earlier) {
  const last = area.lastElementChild
  if (output.output_type === "stream" && last?.dataset.stream === output.name && !earlier) {
    printed.get(last).write(text(output.text))
    return
  }
  area.append(child(output, id, earlier))
  if (area.children.length > MOST_OUTPUTS + 1) {
    area.querySelector(":scope > .jp-OutputArea-child:not(.left-out)").remove()
    sayLeftOut(area, 1)
  }
}

function sayLeftOut(area, more) {
  if (!area) return
  let note = area.querySelector(":scope > .left-out")
  if (!note) {
    note = element("div", "jp-OutputArea-child left-out")
    note.dataset.count = 0
    note.append(document.createElement("small"))
    area.prepend(note)
  }
  note.dataset.count = Number(note.dataset.count) + more
  note.firstChild.textContent = `${Number(note.dataset.count).toLocaleString("en")} earlier outputs are not shown here; the downloaded notebook has them.`
}

function child(output, id, earlier) {
  const box = element("div", "jp-OutputArea-child")
  const result = output.output_type === "execute_result"
  if (result) box.classList.add("jp-OutputArea-executeResult")
  const side = element("div", "jp-OutputPrompt jp-OutputArea-prompt")
  if (result) side.textContent = `Out[${output.execution_count ?? " "}]:`
  box.append(side)
  if (id) box.dataset.displayId = id
  if (output.output_type === "stream") {
    box.dataset.stream = output.name
    write(box, output.name === "stderr", text(output.text), earlier)
  } else if (output.output_type === "error") {
    write(box, true, (output.traceback ?? []).map(text).join("\n") || `${output.ename}: ${output.evalue}`)
  } else {
    box.append(rendered(output.data ?? {}))
  }
  return box
}

function write(box, isError, words, earlier) {
  const place = element("div", "jp-RenderedText jp-OutputArea-output")
  place.dataset.mimeType = isError ? "application/vnd.jupyter.stderr" : "text/plain"
  box.append(place)
  const terminal = new Printed(place, earlier)
  printed.set(box, terminal)
  terminal.write(words)
}

function rendered(data) {
  const kind = ORDER.find((one) => one in data) ?? "text/plain"
  const place = element("div", "jp-OutputArea-output")
  place.dataset.mimeType = kind
  try {
    draw(place, kind, data)
  } catch (problem) {
    instead(place, data, problem)
  }
  return place
}

function draw(place, kind, data) {
  const content = text(data[kind] ?? "")
  if (kind === PLOTLY) {
    place.classList.add("plotly-figure")
    whenShown(place, () => plotly(place, data[kind]), data)
  } else if (kind === WIDGET) {
    place.classList.add("jupyter-widgets-view")
    place.dataset.model = data[kind].model_id
    instead(place, data)
    drawWidget(place)
  } else if (kind.startsWith("image/")) {
    place.classList.add("jp-RenderedImage")
    const picture = document.createElement("img")
    picture.alt = text(data["text/plain"] ?? "") || "Output of this cell"
    picture.src = kind === "image/svg+xml" ? `data:${kind},${encodeURIComponent(content)}` : `data:${kind};base64,${content.replace(/\s/g, "")}`
    place.append(picture)
  } else if (kind === "text/html") {
    place.classList.add("jp-RenderedHTMLCommon", "jp-RenderedHTML")
    place.innerHTML = content
    whenShown(place, () => scripts(place), data)
  } else if (kind === "text/markdown") {
    place.classList.add("jp-RenderedHTMLCommon", "jp-RenderedMarkdown")
    whenShown(place, () => markdown(place, content), data)
  } else if (kind === "application/javascript") {
    const script = document.createElement("script")
    script.textContent = content
    place.append(script)
  } else {
    plain(place, kind, content)
  }
}

function plain(place, kind, content) {
  place.classList.add("jp-RenderedText")
  const latex = kind === "text/latex"
  const words = document.createElement(latex ? "div" : "pre")
  words.append(...coloured(content))
  place.replaceChildren(words)
  if (latex) whenShown(words, () => typeset(words), {})
}

// Libraries measure the place that they draw in, so it must be in the page first.
function whenShown(place, work, data) {
  queueMicrotask(() => Promise.resolve().then(work).catch((problem) => instead(place, data, problem)))
}

function instead(place, data, problem) {
  if (problem) passedOver(problem)
  plain(place, "text/plain", text(data["text/plain"] ?? "This output cannot be drawn here; JupyterLab may know how."))
}

function drawWidget(place) {
  const id = place.dataset.model
  if (!widgets.isKnown(id)) return
  delete place.dataset.model
  const words = { "text/plain": place.textContent }
  whenShown(place, () => widgets.draw(place, id), words)
}

// Scripts that came by innerHTML do not run; those that are made do, one after the other, and here they may.
async function scripts(place) {
  for (const script of place.querySelectorAll("script")) {
    const fresh = document.createElement("script")
    for (const { name, value } of script.attributes) if (name !== "integrity" && name !== "src") fresh.setAttribute(name, value)
    fresh.textContent = script.textContent
    const loaded = script.src && new Promise((done) => Object.assign(fresh, { onload: done, onerror: done, src: ours(script.src) }))
    script.replaceWith(fresh)
    await loaded
  }
}

function text(value) {
  if (Array.isArray(value)) return value.join("")
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "")
}

function element(name, classes) {
  const made = document.createElement(name)
  made.className = classes
  return made
}

function sayHeight() {
  const main = document.querySelector("main") ?? document.body
  parent.postMessage({ height: Math.ceil(main.getBoundingClientRect().bottom + window.scrollY) + 12 }, "*")
}

const sofar = JSON.parse(document.getElementById("so-far")?.textContent ?? '{"events":[],"next":0}')

function sayReady() {
  parent.postMessage({ ready: true, since: sofar.next }, "*")
  sayHeight()
}

take(sofar.events)
new ResizeObserver(sayHeight).observe(document.querySelector("main") ?? document.body)
window.addEventListener("load", sayHeight)
sayReady()
