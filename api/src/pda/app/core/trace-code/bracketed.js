// The bracketed line people read under a symbol: `(01)06901234567892(10)L7(21)A-9`.
//
// A value may itself hold brackets. A `(` opens an identifier only when two to four digits and a
// `)` follow; the printer writes every other `(` as `\(`, which no value can hold by itself.

import { named } from "./ai.js";
import { isDigit } from "./bytes.js";
import { Elements, completeGtin } from "./elements.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/**
 * @param {string} text
 * @param {number} start where it begins in what was given
 * @returns {import("./elements.js").Scanned}
 */
export function parseBracketed(text, start) {
  const elements = new Elements();
  let at = 0;
  while (at < text.length) {
    const digits = opening(text, at) ?? refuse(start + at, "not-a-code");
    const position = start + at + 1;
    const ai = named(digits, position);
    at += digits.length + 2;
    const end = valueEnd(text, at);
    const value = valueOf(text.slice(at, end), start + at);
    completeGtin(ai, value);
    elements.add(ai, digits, position, value);
    at = end;
  }
  return elements.finish("bracketed", start);
}

/**
 * The digits of the identifier that opens at this byte, if one does.
 * @param {string} text
 * @param {number} at
 * @returns {string | null}
 */
function opening(text, at) {
  if (text.charAt(at) !== "(") return null;
  let end = at + 1;
  while (end - at <= 5 && isDigit(text.charCodeAt(end))) end += 1;
  const length = end - at - 1;
  return length >= 2 && length <= 4 && text.charAt(end) === ")" ? text.slice(at + 1, end) : null;
}

/**
 * Where the value that begins here ends: at the next identifier.
 * @param {string} text
 * @param {number} from
 */
function valueEnd(text, from) {
  for (let at = from; at < text.length; at += 1) {
    const escaped = at > from && text.charAt(at - 1) === "\\";
    if (!escaped && opening(text, at) !== null) return at;
  }
  return text.length;
}

/** @param {number} byte white space of ASCII without the vertical tab */
const isPadding = (byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d;

/**
 * The value without the spaces around it, which people like to print, and without escapes.
 * @param {string} raw
 * @param {number} start
 */
function valueOf(raw, start) {
  let from = 0;
  let to = raw.length;
  while (from < to && isPadding(raw.charCodeAt(from))) from += 1;
  while (to > from && isPadding(raw.charCodeAt(to - 1))) to -= 1;
  const value = new Value(start + from);
  for (let at = from; at < to; at += 1) {
    const escapes = raw.charAt(at) === "\\" && at + 1 < to && raw.charAt(at + 1) === "(";
    if (!escapes) value.push(raw.charCodeAt(at), start + at);
  }
  return value;
}
