// The desktop's picture as video, laid over the canvas of a Screen: for narrow lines, films and 3D. It shows, and no more;
// keys, mouse and clipboard go on by the Screen's own line.

const CODECS = { h264: "avc1.640033", vp9: "vp09.00.51.08", vp8: "vp8" };

/** The first that this browser decodes; null: it has no video for us. */
export async function codecHere() {
  if (!("VideoDecoder" in self)) return null;
  for (const [name, codec] of Object.entries(CODECS)) {
    const asked = await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true });
    if (asked.supported) return name;
  }
  return null;
}

/** "state" → {state: "drawn" | "closed", code, reason}; "measured" → {frames, bytes, width, height}, once a second. */
export class Video extends EventTarget {
  #worker;
  #canvas;

  constructor(host, address, codec) {
    super();
    this.#canvas = Object.assign(document.createElement("canvas"), { className: "video", hidden: true });
    host.append(this.#canvas);
    this.#worker = new Worker(new URL("video-worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#told(data));
    const canvas = this.#canvas.transferControlToOffscreen();
    this.#worker.postMessage({ canvas, address: `${address}`, codec: CODECS[codec] }, [canvas]);
  }

  /** 12 is next to lossless, 40 is coarse. */
  set coarseness(crf) {
    this.#worker.postMessage({ crf });
  }

  close() {
    this.#worker.terminate();
    this.#canvas.remove();
  }

  #told({ what, ...detail }) {
    if (what === "state") this.#canvas.hidden = detail.state !== "drawn";
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}
