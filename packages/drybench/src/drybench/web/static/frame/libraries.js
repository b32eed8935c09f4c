// Libraries for what a run displays, loaded when first needed, from this bench and from nowhere else.

const VENDOR = new URL("../vendor/", import.meta.url).href
const MATHJAX = `${VENDOR}mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe`
export const PLOTLY = `${VENDOR}plotly/plotly.min.js`
const loading = new Map()

export function script(address) {
  if (!loading.has(address)) {
    loading.set(address, new Promise((done, failed) => {
      const made = document.createElement("script")
      Object.assign(made, { src: address, onload: done, onerror: () => failed(new Error(`${address} did not load`)) })
      document.head.append(made)
    }))
  }
  return loading.get(address)
}

export async function typeset(place) {
  if (!window.MathJax?.Hub) await script(MATHJAX)
  window.MathJax.Hub.Queue(["Typeset", window.MathJax.Hub, place])
}

export async function plotly(place, figure) {
  await script(PLOTLY)
  const { data = [], layout = {}, config = {}, frames = [] } = figure
  await window.Plotly.newPlot(place, data, layout, { ...config, responsive: true })
  if (frames.length) await window.Plotly.addFrames(place, frames)
}

// As an AMD loader is a global thing that other libraries look for, it is there only where one is needed.
export async function amd() {
  if (!window.requirejs) await script(`${VENDOR}requirejs/require.js`)
  return window.requirejs
}

export async function markdown(place, text) {
  const requirejs = await amd()
  requirejs.config({ paths: { marked: `${VENDOR}marked/marked` } })
  const marked = await new Promise((done, failed) => requirejs(["marked"], done, failed))
  place.innerHTML = (marked.parse ?? marked.marked ?? marked)(text)
  if (/\$|\\\(|\\\[|\\begin/.test(text)) await typeset(place)
}

// A page of somebody's own that asks a CDN for one of these gets ours.
export function ours(address) {
  if (/\/plotly(-[\w.-]+)?(\.min)?\.js$/.test(address)) return PLOTLY
  if (/\/require(\.min)?\.js$/.test(address)) return `${VENDOR}requirejs/require.js`
  if (/mathjax/i.test(address) && /^https?:/.test(address)) return MATHJAX
  return address
}
