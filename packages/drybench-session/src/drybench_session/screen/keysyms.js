// Which X keysym a key of the browser's is. What counts is the character that the person's own layout makes of it.

const NAMED = {
  BackSpace: 0xff08, Tab: 0xff09, Return: 0xff0d, Pause: 0xff13, Scroll_Lock: 0xff14, Sys_Req: 0xff15, Escape: 0xff1b,
  Multi_key: 0xff20, Kanji: 0xff21, Muhenkan: 0xff22, Henkan: 0xff23, Hiragana_Katakana: 0xff27, Zenkaku_Hankaku: 0xff2a,
  Hangul: 0xff31, Hangul_Hanja: 0xff34, Home: 0xff50, Left: 0xff51, Up: 0xff52, Right: 0xff53, Down: 0xff54, Prior: 0xff55,
  Next: 0xff56, End: 0xff57, Select: 0xff60, Print: 0xff61, Execute: 0xff62, Insert: 0xff63, Undo: 0xff65, Redo: 0xff66,
  Menu: 0xff67, Find: 0xff68, Cancel: 0xff69, Help: 0xff6a, Break: 0xff6b, Num_Lock: 0xff7f,
  Shift_L: 0xffe1, Shift_R: 0xffe2, Control_L: 0xffe3, Control_R: 0xffe4, Caps_Lock: 0xffe5, Meta_L: 0xffe7, Meta_R: 0xffe8,
  Alt_L: 0xffe9, Alt_R: 0xffea, Super_L: 0xffeb, Super_R: 0xffec, Mode_switch: 0xff7e, ISO_Level3_Shift: 0xfe03,
  Delete: 0xffff, KP_Enter: 0xff8d, KP_Home: 0xff95, KP_Left: 0xff96, KP_Up: 0xff97, KP_Right: 0xff98, KP_Down: 0xff99,
  KP_Prior: 0xff9a, KP_Next: 0xff9b, KP_End: 0xff9c, KP_Begin: 0xff9d, KP_Insert: 0xff9e, KP_Delete: 0xff9f, KP_Equal: 0xffbd,
  KP_Multiply: 0xffaa, KP_Add: 0xffab, KP_Separator: 0xffac, KP_Subtract: 0xffad, KP_Decimal: 0xffae, KP_Divide: 0xffaf,
  XF86AudioLowerVolume: 0x1008ff11, XF86AudioMute: 0x1008ff12, XF86AudioRaiseVolume: 0x1008ff13, XF86AudioPlay: 0x1008ff14,
};
for (let number = 1; number <= 24; number++) NAMED[`F${number}`] = 0xffbe + number - 1;
for (let number = 0; number <= 9; number++) NAMED[`KP_${number}`] = 0xffb0 + number;

/** The browser's name for a key that is no character: X's name, or one for the left and one for the right. */
const KEYS = {
  Backspace: "BackSpace", Tab: "Tab", Enter: "Return", Pause: "Pause", ScrollLock: "Scroll_Lock", Escape: "Escape",
  Compose: "Multi_key", KanjiMode: "Kanji", NonConvert: "Muhenkan", Convert: "Henkan", HiraganaKatakana: "Hiragana_Katakana",
  ZenkakuHankaku: "Zenkaku_Hankaku", HangulMode: "Hangul", HanjaMode: "Hangul_Hanja", Home: "Home", ArrowLeft: "Left",
  ArrowUp: "Up", ArrowRight: "Right", ArrowDown: "Down", PageUp: "Prior", PageDown: "Next", End: "End", Select: "Select",
  PrintScreen: "Print", Execute: "Execute", Insert: "Insert", Undo: "Undo", Redo: "Redo", ContextMenu: "Menu", Find: "Find",
  Cancel: "Cancel", Help: "Help", NumLock: "Num_Lock", CapsLock: "Caps_Lock", Delete: "Delete", AltGraph: "ISO_Level3_Shift",
  Shift: ["Shift_L", "Shift_R"], Control: ["Control_L", "Control_R"], Alt: ["Alt_L", "Alt_R"], Meta: ["Super_L", "Super_R"],
  OS: ["Super_L", "Super_R"], AudioVolumeDown: "XF86AudioLowerVolume", AudioVolumeMute: "XF86AudioMute",
  AudioVolumeUp: "XF86AudioRaiseVolume", MediaPlayPause: "XF86AudioPlay",
};

const ON_THE_KEYPAD = {
  Enter: "KP_Enter", Home: "KP_Home", ArrowLeft: "KP_Left", ArrowUp: "KP_Up", ArrowRight: "KP_Right", ArrowDown: "KP_Down",
  PageUp: "KP_Prior", PageDown: "KP_Next", End: "KP_End", Clear: "KP_Begin", Insert: "KP_Insert", Delete: "KP_Delete",
  "=": "KP_Equal", "*": "KP_Multiply", "+": "KP_Add", "-": "KP_Subtract", "/": "KP_Divide", ",": "KP_Separator", ".": "KP_Decimal",
};

/** Command is what Control is elsewhere, and Option makes characters. */
const ON_A_MAC = { Alt: ["Mode_switch", "ISO_Level3_Shift"], Meta: ["Control_L", "Control_R"] };

const RIGHT = 2;
const KEYPAD = 3;

/** Null where it is none that can be sent: a dead key, one that an input method keeps, one without a name. */
export function keysym({ key, location }, onAMac = false) {
  if (location === KEYPAD) {
    if (/^\d$/.test(key)) return NAMED[`KP_${key}`];
    if (key in ON_THE_KEYPAD) return NAMED[ON_THE_KEYPAD[key]];
  }
  if (isCharacter(key)) return ofCharacter(key);
  const name = (onAMac && ON_A_MAC[key]) || KEYS[key] || (/^F\d+$/.test(key) ? key : null);
  return NAMED[Array.isArray(name) ? name[location === RIGHT ? 1 : 0] : name] ?? null;
}

/** By X's own name: "Control_L", "Delete", "F1"; or the character itself. */
export function named(name) {
  return NAMED[name] ?? (isCharacter(name) ? ofCharacter(name) : null);
}

/** Latin characters are themselves; all others have a rule of their own. */
export function ofCharacter(character) {
  const point = character.codePointAt(0);
  if (point === 10 || point === 13) return NAMED.Return;
  if (point === 9) return NAMED.Tab;
  if (point === 8) return NAMED.BackSpace;
  return (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff) ? point : 0x01000000 + point;
}

/** Of characters that a keyboard for English has no key for. */
export const isOnNoKeyboard = (keysym) => keysym > 0x7e && (keysym < 0xfe00 || keysym >= 0x01000000);

const isCharacter = (key) => [...key].length === 1;
