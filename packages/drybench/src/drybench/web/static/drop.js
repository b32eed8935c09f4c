// A notebook dropped anywhere begins a run: the form is put into this page, so that the file need not be chosen again.

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
  const file = [...event.dataTransfer.files].find(({ name }) => name.endsWith(".ipynb")) ?? event.dataTransfer.files[0]
  if (!document.getElementById("new-run")) await openForm()
  choose(file)
})

async function openForm() {
  const answer = await fetch("/runs/new", { headers: { accept: "text/html" } })
  const page = new DOMParser().parseFromString(await answer.text(), "text/html")
  const form = document.adoptNode(page.getElementById("new-run-page"))
  document.getElementById("main").replaceChildren(document.getElementById("trouble"), form)
  history.pushState({}, "", "/runs/new")
  document.title = page.title
  htmx.process(form)
}

function choose(file) {
  const input = document.getElementById("notebook")
  const chosen = new DataTransfer()
  chosen.items.add(file)
  input.files = chosen.files
  input.dispatchEvent(new Event("change", { bubbles: true }))
}

window.addEventListener("popstate", () => location.reload())

// Too large is said before anything is sent.
document.addEventListener("change", ({ target }) => {
  if (target.id !== "notebook") return
  const most = Number(target.form.dataset.limit)
  const size = target.files[0]?.size ?? 0
  target.setCustomValidity(size > most ? `This file has ${(size / 1e6).toFixed(0)} MB; this bench takes up to ${(most / 1e6).toFixed(0)} MB.` : "")
  if (size > most) target.reportValidity()
}, true)
