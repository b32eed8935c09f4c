// Beside the page, so that neither holds up the other: the line, the decoder and the canvas of a Video.

const HEADER = 9; // bytes: how many follow, 1 where the picture is whole, its number
const LARGEST = 64 << 20;
const CLOSED_ON_PURPOSE = 4000; // and above: asking again would be answered the same

let canvas, context, socket, decoder, wanted;
let measure = { frames: 0, bytes: 0 };
let tries = 1; // since something was last seen

self.addEventListener("message", ({ data }) => {
  if (data.canvas) {
    ({ canvas } = data);
    context = canvas.getContext("2d", { alpha: false, desynchronized: true });
    wanted = data;
    open();
    setInterval(tell, 1000);
  } else if (socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ crf: data.crf }));
  }
});

function open() {
  decoder = new VideoDecoder({ output: show, error: (error) => socket.close(4000, `${error.message}`.slice(0, 100)) });
  decoder.configure({ codec: wanted.codec, optimizeForLatency: true });
  socket = new WebSocket(wanted.address, "binary");
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => picture(data));
  socket.addEventListener("close", ended);
}

function picture(bytes) {
  const view = new DataView(bytes);
  const length = view.byteLength > HEADER ? view.getUint32(0) : 0;
  if (!length || length > LARGEST || length !== view.byteLength - HEADER) return socket.close(4000, "no picture");
  measure.bytes += bytes.byteLength;
  const type = view.getUint8(4) ? "key" : "delta";
  if (decoder.state !== "configured") return undefined;
  return decoder.decode(
    new EncodedVideoChunk({ type, timestamp: view.getUint32(5), data: new Uint8Array(bytes, HEADER) }),
  );
}

function show(frame) {
  if (canvas.width !== frame.displayWidth || canvas.height !== frame.displayHeight) {
    [canvas.width, canvas.height] = [frame.displayWidth, frame.displayHeight];
  }
  context.drawImage(frame, 0, 0);
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ seen: frame.timestamp }));
  frame.close();
  measure.frames += 1;
  if (!tries) return;
  tries = 0;
  self.postMessage({ what: "state", state: "drawn" });
}

function ended({ code, reason }) {
  if (decoder.state !== "closed") decoder.close();
  const forGood = code >= CLOSED_ON_PURPOSE;
  self.postMessage({ what: "state", state: "closed", forGood, code, reason });
  if (!forGood) setTimeout(open, Math.min(5000, 250 * 2 ** tries++));
}

function tell() {
  self.postMessage({ what: "measured", ...measure, width: canvas.width, height: canvas.height });
  measure = { frames: 0, bytes: 0 };
}
