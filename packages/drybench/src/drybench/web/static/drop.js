// Notebooks dropped anywhere begin a run: the form is put into this page, so that they need not be chosen again.

import "./form.js"
import "./picker.js"

let depth = 0
const show = (over) => document.documentElement.classList.toggle("dropping", over)
const hasFiles = (event) => event.dataTransfer?.types.includes("Files")

document.addEventListener("dragenter", (event) => { if (hasFiles(event) && ++depth) show(true) })
document.addEventListener("dragleave", (event) => { if (hasFiles(event) && --depth <= 0) { depth = 0; show(false) } })
document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault() })
document.addEventListener("drop", async (event) => {
  if (!hasFiles(event)) return
  event.preventDefault()
  depth = 0
  show(false)
  const files = [...event.dataTransfer.files]
  if (!document.getElementById("new-run")) await openForm()
  sort(files)
})

// Each file goes where it belongs; what is none of these is sent as a notebook, and the bench says what it is.
async function sort(files) {
  const packages = files.find(({ name }) => /^requirements[^/]*\.txt$/i.test(name))
  const table = files.find(({ name }) => /\.(csv|tsv)$/i.test(name))
  const sweep = table && document.getElementById("sweep-table")
  if (packages) fill("requirements", await packages.text())
  if (sweep) give(sweep, [table])
  const notebooks = files.filter((file) => file !== packages && !(sweep && file === table))
  if (notebooks.length) give(document.getElementById("notebook"), notebooks)
}

async function openForm() {
  const answer = await fetch("/runs/new", { headers: { accept: "text/html" } })
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  const form = document.adoptNode(page.getElementById("new-run-page"))
  document.getElementById("main").replaceChildren(document.getElementById("trouble"), form)
  history.pushState({}, "", "/runs/new")
  document.title = page.title
  htmx.process(form)
}

function fill(id, text) {
  const field = document.getElementById(id)
  field.value = text.trim()
  field.rows = Math.min(12, field.value.split("\n").length + 1)
  field.closest("details").open = true
  field.dispatchEvent(new Event("input", { bubbles: true }))
}

function give(input, files) {
  const chosen = new DataTransfer()
  files.forEach((file) => chosen.items.add(file))
  input.files = chosen.files
  input.closest("details")?.setAttribute("open", "")
  input.dispatchEvent(new Event("change", { bubbles: true }))
}

window.addEventListener("popstate", () => location.reload())
