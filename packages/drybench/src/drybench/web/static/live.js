// What has changed is told to the page's parts by events on the body: changed-run, changed-run-ID, changed-session …
// Each part then asks for what it shows. Changes that come close together are told once. That a run's journal has
// grown (changed-output-ID) comes more often than that the run itself is another, and few parts want to know it.

const worker = document.querySelector("script[data-worker]").dataset.worker
const waiting = new Map()
let timer = null

function changed(change) {
  waiting.set(`${change.kind} ${change.id}`, change)
  timer ??= setTimeout(tellAll, 150)
}

function tellAll() {
  timer = null
  const changes = [...waiting.values()]
  waiting.clear()
  const names = new Set(changes.flatMap(namesOf))
  for (const name of names) document.body.dispatchEvent(new CustomEvent(name))
}

function namesOf({ kind, id }) {
  if (kind !== "all") return [`changed-${kind}`, `changed-${kind}-${id}`]
  const parts = document.querySelectorAll("[hx-trigger*='changed-'], [run]")
  const named = [...parts].flatMap((part) => (part.getAttribute("hx-trigger") ?? `changed-output-${part.getAttribute("run")}`).match(/changed-[\w-]+/g))
  return ["changed-run", "changed-session", ...named]
}

if (window.SharedWorker) {
  const { port } = new SharedWorker(worker)
  port.onmessage = ({ data }) => changed(data)
  window.addEventListener("pagehide", () => port.postMessage("bye"))
  window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload())
} else {
  listenAlone()
}

function listenAlone() {
  let stream = null
  const listen = () => {
    stream = new EventSource("/live")
    stream.onopen = () => changed({ kind: "all", id: "" })
    stream.addEventListener("changed", ({ data }) => changed(JSON.parse(data)))
    stream.onerror = () => {
      if (stream?.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || listen(), 5000)
    }
  }
  const match = () => {
    stream?.close()
    stream = null
    if (!document.hidden) listen()
  }
  document.addEventListener("visibilitychange", match)
  match()
}
