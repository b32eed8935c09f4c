// Runs inside the sandboxed frame, where it can harm nobody: draws what a run has written so far, in the
// places that nbconvert's own page would give it, and tells the page how high it has become.

const ORDER = ["application/javascript", "text/html", "image/svg+xml", "image/png", "image/jpeg", "text/latex", "text/markdown", "text/plain"]
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
const MATHJAX = new URL("../vendor/mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe", document.currentScript.src)
const raw = new WeakMap() // what a stream's element has been given, with its carriage returns

const happened = {
  cell({ index }) {
    document.querySelector(".running")?.classList.remove("running")
    cellOf(index)?.classList.add("running")
    clear(index)
    prompt(index, "*")
  },
  output({ index, output, display_id }) {
    if (display_id) happened.update({ output, display_id })
    const area = areaOf(index)
    if (area && output) put(area, output, display_id)
  },
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
  ended() { document.querySelector(".running")?.classList.remove("running") },
}

window.addEventListener("message", ({ source, data }) => {
  if (source !== parent) return
  if (data.hello) sayReady()
  for (const event of data.events ?? []) {
    try { happened[event.event]?.(event) } catch (problem) { console.warn("passed over", event, problem) }
  }
})

function cellOf(index) { return document.getElementById(`cell-id=cell-${index}`) }

function areaOf(index) {
  const cell = cellOf(index)
  if (!cell) return null
  let area = cell.querySelector(".jp-OutputArea")
  if (!area) {
    cell.insertAdjacentHTML("beforeend", '<div class="jp-Cell-outputWrapper"><div class="jp-OutputArea jp-Cell-outputArea"></div></div>')
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

function put(area, output, id) {
  const last = area.lastElementChild
  if (output.output_type === "stream" && last?.dataset.stream === output.name) addText(last, text(output.text))
  else area.append(child(output, id))
}

function child(output, id) {
  const box = element("div", "jp-OutputArea-child")
  const result = output.output_type === "execute_result"
  if (result) box.classList.add("jp-OutputArea-executeResult")
  const side = element("div", "jp-OutputPrompt jp-OutputArea-prompt")
  if (result) side.textContent = `Out[${output.execution_count ?? " "}]:`
  box.append(side)
  if (id) box.dataset.displayId = id
  if (output.output_type === "stream") {
    box.dataset.stream = output.name
    box.append(written(output.name === "stderr"))
    addText(box, text(output.text))
  } else if (output.output_type === "error") {
    box.append(written(true))
    addText(box, (output.traceback ?? []).map(text).join("\n") || `${output.ename}: ${output.evalue}`)
  } else {
    box.append(rendered(output.data ?? {}))
  }
  return box
}

function written(isError) {
  const place = element("div", "jp-RenderedText jp-OutputArea-output")
  place.dataset.mimeType = isError ? "application/vnd.jupyter.stderr" : "text/plain"
  place.append(document.createElement("pre"))
  return place
}

function addText(box, more) {
  const pre = box.querySelector("pre")
  const before = raw.get(box) ?? ""
  raw.set(box, before + more)
  const whole = /[\r\b]/.test(more) || before.endsWith("\r") || /\x1b[^m]*$/.test(before)
  if (whole) pre.replaceChildren(...coloured(overwritten(before + more)))
  else pre.append(...coloured(more))
}

// A carriage return goes back to the start of the line, as progress bars do.
function overwritten(all) {
  return all.replace(/\r+\n/g, "\n").split("\n").map((line) => line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1)).join("\n")
}

function coloured(all) {
  const parts = []
  let classes = []
  for (const [, codes, plain] of all.matchAll(/(?:\x1b\[([\d;]*)[A-Za-z])?([^\x1b]*|\x1b)/g)) {
    if (codes !== undefined) classes = next(classes, codes)
    if (!plain) continue
    const piece = classes.length ? element("span", classes.join(" ")) : document.createTextNode("")
    piece.textContent = plain
    parts.push(piece)
  }
  return parts
}

function next(classes, codes) {
  let now = classes
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) now = []
    else if (code === 1) now = [...now, "ansi-bold"]
    else if (code === 4) now = [...now, "ansi-underline"]
    else if (code >= 30 && code < 38) now = [...without(now, "fg"), `ansi-${COLOURS[code - 30]}-fg`]
    else if (code >= 40 && code < 48) now = [...without(now, "bg"), `ansi-${COLOURS[code - 40]}-bg`]
    else if (code >= 90 && code < 98) now = [...without(now, "fg"), `ansi-${COLOURS[code - 90]}-intense-fg`]
    else if (code === 39) now = without(now, "fg")
    else if (code === 49) now = without(now, "bg")
    else if (code === 38 || code === 48) break // 256 colours are shown without
  }
  return now
}

function without(classes, end) { return classes.filter((one) => !one.endsWith(end)) }

function rendered(data) {
  const kind = ORDER.find((one) => one in data) ?? "text/plain"
  const content = text(data[kind] ?? "")
  const place = element("div", "jp-OutputArea-output")
  place.dataset.mimeType = kind
  if (kind.startsWith("image/")) {
    place.classList.add("jp-RenderedImage")
    const picture = document.createElement("img")
    picture.alt = text(data["text/plain"] ?? "") || "Output of this cell"
    picture.src = kind === "image/svg+xml" ? `data:${kind},${encodeURIComponent(content)}` : `data:${kind};base64,${content.replace(/\s/g, "")}`
    place.append(picture)
  } else if (kind === "text/html") {
    place.classList.add("jp-RenderedHTMLCommon", "jp-RenderedHTML")
    place.innerHTML = content
    for (const script of place.querySelectorAll("script")) script.replaceWith(again(script))
  } else if (kind === "application/javascript") {
    const script = document.createElement("script")
    script.textContent = content
    place.append(script)
  } else {
    place.classList.add("jp-RenderedText")
    const latex = kind === "text/latex"
    const words = document.createElement(latex ? "div" : "pre")
    words.append(...coloured(content))
    place.append(words)
    if (latex) typeset(words)
  }
  return place
}

// A script that came by innerHTML does not run; one that is made does, and here it may.
function again(script) {
  const fresh = document.createElement("script")
  for (const { name, value } of script.attributes) fresh.setAttribute(name, value)
  fresh.textContent = script.textContent
  return fresh
}

let mathjax = null
function typeset(place) {
  mathjax ??= window.MathJax.Hub ? Promise.resolve() : new Promise((done) => {
    const script = document.createElement("script")
    script.src = MATHJAX
    script.onload = done
    document.head.append(script)
  })
  mathjax.then(() => window.MathJax.Hub.Queue(["Typeset", window.MathJax.Hub, place]))
}

function text(value) { return Array.isArray(value) ? value.join("") : String(value ?? "") }

function element(name, classes) {
  const made = document.createElement(name)
  made.className = classes
  return made
}

function sayHeight() {
  const main = document.querySelector("main") ?? document.body
  parent.postMessage({ height: Math.ceil(main.getBoundingClientRect().bottom + window.scrollY) + 12 }, "*")
}

function sayReady() {
  parent.postMessage({ ready: true }, "*")
  sayHeight()
}

new ResizeObserver(sayHeight).observe(document.querySelector("main") ?? document.body)
window.addEventListener("load", sayHeight)
sayReady()
