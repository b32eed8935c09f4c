// Somebody else's desktop. What may be seen, the portal says (in #share) and enforces; here it is only drawn.

import { Screen } from "/static/screen/screen.js"

const SHARE_ENDED = 4004, SCREEN_ENDED = 4003, NO_SUCH_APP = 4005
const AGAIN = 5000 // ms
const WORDS = {
  connecting: "Connecting …",
  waiting: "The connection is cut; it is tried again by itself.",
  asleep: "There is no desktop at the moment. It comes up here when its owner opens it.",
  never: "This session has no such screen any more.",
  "not yet": "It has not been opened yet by {owner}. It comes up here then.",
  starting: "{owner} opens it now.",
  alone: "{owner} works alone now: you only see it.",
}

customElements.define("shared-screen", class extends HTMLElement {
  connectedCallback() {
    this.says = this.querySelector("[role=status]")
    this.host = this.querySelector(".screen")
    this.querySelector("[data-do=whole]")?.addEventListener("click", () => this.host.requestFullscreen())
    this.share = this.closest("[data-standing]") ?? document.getElementById("share")
    this.looks = new MutationObserver(() => this.match())
    this.looks.observe(this.share, { attributes: true, attributeFilter: ["data-standing"] })
    this.match()
  }

  disconnectedCallback() {
    this.looks.disconnect()
    this.close()
  }

  match() {
    const open = this.share.dataset.standing === "open"
    this.hidden = !open
    if (open) this.open()
    else this.close()
  }

  open() {
    if (this.screen) return
    const address = new URL(this.getAttribute("address"), location.href)
    address.protocol = address.protocol.replace("http", "ws")
    this.screen = new Screen(this.host, {
      address: () => address.href,
      watch: !this.hasAttribute("control"),
      size: null, // its owner decides how large it is; here it is scaled to fit
      quality: this.hasAttribute("small") ? 2 : "auto",
    })
    this.screen.addEventListener("state", ({ detail }) => this.tell(detail))
    this.screen.addEventListener("said", ({ detail }) => this.hear(detail))
    this.screen.connect()
    if (this.hasAttribute("control")) this.screen.focus()
  }

  close() {
    clearTimeout(this.timer)
    this.screen?.close()
    this.screen = null
    this.host.replaceChildren()
  }

  tell({ state, code }) {
    this.dataset.state = state
    if (state === "closed" && code === SHARE_ENDED) return this.lookAgain()
    if (state === "closed" && (code === SCREEN_ENDED || code === NO_SUCH_APP)) return this.sleep(code)
    this.say(state === "drawn" && this.hasAttribute("control") && this.screen.watch ? "alone" : state)
    if (state === "waiting") this.lookAgain() // it may be over, which a cut does not say
  }

  /** What its owner's session says of it, in words known here. */
  hear({ event, state, mode }) {
    if (event === "screen" && this.screen.state === "connecting" && WORDS[state]) this.say(state)
    if (event === "mode" && this.hasAttribute("control")) this.screen.watch = mode === "watch"
  }

  say(word) {
    this.says.textContent = (WORDS[word] ?? "").replace("{owner}", () => this.getAttribute("owner"))
  }

  sleep(code) {
    this.say(code === SCREEN_ENDED ? "asleep" : "never")
    this.timer = setTimeout(() => { this.close(); this.match() }, AGAIN)
  }

  lookAgain() { document.body.dispatchEvent(new CustomEvent("look-again")) }
})

// No longer shared with one's group, or signed out: the page itself says it.
document.addEventListener("htmx:responseError", () => location.reload())
