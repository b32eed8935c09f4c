// One stream for all tabs of a browser: it has six connections to a host, and each tab with its own would use them up.

const ALL = { kind: "all", id: "" } // some may have been missed: look at everything
const tabs = new Set()
let stream = null
let pause = 500

self.onconnect = ({ ports: [tab] }) => {
  tabs.add(tab)
  tab.onmessage = ({ data }) => {
    if (data === "bye") leave(tab)
  }
  if (stream?.readyState === EventSource.OPEN) tab.postMessage(ALL) // of what came while its page was on its way
  listen()
}

function leave(tab) {
  tabs.delete(tab)
  if (tabs.size || !stream) return
  stream.close()
  stream = null
}

function listen() {
  if (stream || !tabs.size) return
  stream = new EventSource("/live")
  stream.onopen = () => { pause = 500; tell(ALL) }
  stream.addEventListener("changed", ({ data }) => tell(JSON.parse(data)))
  stream.onerror = () => {
    // A browser gives up for good when the proxy answers in the portal's place; this does not.
    stream?.close()
    stream = null
    pause = Math.min(pause * 2, 30_000)
    setTimeout(listen, pause)
  }
}

function tell(change) {
  for (const tab of tabs) tab.postMessage(change)
}
