// What all pages do: put new content in without moving what is read, tell times in the browser's own zone,
// say where something did not go.

// htmx swaps by `morph`: what is the same stays, with its focus, its open details and its scrolling.
htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph",
  handleSwap(style, target, fragment) {
    if (style !== "morph") return false
    const fresh = fragment.firstElementChild
    if (fresh) morph(target, fresh)
    htmx.process(target)
    return true
  },
})
document.body.setAttribute("hx-ext", "morph")

export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id && fresh.id && old.id !== fresh.id)) {
    old.replaceWith(fresh)
    return
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue
    return
  }
  if (old.isEqualNode(fresh) || old.hasAttribute("data-own")) return // what is in it comes from elsewhere
  morphAttributes(old, fresh)
  if (old === document.activeElement && old.matches("input, textarea, select")) return
  morphChildren(old, fresh)
  old.tell?.()
}

function morphAttributes(old, fresh) {
  const own = old.localName === "details" ? ["open"] : []
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !own.includes(name)) old.removeAttribute(name)
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !own.includes(name)) old.setAttribute(name, value)
  }
  if (fresh.matches("details:has([aria-invalid])")) old.open = true // what is wrong is never hidden
  if (old.localName === "input" && old.type !== "file" && old !== document.activeElement) old.value = fresh.getAttribute("value") ?? ""
}

function morphChildren(old, fresh) {
  const known = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]))
  let place = old.firstChild
  for (const child of [...fresh.childNodes]) {
    const same = child.id && known.get(child.id)
    if (same && same !== place) {
      old.insertBefore(same, place)
      morph(same, child)
    } else if (place && !(place.id && place.id !== child.id && known.has(place.id) && fresh.querySelector(`#${CSS.escape(place.id)}`))) {
      const next = place.nextSibling
      morph(place, child)
      place = next
    } else {
      old.insertBefore(child, place)
    }
  }
  while (place) {
    const next = place.nextSibling
    place.remove()
    place = next
  }
}

// Every request carries the token that shows it comes from this page.
document.addEventListener("htmx:configRequest", ({ detail }) => {
  detail.headers["X-XSRFToken"] = document.body.dataset.xsrf
})

// A refused form comes back as the form with its sentences; any other refusal is said above.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status, responseText } = detail.xhr
  if (status < 400) return
  const answer = new DOMParser().parseFromString(responseText, "text/html")
  const wanted = detail.elt.closest("[hx-select]")?.getAttribute("hx-select")
  if (wanted && answer.querySelector(wanted)) detail.shouldSwap = true
  else if (detail.requestConfig.verb !== "get") say(answer.querySelector("#error")?.innerText)
})
document.addEventListener("htmx:sendError", ({ detail }) => {
  if (detail.requestConfig.verb !== "get") say()
})

export function say(sentence = "The bench does not answer. What you typed is kept; try it again in a moment.") {
  const words = document.createElement("p")
  words.textContent = sentence
  const box = document.createElement("div")
  box.className = "error"
  box.append(words)
  document.getElementById("trouble").replaceChildren(box)
  document.getElementById("trouble").scrollIntoView({ block: "nearest" })
}

// "12 min ago" moves on; the exact time is said in the browser's zone on hover.
customElements.define("time-ago", class extends HTMLElement {
  connectedCallback() {
    this.time = this.querySelector("time")
    if (!this.time) return
    this.timer = setInterval(() => this.tell(), 20_000)
    this.tell()
  }
  disconnectedCallback() { clearInterval(this.timer) }
  tell() {
    const then = new Date(this.time.dateTime)
    const words = ago((Date.now() - then) / 1000)
    if (this.time.textContent !== words) this.time.textContent = words
    this.time.title = then.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })
  }
})

customElements.define("time-taken", class extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("until")) return
    this.timer = setInterval(() => this.tell(), 1000)
  }
  disconnectedCallback() { clearInterval(this.timer) }
  tell() {
    if (this.hasAttribute("until")) return clearInterval(this.timer)
    this.textContent = duration((Date.now() - new Date(this.getAttribute("since"))) / 1000)
  }
})

// An exact time in the browser's own zone.
customElements.define("local-time", class extends HTMLElement {
  connectedCallback() { this.tell() }
  tell() {
    const time = this.querySelector("time")
    if (time) time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
  }
})

customElements.define("own-zone", class extends HTMLElement {
  connectedCallback() { this.querySelector("input").value = Intl.DateTimeFormat().resolvedOptions().timeZone }
})

// A time zone that nobody has chosen yet is the browser's own.
customElements.define("browser-zone", class extends HTMLElement {
  connectedCallback() {
    const select = this.querySelector("select")
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
    if (this.hasAttribute("open") && [...select.options].some((one) => one.value === zone)) select.value = zone
  }
})

// Rows to add and to take out.
customElements.define("row-list", class extends HTMLElement {
  constructor() {
    super()
    this.addEventListener("click", ({ target }) => {
      const button = target.closest("button")
      if (button?.matches("[data-add]")) this.add(button)
      if (button?.matches("[data-remove]")) this.takeOut(button.closest(".row"))
    })
  }
  add(button) {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true)
    button.before(row)
    row.querySelector("input").select()
  }
  takeOut(row) {
    row.remove()
    this.querySelector("[data-add]").focus()
    this.dispatchEvent(new Event("input", { bubbles: true })) // what was said of it may hold no longer
  }
})

// The session is ready: go there, and let Back lead to where one came from.
customElements.define("go-to", class extends HTMLElement {
  connectedCallback() { location.replace(this.getAttribute("href")) }
})

export function ago(seconds) {
  if (seconds < 60) return "just now"
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  const days = Math.floor(seconds / 86400)
  return days === 1 ? "1 day ago" : `${days} days ago`
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (number) => String(number).padStart(2, "0")
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`
}
