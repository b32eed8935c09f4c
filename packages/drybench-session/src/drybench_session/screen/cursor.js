// The desktop's cursor as the browser's own, so that it never lags behind the hand.

const context = document.createElement("canvas").getContext("2d");

/** For CSS. `scale` is how many of the desktop's pixels make one of the page's. */
export function styles({ x, y, width, height, rgba }, scale) {
  if (!width || !height || isInvisible(rgba)) return ["none"];
  Object.assign(context.canvas, { width, height });
  context.putImageData(new ImageData(divided(rgba), width, height), 0, 0);
  const url = `url("${context.canvas.toDataURL()}")`;
  const point = (length) => Math.round(length / scale);
  const plain = `${url} ${x} ${y}, default`;
  if (scale === 1) return [plain];
  return [plain, `image-set(${url} ${scale}x) ${point(x)} ${point(y)}, default`]; // not every browser takes the second
}

const isInvisible = (rgba) => rgba.every((value, at) => at % 4 !== 3 || value === 0);

/** By alpha, which X multiplies colours with. */
function divided(rgba) {
  const plain = new Uint8ClampedArray(rgba);
  for (let at = 0; at < plain.length; at += 4) {
    const alpha = rgba[at + 3];
    for (let colour = at; colour < at + 3 && alpha; colour++) plain[colour] = (rgba[colour] * 255) / alpha;
  }
  return plain;
}
