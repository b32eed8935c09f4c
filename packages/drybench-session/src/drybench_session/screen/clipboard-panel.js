// Pictures on the clipboard, both ways, and long texts from the desktop; and the panel, for browsers that do not give
// this page their clipboard.
//
// What is on a clipboard is somebody else's: text is shown as text, and a picture is checked by the server to be one.

import { notify } from "./notices.js";
import { ask, address, fromHere, place } from "./place.js";
import { say } from "./words.js";

const SHOWN = 100_000; // characters; a text of megabytes would stop the page
const PICTURE = "image/png";

export class ClipboardPanel {
  #screen;
  #text = document.querySelector("#clipboard-text");
  #said = document.querySelector("#clipboard-said");
  #whole = null; // of a text that is shown in part
  #picture = null;
  #get = { image: () => this.#getPicture(), text: () => this.#getText(), nothing: refused };
  #given = null; // the desktop tells us of what it has from us, too

  constructor(screen) {
    this.#screen = screen;
    screen.addEventListener("copied", ({ detail }) => this.#show(detail.text));
    screen.addEventListener("said", ({ detail }) => detail.event === "copied" && this.#get[detail.kind]?.(detail));
    screen.addEventListener("pasting", ({ detail }) => this.#putPicture(detail));
    screen.addEventListener("refused", ({ detail }) => notify(detail.sentence, { bad: true }));
    this.#text.addEventListener("input", () => this.#forgetWhole());
    const on = (id, call) => document.querySelector(id).addEventListener("click", call);
    on("#clipboard-set", () => this.#set());
    on("#clipboard-get", () => this.#takeText());
    on("#clipboard-take", () => this.#takePicture());
  }

  #show(text) {
    this.#whole = text.length > SHOWN ? text : null;
    this.#text.value = text.slice(0, SHOWN);
    document.querySelector("#clipboard-long").hidden = this.#whole === null;
    this.#hidePicture();
    this.#say("text-came");
  }

  #forgetWhole() {
    this.#whole = null;
    document.querySelector("#clipboard-long").hidden = true;
    this.#said.textContent = "";
  }

  #set() {
    this.#screen.paste(this.#whole ?? this.#text.value);
    this.#say("text-set");
  }

  async #takeText() {
    try {
      await navigator.clipboard.writeText(this.#whole ?? this.#text.value);
      this.#say("text-got");
    } catch {
      this.#text.select();
      this.#say("not-allowed");
    }
  }

  /** One that is too long for the screen's own line. */
  async #getText() {
    const answer = await ask("GET", "clipboard/text", { query: { app: place.app } }).catch(() => null);
    if (answer?.said?.text) this.#screen.copied(answer.said.text);
    else refused(answer?.said);
  }

  #say(word) {
    this.#said.textContent = say(word);
  }

  /** Of the files that are being pasted; the key waits until the desktop has it. */
  #putPicture({ files, wait }) {
    const picture = files.find(({ type }) => type.startsWith("image/"));
    if (picture) wait(this.#put(picture));
  }

  async #put(file) {
    const body = await asPng(file).catch(() => file);
    this.#given = body.size;
    const answer = await ask("PUT", "clipboard/image", { query: { app: place.app }, body }).catch(() => null);
    if (answer?.status === 204) return;
    if (!refused(answer?.said)) notify(say("refused"), { bad: true });
  }

  async #getPicture() {
    const url = address("clipboard/image", { app: place.app });
    const response = await fetch(url, { headers: fromHere(), cache: "no-store" }).catch(() => null);
    if (response?.status !== 200 || response.headers.get("Content-Type") !== PICTURE) return;
    const picture = await response.blob().catch(() => null); // the line was cut in its middle
    if (!picture || picture.size === this.#given) return;
    this.#given = null;
    this.#hidePicture();
    this.#picture = picture;
    const figure = document.querySelector("#clipboard-picture");
    figure.querySelector("img").src = URL.createObjectURL(this.#picture);
    figure.hidden = false;
    if (await write(this.#picture)) return;
    notify(say("picture-came"), { deed: { title: say("picture-get"), call: () => this.#takePicture() }, seconds: 20 });
  }

  /** Within a click more browsers allow it. */
  async #takePicture() {
    const written = await write(this.#picture);
    this.#say(written ? "picture-got" : "picture-not");
    return written;
  }

  #hidePicture() {
    const figure = document.querySelector("#clipboard-picture");
    URL.revokeObjectURL(figure.querySelector("img").src);
    figure.querySelector("img").removeAttribute("src");
    figure.hidden = true;
    this.#picture = null;
  }
}

/** Whether the server says why. */
function refused(said) {
  return said?.sentence && notify(`${said.sentence} ${said.next_step}`, { bad: true });
}

async function write(picture) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ [PICTURE]: picture })]);
    return true;
  } catch {
    return false;
  }
}

/** What a browser pastes may be a JPEG; the desktop's programs all know PNG. */
async function asPng(file) {
  if (file.type === PICTURE) return file;
  const drawn = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(drawn.width, drawn.height);
  canvas.getContext("2d").drawImage(drawn, 0, 0);
  return canvas.convertToBlob({ type: PICTURE });
}
