// Keys, from a field that nobody sees: it has the focus, so that input methods, dead keys and a phone's keyboard work.

import { InOrder } from "./in_order.js";
import { keysym, named, ofCharacter } from "./keysyms.js";

const MODIFIERS = { Control: "ctrlKey", Shift: "shiftKey", Alt: "altKey", Meta: "metaKey" };
const ALT_GRAPH_IS_TWO = 50; // milliseconds within which Windows says Control before AltGr
const UNTIL_PASTED = 300; // milliseconds for the browser to say what it has, before the key goes alone
const FILLING = "\u200b".repeat(16); // so that a phone's keyboard has something to delete

export class Keyboard {
  #field;
  #send;
  #paste;
  #pressed = new Map(); // by the key's place: {keysym, key, time}
  #onAMac = /Mac|iPhone|iPad/.test(navigator.platform);
  #pasting = null; // the key that waits for what the browser has
  #composed = ""; // what of a composition was sent already
  #held = []; // by the page, for the next key
  #letGoOf = () => {};
  #following = matchMedia("(any-pointer: coarse)").matches; // a phone's keyboard composes all the time

  /** `send(keysym, down)`; `paste(clipboardData)` is done when its promise is. */
  constructor(field, send, paste) {
    this.#field = field;
    this.#send = (keysym, down) => {
      send(keysym, down);
      if (!down && this.#held.length && !isModifier(keysym)) this.#releaseHeld();
    };
    this.#paste = paste;
    this.#empty();
    const on = (type, call) => field.addEventListener(type, call);
    on("keydown", (event) => this.#down(event));
    on("keyup", (event) => this.#up(event));
    on("paste", (event) => this.#pasted(event));
    on("input", (event) => this.#input(event));
    on("compositionstart", () => (this.#composed = ""));
    on("compositionupdate", ({ data }) => this.#following && this.#follow(data));
    on("compositionend", ({ data }) => this.#follow(data, true));
    on("blur", () => this.release());
  }

  /** All that is held: whoever leaves the page with Alt held comes back without. */
  release() {
    this.#pasting = null;
    for (const { keysym } of [...this.#pressed.values()].reverse()) this.#send(keysym, false);
    this.#pressed.clear();
  }

  /** For who has no such keys, or no third hand: until the next key has been pressed. `over` is told then. */
  hold(names, over = () => {}) {
    const wanted = names.map((name) => named(name)).filter(Boolean);
    const before = this.#held;
    this.#held = wanted;
    this.#letGoOf = over;
    for (const one of before) if (!wanted.includes(one)) this.#send(one, false);
    for (const one of wanted) if (!before.includes(one)) this.#send(one, true);
  }

  #releaseHeld() {
    const over = this.#letGoOf;
    this.hold([]);
    over();
  }

  /** One after the other, and released the other way round. */
  press(names) {
    const keysyms = names.map((name) => named(name)).filter(Boolean);
    for (const one of keysyms) this.#send(one, true);
    for (const one of keysyms.reverse()) this.#send(one, false);
  }

  type(text) {
    for (const character of text) this.#tap(ofCharacter(character));
  }

  #down(event) {
    if (isComposing(event)) return;
    this.#forgetReleased(event);
    const found = keysym(event, this.#onAMac);
    if (found === null) return;
    if (this.#isPaste(event)) return this.#waitForPaste(event, found);
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "CapsLock") return this.#tap(found);
    if (event.key === "AltGraph") this.#unControl(event);
    this.#hold(event, found);
    if (this.#onAMac && event.metaKey && event.key !== "Meta") this.#letGo(event.code); // no keyup comes
  }

  #hold({ code, key, timeStamp }, found) {
    const before = this.#pressed.get(code)?.keysym;
    if (before && before !== found) this.#send(before, false);
    this.#send(found, true);
    if (code) this.#pressed.set(code, { keysym: found, key, time: timeStamp });
    else this.#send(found, false);
  }

  #up(event) {
    if (event.key === "CapsLock" && this.#onAMac) this.#tap(named("Caps_Lock"));
    if (this.#pasting?.code === event.code) this.#pasting.released = true;
    else this.#letGo(event.code);
  }

  #letGo(code) {
    const held = this.#pressed.get(code);
    if (!held) return;
    this.#pressed.delete(code);
    this.#send(held.keysym, false);
  }

  #tap(one) {
    this.#send(one, true);
    this.#send(one, false);
  }

  /** Where a keyup went to another window, the next key tells that the modifier is not held any more. */
  #forgetReleased(event) {
    for (const [code, { key }] of [...this.#pressed]) {
      const property = MODIFIERS[key];
      if (property && !event[property] && event.key !== key && event.key !== "AltGraph") this.#letGo(code);
    }
  }

  /** On Windows AltGr is Control and Alt. Held together with it, no character would be typed. */
  #unControl({ timeStamp }) {
    const control = this.#pressed.get("ControlLeft");
    if (control && timeStamp - control.time < ALT_GRAPH_IS_TWO) this.#letGo("ControlLeft");
  }

  #isPaste({ key, ctrlKey, metaKey, shiftKey, altKey }) {
    if (altKey) return false;
    const command = this.#onAMac ? metaKey : ctrlKey;
    return (command && key.toLowerCase() === "v") || (shiftKey && !ctrlKey && key === "Insert");
  }

  /** The browser is let paste into the field, which needs no permission. What it has goes ahead of the key. */
  #waitForPaste(event, found) {
    event.stopPropagation();
    if (event.repeat || this.#pasting) return event.preventDefault();
    const { code, key, timeStamp } = event;
    const waiting = { code, key, timeStamp, keysym: found, held: [...this.#pressed], released: false, taken: false };
    this.#pasting = waiting;
    setTimeout(() => waiting.taken || this.#afterPaste(waiting), UNTIL_PASTED);
  }

  async #pasted(event) {
    event.preventDefault();
    const waiting = this.#pasting;
    if (waiting) waiting.taken = true;
    await this.#paste(event.clipboardData);
    if (waiting) this.#afterPaste(waiting);
  }

  /** What was held when the key was pressed is held for it again, should it be up by now. */
  #afterPaste(waiting) {
    if (this.#pasting !== waiting) return;
    this.#pasting = null;
    const gone = waiting.held.filter(([code]) => !this.#pressed.has(code)).map(([, { keysym }]) => keysym);
    for (const one of gone) this.#send(one, true);
    this.#hold(waiting, waiting.keysym);
    if (waiting.released || this.#onAMac) this.#letGo(waiting.code);
    for (const one of gone.reverse()) this.#send(one, false);
  }

  #input({ inputType, data, isComposing: composing }) {
    if (composing) return;
    if (inputType === "deleteContentBackward") this.#tap(named("BackSpace"));
    else if (inputType === "deleteContentForward") this.#tap(named("Delete"));
    else if (inputType === "insertLineBreak") this.#tap(named("Return"));
    else if (inputType === "insertText" && data) this.type(data);
    this.#empty();
  }

  /** What changed since the last look: so many characters back, and what is new. */
  #follow(text, over = false) {
    const before = [...this.#composed];
    const now = [...text];
    let same = 0;
    while (same < before.length && before[same] === now[same]) same++;
    for (let back = same; back < before.length; back++) this.#tap(named("BackSpace"));
    this.type(now.slice(same).join(""));
    this.#composed = over ? "" : text;
    if (over) this.#empty();
  }

  #empty() {
    this.#field.value = FILLING;
    this.#field.setSelectionRange(FILLING.length, FILLING.length);
  }
}

const MODIFIER = { first: 0xffe1, last: 0xffee }; // Shift to Hyper
const isModifier = (keysym) => keysym >= MODIFIER.first && keysym <= MODIFIER.last;

const isComposing = ({ isComposing: composing, keyCode, key }) =>
  composing || keyCode === 229 || ["Process", "Unidentified", "Dead"].includes(key);
