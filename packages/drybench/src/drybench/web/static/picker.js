// Choose from one's own files on the bench's machine: <file-picker for="ID"> fills that field,
// <file-picker notebooks> takes notebooks into the form.

customElements.define("file-picker", class extends HTMLElement {
  connectedCallback() { this.addEventListener("click", () => new Picker(this).open()) }
})

class Picker {
  constructor(button) {
    this.notebooks = button.hasAttribute("notebooks")
    this.field = this.notebooks ? null : document.getElementById(button.getAttribute("for"))
    this.beside = button.getAttribute("beside") ?? ""
    this.chosen = new Set()
    this.since = 0
  }

  open() {
    this.search = make("input", { type: "search", id: "picker-search", placeholder: "Filter by name", autocomplete: "off", ariaLabel: "Filter by name" })
    this.hidden = make("input", { type: "checkbox" })
    this.places = make("nav", { className: "places", ariaLabel: "Where to begin" })
    this.way = make("nav", { className: "way", ariaLabel: "Folder" })
    this.list = make("tbody")
    this.more = make("button", { type: "button", className: "link", textContent: "Show more", hidden: true })
    this.said = make("p", { className: "muted" })
    this.said.setAttribute("role", "status")
    this.take = make("button", { type: "button", className: "button primary" })
    this.dialog = make("dialog", { className: "picker" },
      make("h2", { id: "picker-title", textContent: this.notebooks ? "Choose notebooks" : "Choose a file or a folder" }),
      this.places, this.way, make("div", { className: "filter" }, this.search, make("label", {}, this.hidden, " hidden ones too")),
      make("div", { className: "scrolls", tabIndex: -1 }, make("table", {}, head(), this.list)), this.more, this.said,
      make("div", { className: "deeds" }, this.take, make("button", { type: "button", className: "button close", textContent: "Cancel" })))
    this.dialog.setAttribute("aria-labelledby", "picker-title")
    this.listen()
    document.body.append(this.dialog)
    this.dialog.showModal()
    this.show(this.beside ? this.beside.replace(/\/[^/]*$/, "") : "")
  }

  listen() {
    let typing
    this.search.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => this.show(this.folder), 200) })
    this.hidden.addEventListener("change", () => this.show(this.folder))
    this.more.addEventListener("click", () => this.show(this.folder, this.since))
    this.take.addEventListener("click", () => this.finish(this.notebooks ? [...this.chosen] : [this.folder]))
    this.dialog.querySelector(".close").addEventListener("click", () => this.dialog.close())
    this.dialog.addEventListener("close", () => this.dialog.remove())
    this.dialog.addEventListener("keydown", (event) => this.step(event))
  }

  // Arrows go from row to row; Escape closes, as with every dialog.
  step(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!moves) return
    event.preventDefault()
    const rows = [...this.list.querySelectorAll("button, input")]
    const place = rows.indexOf(document.activeElement)
    rows[Math.min(Math.max(place + moves, 0), rows.length - 1)]?.focus()
  }

  async show(folder, since = 0) {
    if (folder !== this.folder) this.search.value = ""
    const asked = { folder, since, beside: this.beside, search: this.search.value, hidden: this.hidden.checked, pattern: this.notebooks ? "*.ipynb" : "" }
    const turn = this.turn = {}
    let answer, found
    try {
      answer = await fetch(`/api/v1/files?${new URLSearchParams(asked)}`, { headers: { accept: "application/json" } })
      found = await answer.json()
    } catch {
      found = { sentence: "The bench does not answer.", next_step: "Try it again in a moment." }
    }
    if (turn !== this.turn) return // something else was asked for meanwhile
    if (!answer?.ok) return this.said.textContent = `${found.sentence} ${found.next_step}`
    this.fill(found, since)
  }

  fill(found, since) {
    this.folder = found.folder
    this.places.hidden = found.places.length < 2
    this.places.replaceChildren(...found.places.map((place) => this.leads(place, "button quiet")))
    this.way.replaceChildren(...found.way.flatMap((place, n) => [n ? " / " : "", n === found.way.length - 1 ? strong(place.name) : this.leads(place, "link")]))
    const rows = found.items.map((item) => this.row(item))
    since ? this.list.append(...rows) : this.list.replaceChildren(...rows)
    this.since = found.next
    this.more.hidden = found.next === null
    this.said.textContent = this.about(found)
    this.count()
    if (!since && !this.dialog.contains(document.activeElement)) this.search.focus()
  }

  about(found) {
    if (!this.list.children.length) return this.notebooks ? "There is no notebook here." : "There is nothing here."
    return found.cut ? "This folder has more names than are looked at; filter by name." : ""
  }

  leads(place, className) {
    const button = make("button", { type: "button", className, textContent: place.name, title: place.path })
    button.addEventListener("click", () => this.show(place.path))
    return button
  }

  row(item) {
    const size = item.size === null ? "" : amount(item.size)
    const changed = item.modified === null ? "" : new Date(item.modified * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
    return make("tr", {}, make("th", { scope: "row" }, this.name(item)), make("td", { className: "number", textContent: size }), make("td", { className: "number", textContent: changed }))
  }

  name(item) {
    if (item.path === null) return make("span", { className: "muted", textContent: `${item.name}${item.kind === "link" ? " (leads elsewhere)" : ""}` })
    if (item.kind === "folder") return this.leads({ name: `${item.name}/`, path: item.path }, "link")
    return this.notebooks ? this.tick(item) : this.picks(item)
  }

  picks(item) {
    const button = make("button", { type: "button", className: "link", textContent: item.name })
    button.addEventListener("click", () => this.finish([item.path]))
    return button
  }

  tick(item) {
    const box = make("input", { type: "checkbox", checked: this.chosen.has(item.path) })
    box.addEventListener("change", () => { this.chosen[box.checked ? "add" : "delete"](item.path); this.count() })
    return make("label", {}, box, ` ${item.name}`)
  }

  count() {
    const many = this.chosen.size
    this.take.textContent = !this.notebooks ? "Use this folder" : many > 1 ? `Take ${many} notebooks` : "Take it"
    this.take.disabled = this.notebooks && !many
  }

  finish(paths) {
    this.dialog.close()
    if (this.field) {
      this.field.value = paths[0]
      this.field.dispatchEvent(new Event("input", { bubbles: true }))
      this.field.focus()
      return
    }
    document.getElementById("paths").replaceChildren(...paths.map((value) => make("input", { type: "hidden", name: "path", value })))
    htmx.trigger("#paths", "chosen")
  }
}

function head() {
  const names = [["Name", ""], ["Size", "number"], ["Changed", "number"]]
  return make("thead", {}, make("tr", {}, ...names.map(([textContent, className]) => make("th", { scope: "col", textContent, className }))))
}

function strong(textContent) {
  const here = make("strong", { textContent })
  here.setAttribute("aria-current", "location")
  return here
}

function make(tag, about = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), about)
  made.append(...inside)
  return made
}

function amount(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  let power = 0
  while (count >= 1024 && power < 4) { count /= 1024; power += 1 }
  return power ? `${count.toFixed(count < 10 ? 1 : 0)} ${units[power]}` : count === 1 ? "1 byte" : `${count} bytes`
}
