// The form of New run: notebooks on their way, sentences at their fields. Without script it works by its buttons.

const megabytes = (size) => `${(size / 1e6).toFixed(0)} MB`

// Too large or too many is said before anything is sent.
document.addEventListener("change", ({ target }) => {
  if (target.id !== "notebook") return
  target.setCustomValidity(unfit([...target.files], target.form.dataset))
  if (!target.checkValidity()) target.reportValidity()
}, true)

function unfit(files, { limit, most }) {
  const large = files.find(({ size }) => size > Number(limit))
  if (large) return `${large.name} has ${megabytes(large.size)}; this bench takes up to ${megabytes(Number(limit))}.`
  return files.length > Number(most) ? `Choose at most ${most} at once.` : ""
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail
  if (elt.id !== "notebook") return
  if (!elt.files.length || !elt.checkValidity()) return event.preventDefault()
  onItsWay(true)
})

// What has been sent is kept by the bench, so it is not sent once more with the form.
document.addEventListener("htmx:afterRequest", ({ detail: { elt } }) => {
  if (elt.id === "paths") elt.replaceChildren()
  if (elt.id !== "notebook") return
  elt.value = ""
  onItsWay(false)
})

document.addEventListener("htmx:xhr:progress", ({ detail, target }) => {
  if (target.id === "notebook" && detail.lengthComputable) document.getElementById("upload").value = detail.loaded / detail.total
})

document.addEventListener("click", ({ target }) => {
  if (target.id === "stop-sending") htmx.trigger("#notebook", "htmx:abort")
})

function onItsWay(yes) {
  document.querySelector(".on-its-way").hidden = !yes
  document.getElementById("upload").value = 0
}

document.addEventListener("htmx:afterSwap", ({ detail: { target, requestConfig } }) => {
  if (target.dataset?.of) mark(document.getElementById(target.dataset.of), target.querySelector(".wrong"))
  if (target.id === "fields" && requestConfig.path === "/runs/new") lead(target)
})

function mark(field, wrong) {
  if (wrong) field.setAttribute("aria-invalid", "true")
  else field.removeAttribute("aria-invalid")
}

// After a press what is to be read comes into sight.
function lead(fields) {
  const wrong = fields.querySelector("[aria-invalid]")
  const said = fields.querySelector("#made, [role=alert]")
  if (wrong) wrong.focus()
  else said?.scrollIntoView({ block: "center" })
}
