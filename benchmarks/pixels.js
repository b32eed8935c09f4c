// What a browser shows of a desktop, by the pixels of its largest canvas, however they came there.

(() => {
  const area = (one) => one.width * one.height
  const largest = () => [...document.querySelectorAll("canvas")].sort((one, other) => area(other) - area(one))[0]
  const reading = (width, height) => new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })
  const soon = () => scheduler.postTask(() => {}, { delay: 1 })

  function size() {
    const shown = largest()
    return shown ? [shown.width, shown.height] : [0, 0]
  }

  // A background and what lies on it, over nearly all of it.
  function isDrawn() {
    const shown = largest()
    if (!shown || !area(shown)) return false
    const small = reading(64, 40)
    small.drawImage(shown, 0, 0, 64, 40)
    const points = [...new Uint32Array(small.getImageData(0, 0, 64, 40).data.buffer)]
    const bright = points.filter((point) => point & 0xffffff)
    return bright.length > 0.9 * points.length && new Set(points).size > 20
  }

  // How much of it has this colour, or what a JPEG makes of it.
  function share([red, green, blue]) {
    const shown = largest()
    if (!shown || !area(shown)) return 0
    const small = reading(160, 100)
    small.imageSmoothingEnabled = false
    small.drawImage(shown, 0, 0, 160, 100)
    const data = small.getImageData(0, 0, 160, 100).data
    let found = 0
    for (let at = 0; at < data.length; at += 4) {
      const off = Math.max(Math.abs(data[at] - red), Math.abs(data[at + 1] - green), Math.abs(data[at + 2] - blue))
      if (off <= 6) found++
    }
    return found / (data.length / 4)
  }

  // Milliseconds from the next key to another colour at this point.
  async function keyToPicture(x, y) {
    const shown = largest()
    const one = reading(1, 1)
    const look = () => {
      one.drawImage(shown, x, y, 1, 1, 0, 0, 1, 1)
      return one.getImageData(0, 0, 1, 1).data[0] > 127
    }
    const before = look()
    const pressed = new Promise((over) => {
      addEventListener("keydown", ({ timeStamp }) => over(timeStamp), { capture: true, once: true })
    })
    const began = await pressed
    while (look() === before) {
      if (performance.now() - began > 10_000) throw new Error("the key did not arrive")
      await soon()
    }
    return performance.now() - began
  }

  // Which picture this is, as it says in its corner, in black and white squares.
  function picturesNumber(shown, corner, square, squares) {
    corner.drawImage(shown, 0, square / 2, square * squares, 1, 0, 0, square * squares, 1)
    const data = corner.getImageData(0, 0, square * squares, 1).data
    const bright = (place) => data[4 * (place + 0.5) * square] > 127
    return Array.from({ length: squares }, (_, place) => Number(bright(place))).join("")
  }

  // How many a second of them are shown.
  function pictures(seconds, square, squares) {
    const shown = largest()
    const corner = reading(square * squares, 1)
    const begun = performance.now()
    let last
    let seen = -1
    return new Promise((over) => {
      const look = () => {
        const now = picturesNumber(shown, corner, square, squares)
        if (now !== last) seen++
        last = now
        if (performance.now() - begun < 1000 * seconds) requestAnimationFrame(look)
        else over(seen / seconds)
      }
      look()
    })
  }

  // Seconds from the last new picture to the last change of what is shown of it, when neither has come for so long.
  // What is looked at lies in the middle of the screen, where all that moves has been.
  function better(seconds, square, squares) {
    const shown = largest()
    const corner = reading(square * squares, 1)
    const middle = reading(200, 200)
    let last
    let sum
    let newest
    let best
    return new Promise((over) => {
      const look = () => {
        const at = performance.now()
        const now = picturesNumber(shown, corner, square, squares)
        middle.drawImage(shown, shown.width / 2 - 100, shown.height / 2 - 100, 200, 200, 0, 0, 200, 200)
        const points = new Uint32Array(middle.getImageData(0, 0, 200, 200).data.buffer)
        const nowsSum = points.reduce((so, point) => (Math.imul(so, 31) + point) | 0, 0)
        if (now !== last) newest = at
        if (now !== last || nowsSum !== sum) best = at
        last = now
        sum = nowsSum
        if (at - best < 1000 * seconds) requestAnimationFrame(look)
        else over((best - newest) / 1000)
      }
      look()
    })
  }

  window.pixels = { size, isDrawn, share, keyToPicture, pictures, better }
})()
