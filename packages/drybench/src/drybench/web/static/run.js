// The Run page's live parts: the notebook that grows in its frame, and the log.

// The frame has no origin and no network; this page fetches what is new and hands it over.
customElements.define("growing-notebook", class extends HTMLElement {
  connectedCallback() {
    this.frame = this.querySelector("iframe")
    this.since = 0
    this.ready = false
    window.addEventListener("message", this.heard)
    this.frame.contentWindow.postMessage({ hello: true }, "*")
    if (!this.hasAttribute("growing")) return
    this.onNews = () => this.fetchNews()
    for (const name of newsOf(this)) document.body.addEventListener(name, this.onNews)
  }
  disconnectedCallback() {
    window.removeEventListener("message", this.heard)
    if (this.onNews) for (const name of newsOf(this)) document.body.removeEventListener(name, this.onNews)
  }
  // Whatever is in the frame may say anything: only a number within reason counts.
  heard = ({ source, data }) => {
    if (source !== this.frame.contentWindow) return
    const height = Number(data?.height)
    if (height > 0) this.frame.style.height = `${Math.min(Math.ceil(height), 200_000) + 2}px`
    if (data?.ready && !this.ready) {
      this.ready = true
      this.since = Number.isSafeInteger(data.since) && data.since > 0 ? data.since : 0
      this.fetchNews()
    }
  }
  async fetchNews() {
    if (!this.ready || !this.hasAttribute("growing")) return
    if (this.busy) { this.again = true; return }
    this.busy = true
    try {
      do {
        this.again = false
        const answer = await fetch(`${this.getAttribute("journal")}?since=${this.since}`)
        if (!answer.ok) return
        const { events, next, ended } = await answer.json()
        if (next > this.since) this.again = true
        this.since = next
        if (events.length) this.frame.contentWindow.postMessage({ events }, "*")
        if (ended && !this.again) this.removeAttribute("growing")
      } while (this.again)
    } catch {
      setTimeout(() => this.fetchNews(), 3000)
    } finally {
      this.busy = false
    }
  }
})

function newsOf(part) {
  if (part.hasAttribute("build")) return [`changed-build-${part.getAttribute("build")}`]
  return ["output", "run"].map((kind) => `changed-${kind}-${part.getAttribute("run")}`)
}

customElements.define("live-log", class extends HTMLElement {
  connectedCallback() {
    this.details = this.querySelector("details")
    this.pre = this.querySelector("pre")
    this.since = 0
    this.details?.addEventListener("toggle", () => this.read())
    for (const name of newsOf(this)) document.body.addEventListener(name, () => this.read())
    this.read()
  }
  async read() {
    if (this.details && !this.details.open) return
    if (this.busy) { this.again = true; return }
    this.busy = true
    try {
      let text
      do {
        this.again = false
        const answer = await fetch(`${this.getAttribute("src")}?since=${this.since}`)
        if (!answer.ok) return
        text = await answer.text()
        this.since = Number(answer.headers.get("drybench-next"))
        const atEnd = this.pre.scrollTop + this.pre.clientHeight >= this.pre.scrollHeight - 8
        if (text && !this.text) this.pre.replaceChildren()
        this.text ||= Boolean(text)
        if (text) this.pre.append(text)
        if (atEnd) this.pre.scrollTop = this.pre.scrollHeight
      } while (text || this.again)
      if (!this.text) this.pre.textContent = "Nothing yet."
    } catch {
      // the next change asks again
    } finally {
      this.busy = false
    }
  }
})
