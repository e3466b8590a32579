// What one key of a keyboard that is a scanner stands for.
//
// A scanner types as a US keyboard does, so the key's place (`event.code`) and Shift tell the
// character whatever layout, Caps Lock or input method the device has; `event.key` is asked only
// where no place is told. Several ways in which scanners send GS (FNC1) are known.

/**
 * A key event as a browser tells it, with its time in milliseconds.
 * @typedef {{
 *   type: "keydown" | "keyup", code: string, key: string, at: number, shift?: boolean, ctrl?: boolean,
 *   alt?: boolean, meta?: boolean, repeat?: boolean, composing?: boolean,
 * }} KeyEvent
 *
 * What it stands for: a character, the end of a code, nothing (Shift alone), something that an input
 * method made unreadable, or a key that no code has.
 * @typedef {{ is: "character", character: string } | { is: "end" } | { is: "nothing" } | { is: "lost" }
 *   | { is: "alien", name: string }} Meaning
 */

/** The separator of element strings. */
export const GS = "\x1d";

/** Places of a US keyboard: plain and with Shift. @type {Map<string, [string, string]>} */
const PLACES = new Map();
for (const letter of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") PLACES.set(`Key${letter}`, [letter.toLowerCase(), letter]);
for (const [at, shifted] of Array.from(")!@#$%^&*(").entries()) PLACES.set(`Digit${at}`, [String(at), shifted]);
for (let at = 0; at < 10; at += 1) PLACES.set(`Numpad${at}`, [String(at), String(at)]);
for (const [code, plain, shifted] of /** @type {const} */ ([
  ["Space", " ", " "],
  ["Minus", "-", "_"],
  ["Equal", "=", "+"],
  ["BracketLeft", "[", "{"],
  ["BracketRight", "]", "}"],
  ["Backslash", "\\", "|"],
  ["Semicolon", ";", ":"],
  ["Quote", "'", '"'],
  ["Backquote", "`", "~"],
  ["Comma", ",", "<"],
  ["Period", ".", ">"],
  ["Slash", "/", "?"],
  ["NumpadAdd", "+", "+"],
  ["NumpadSubtract", "-", "-"],
  ["NumpadMultiply", "*", "*"],
  ["NumpadDivide", "/", "/"],
  ["NumpadDecimal", ".", "."],
])) {
  PLACES.set(code, [plain, shifted]);
}

const MODIFIERS = ["Shift", "Control", "Alt", "Meta", "CapsLock", "NumLock", "AltGraph", "Fn", "Dead"];

/** Reads keys one by one; keeps what is typed with Alt held on the number pad. */
export class Keys {
  /**
   * @param {"Enter" | "Tab" | ""} end the key that ends a code
   * @param {readonly string[]} gsKeys names of keys that stand for GS, such as `F8`
   */
  constructor(end, gsKeys) {
    this.end = end;
    this.gsKeys = gsKeys;
    this.altDigits = "";
  }

  /**
   * @param {KeyEvent} event
   * @returns {Meaning}
   */
  read(event) {
    if (event.type === "keyup") return this.#released(event);
    const name = event.key;
    if (MODIFIERS.includes(name)) return { is: "nothing" };
    if (event.alt && event.code.startsWith("Numpad") && event.code.length === 7) {
      this.altDigits += event.code.slice(6);
      return { is: "nothing" };
    }
    if (this.gsKeys.includes(name) || this.gsKeys.includes(event.code) || name === GS) return character(GS);
    // The caret notation of ASCII: Ctrl and `]` are 29.
    if (event.ctrl && event.code === "BracketRight") return character(GS);
    if (event.ctrl || event.alt || event.meta) return { is: "alien", name: event.code || name };
    if (isKey(event, "Enter") || isKey(event, "Tab")) {
      return isKey(event, this.end) ? { is: "end" } : { is: "alien", name };
    }
    const place = PLACES.get(event.code);
    if (place) return character(place[event.shift ? 1 : 0]);
    if (Array.from(name).length === 1) return character(name);
    // Where an input method swallowed the key nobody can tell what it was.
    if (name === "Process" || name === "Unidentified" || name === "") return { is: "lost" };
    return { is: "alien", name };
  }

  /** Alt is let go: what was typed on the number pad is the number of a character. @param {KeyEvent} event @returns {Meaning} */
  #released(event) {
    if (event.key !== "Alt" || this.altDigits === "") return { is: "nothing" };
    const number = Number(this.altDigits);
    this.altDigits = "";
    return number > 0 && number < 128 ? character(String.fromCharCode(number)) : { is: "alien", name: `Alt+${number}` };
  }
}

/** @param {string} one @returns {Meaning} */
const character = (one) => ({ is: "character", character: one });

/** @param {KeyEvent} event @param {string} name */
const isKey = (event, name) => name !== "" && (event.key === name || event.code === name || event.code === `Numpad${name}`);
