// Where the picture lies in its window, and which size is asked for. All of it is arithmetic.

const SMALLEST = [320, 200];
const WIDEST = 8192;
const MOST_PIXELS = 1 << 25; // two of 4K beside each other, twice: what a browser still draws

/** What the server is asked for, in its pixels, for a window of so many of the device's pixels. */
export function wanted(width, height) {
  const [w, h] = [width, height].map((length, axis) => Math.min(WIDEST, Math.max(SMALLEST[axis], Math.floor(length) || 0)));
  const less = Math.min(1, Math.sqrt(MOST_PIXELS / (w * h)));
  return [Math.floor(w * less), Math.floor(h * less)];
}

/** In CSS pixels. A picture made for this window is shown pixel by pixel, any other as large as it fits. */
export function placed(picture, host, scale) {
  const isMadeForIt = ["width", "height"].every((side) => Math.abs(picture[side] - host[side] * scale) < 1.5);
  const factor = isMadeForIt ? 1 / scale : Math.min(host.width / picture.width, host.height / picture.height);
  const width = picture.width * factor;
  const height = picture.height * factor;
  const onDevice = (length) => Math.round(length * scale) / scale; // between two of its pixels nothing is sharp
  return { factor, width, height, left: onDevice((host.width - width) / 2), top: onDevice((host.height - height) / 2) };
}
