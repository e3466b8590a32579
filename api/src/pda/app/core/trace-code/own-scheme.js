// Our own scheme, for enterprises without a GS1 company prefix: `ENTERPRISE.INTERNAL`.
//
// Codes are written with 32 symbols: the digits and the capitals without I, L, O and U. A reader
// takes small letters for capitals, O for 0, and I and L for 1. INTERNAL may be grouped with
// hyphens, and its last symbol checks the whole: over the length of ENTERPRISE and all symbols, the
// sum of symbol times x^(distance from the right end) in GF(2⁵) with x⁵ + x² + 1 = 0 must be zero.

import { every, isAlphanumeric } from "./bytes.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/** The symbols in the order of their values. */
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @param {number} length */
const isEnterpriseLength = (length) => length >= 2 && length <= 12;

/**
 * Whether a text is meant as a code of our own: one that begins like an enterprise and its point,
 * and goes on without anything our codes never hold.
 * @param {string} text
 */
export function looksOwn(text) {
  const point = text.indexOf(".");
  return (
    isEnterpriseLength(point) &&
    every(text.slice(0, point), isAlphanumeric) &&
    every(text.slice(point + 1), (byte) => isAlphanumeric(byte) || byte === 0x2d)
  );
}

/**
 * Reads `ENTERPRISE.INTERNAL`.
 * @param {Value} text
 * @returns {import("./elements.js").OwnCode}
 */
export function parseOwn(text) {
  if (text.bytes === "") text.refuse("missing-value");
  const point = text.bytes.indexOf(".");
  if (point < 0) text.refuse("not-a-code");
  const enterprise = foldedEnterprise(text.part(0, point));
  const given = text.part(point + 1, text.bytes.length);
  const internal = folded(given);
  if (internal === "") given.refuse("missing-value");
  const last = internal.length - 1;
  const hyphen = misplacedHyphen(internal);
  if (hyphen >= 0) given.refuseAt(hyphen, "bad-character");
  if (internal.endsWith("-")) given.refuseAt(last, "bad-character");
  if (internal.length < 3 || internal.length > 40) given.refuse("bad-length");
  if (sum(enterprise, internal) !== 0) given.refuseAt(last, "bad-check-character");
  return { is: "own", enterprise, internal };
}

/**
 * The check character of a code: of the enterprise and of the internal code up to the place where it
 * will stand. Null when either could not be part of a code.
 * @param {string} enterprise
 * @param {string} internal
 * @returns {string | null}
 */
export function checkCharacter(enterprise, internal) {
  try {
    const folds = folded(Value.verbatim(internal, 0));
    const start = foldedEnterprise(Value.verbatim(enterprise, 0));
    const length = folds.length + 1;
    if (misplacedHyphen(folds) >= 0 || length < 3 || length > 40) return null;
    return SYMBOLS.charAt(timesX(sum(start, folds)));
  } catch {
    return null;
  }
}

/** @param {Value} text @returns {string} */
function foldedEnterprise(text) {
  const symbols = folded(text);
  const hyphen = symbols.indexOf("-");
  if (hyphen >= 0) text.refuseAt(hyphen, "bad-character");
  if (!isEnterpriseLength(symbols.length)) text.refuse("bad-length");
  return symbols;
}

/**
 * A hyphen that begins the code or follows another; -1 when there is none.
 * @param {string} internal
 */
function misplacedHyphen(internal) {
  if (internal.startsWith("-")) return 0;
  const doubled = internal.indexOf("--");
  return doubled < 0 ? -1 : doubled + 1;
}

/**
 * The value in canonical symbols, hyphens as they are.
 * @param {Value} text
 */
function folded(text) {
  let out = "";
  for (let at = 0; at < text.bytes.length; at += 1) {
    const byte = text.bytes.charAt(at);
    const symbol = byte === "-" ? byte : symbolOf(byte);
    if (symbol === null) return refuse(text.position(at), "bad-character");
    out += symbol;
  }
  return out;
}

/**
 * The symbol that a character stands for, also in small or as a look-alike; null for what is none.
 * @param {string} byte
 */
export function symbolOf(byte) {
  const capital = byte >= "a" && byte <= "z" ? byte.toUpperCase() : byte;
  const symbol = capital === "O" ? "0" : capital === "I" || capital === "L" ? "1" : capital;
  return SYMBOLS.includes(symbol) ? symbol : null;
}

/**
 * The weighted sum over length, enterprise and internal code, in GF(2⁵).
 * @param {string} enterprise
 * @param {string} internal
 */
function sum(enterprise, internal) {
  let total = enterprise.length;
  for (const symbol of enterprise + internal) {
    if (symbol !== "-") total = timesX(total) ^ SYMBOLS.indexOf(symbol);
  }
  return total;
}

/**
 * Multiplication by x modulo x⁵ + x² + 1.
 * @param {number} element
 */
const timesX = (element) => (element & 0b1_0000 ? (element << 1) ^ 0b10_0101 : element << 1);
