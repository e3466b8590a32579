// Bare numbers: the digits under an EAN, UPC or ITF-14, or of an SSCC.
//
// People group them with spaces and hyphens; those are skipped, and faults still point at the digit
// as it was typed.

import { leading } from "./ai.js";
import { every, isDigit } from "./bytes.js";
import { GTIN_LENGTHS, numberFault } from "./digits.js";
import { parseElementString } from "./element-string.js";
import { product } from "./elements.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/**
 * Whether a text holds digits, spaces and hyphens only, and a digit first.
 * @param {string} text
 */
export const isNumber = (text) =>
  isDigit(text.charCodeAt(0)) && every(text, (byte) => isDigit(byte) || byte === 0x20 || byte === 0x2d);

/**
 * Whether such a text is rather an element string, whose lot or serial may well be of digits and
 * hyphens: it begins with at least the 16 digits of 01 and a GTIN, unbroken, and is not just the 18
 * of an SSCC.
 * @param {string} text
 */
function isElementString(text) {
  return every(text.slice(0, 16), isDigit) && text.length >= 16 && text.length !== 18 && leading(text) !== null;
}

/**
 * Reads a text that is a number.
 * @param {string} text
 * @param {number} start where it begins in what was given
 * @returns {import("./elements.js").Scanned}
 */
export function parsePlain(text, start) {
  if (isElementString(text)) return parseElementString(text, start);
  const digits = new Value(start);
  for (let at = 0; at < text.length; at += 1) {
    if (isDigit(text.charCodeAt(at))) digits.push(text.charCodeAt(at), start + at);
  }
  if (text.endsWith("-")) refuse(start + text.length - 1, "bad-character");
  const number = digits.bytes;
  if (number.length > 18) digits.refuse("bad-length");
  const isSscc = number.length === 18;
  const wrong = numberFault(number, isSscc ? [18] : GTIN_LENGTHS);
  if (wrong) digits.refuseAt(wrong[0], wrong[1]);
  return {
    code: isSscc ? { is: "sscc", sscc: number } : product(number.padStart(14, "0")),
    claims: {},
    form: "plain-number",
  };
}
