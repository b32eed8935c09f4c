// What a cell prints, as a terminal would show it, and never more of it than a page can bear.

const MOST_LINES = 1000
const LONGEST_LINE = 20_000
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
const PIECES = /\x1b\[([\d;?]*)([A-Za-z])|[\r\n\b]|[^\x1b\r\n\b]+|\x1b/g

// A carriage return and the cursor's way up write over what stands there: so a progress bar stays one line.
export class Printed {
  constructor(place, earlier = 0) {
    this.earlier = earlier // lines that are not here
    this.lines = [""]
    this.row = 0
    this.over = false // the next letters take the place of the line
    this.note = document.createElement("small")
    this.pre = document.createElement("pre")
    place.append(this.note, this.pre)
  }
  write(text) {
    for (const [piece, numbers, deed] of text.matchAll(PIECES)) this.take(piece, numbers, deed)
    this.due ??= requestAnimationFrame(() => this.draw())
  }
  take(piece, numbers, deed) {
    const first = Number.parseInt(numbers) || 0
    if (piece === "\n") this.go(this.row + 1)
    else if (piece === "\r") this.over = true
    else if (piece === "\b") this.lines[this.row] = this.lines[this.row].slice(0, -1)
    else if (deed === "A") this.go(Math.max(0, this.row - (first || 1)))
    else if (deed === "B") this.go(Math.min(this.lines.length - 1, this.row + (first || 1)))
    else if (deed === "K" && (first > 0 || this.over)) this.lines[this.row] = ""
    else if (deed === "J") this.lines.length = this.row + 1
    else if (deed === "m" || (deed === undefined && piece !== "\x1b")) this.letters(piece)
  }
  go(row) {
    this.row = row
    if (row === this.lines.length) this.lines.push("")
    this.over = this.lines[row] !== ""
    if (this.lines.length > 2 * MOST_LINES) this.forget(this.lines.length - MOST_LINES)
  }
  letters(piece) {
    const line = this.over ? "" : this.lines[this.row]
    this.over = false
    if (line.length < LONGEST_LINE) this.lines[this.row] = (line + piece).slice(0, LONGEST_LINE)
  }
  forget(count) {
    this.lines.splice(0, count)
    this.row -= count
    this.earlier += count
  }
  draw() {
    this.due = null
    const hidden = Math.max(0, this.lines.length - MOST_LINES)
    this.pre.replaceChildren(...coloured(this.lines.slice(hidden).join("\n")))
    const earlier = this.earlier + hidden
    this.note.textContent = earlier ? `${earlier.toLocaleString("en")} earlier lines are not shown here; they are among the downloads.` : ""
  }
}

export function coloured(all) {
  const parts = []
  let classes = []
  for (const [, codes, plain] of all.matchAll(/(?:\x1b\[([\d;]*)[A-Za-z])?([^\x1b]*|\x1b)/g)) {
    if (codes !== undefined) classes = next(classes, codes)
    if (!plain) continue
    const piece = classes.length ? document.createElement("span") : document.createTextNode("")
    if (classes.length) piece.className = classes.join(" ")
    piece.textContent = plain
    parts.push(piece)
  }
  return parts
}

function next(classes, codes) {
  let now = classes
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) now = []
    else if (code === 1) now = [...now, "ansi-bold"]
    else if (code === 4) now = [...now, "ansi-underline"]
    else if (code >= 30 && code < 38) now = [...without(now, "fg"), `ansi-${COLOURS[code - 30]}-fg`]
    else if (code >= 40 && code < 48) now = [...without(now, "bg"), `ansi-${COLOURS[code - 40]}-bg`]
    else if (code >= 90 && code < 98) now = [...without(now, "fg"), `ansi-${COLOURS[code - 90]}-intense-fg`]
    else if (code === 39) now = without(now, "fg")
    else if (code === 49) now = without(now, "bg")
    else if (code === 38 || code === 48) break // 256 colours are shown without
  }
  return now
}

function without(classes, end) { return classes.filter((one) => !one.endsWith(end)) }
