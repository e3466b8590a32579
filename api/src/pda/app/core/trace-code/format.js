// Formats of values: what an application identifier says about length, characters and content.
//
// A format is a sequence of parts, as in the GS1 syntax dictionary (`N13,csum [X..17]`). It judges
// one value at a time and knows neither other identifiers nor forms.

import { CSET_82, checkDigit, checkPair } from "./digits.js";
import { every, isAlphanumeric, isDigit } from "./bytes.js";

/** @typedef {import("./fault.js").Fault} Fault */

/** @typedef {"CheckDigit" | "CheckPair" | "CompanyPrefix" | "DateOrMonth" | "Date" | "LongDate" | "HourMinute" | "Hour" | "Sixty" | "Zero" | "NonZero" | "NoLeadingZero" | "PieceOfTotal" | "ImporterIndex" | "YesNo" | "Hyphen"} Rule */

/** The characters a field may hold, by the letter of the syntax dictionary. */
const CHARSETS = {
  N: isDigit,
  X: (/** @type {number} */ byte) => CSET_82.includes(String.fromCharCode(byte)),
  Y: (/** @type {number} */ byte) =>
    (byte >= 0x41 && byte <= 0x5a) || isDigit(byte) || byte === 0x23 || byte === 0x2d || byte === 0x2f,
  Z: (/** @type {number} */ byte) => isAlphanumeric(byte) || byte === 0x2d || byte === 0x5f || byte === 0x3d,
};

/** Whether a byte may stand in a value of CSET 82. */
export const inCset82 = CHARSETS.X;

/** One component of a format. */
export class Part {
  /**
   * @param {keyof typeof CHARSETS} charset
   * @param {number} min
   * @param {number} max
   * @param {boolean} [mayBeAbsent]
   * @param {Rule | null} [needs]
   */
  constructor(charset, min, max, mayBeAbsent = false, needs = null) {
    this.charset = charset;
    this.min = min;
    this.max = max;
    this.mayBeAbsent = mayBeAbsent;
    this.needs = needs;
  }

  /** The same component, which may be absent. */
  optional() {
    return new Part(this.charset, this.min, this.max, true, this.needs);
  }

  /**
   * The same component, which must satisfy a rule.
   * @param {Rule} needs
   */
  rule(needs) {
    return new Part(this.charset, this.min, this.max, this.mayBeAbsent, needs);
  }
}

/** @param {number} len exactly so many digits */
export const n = (len) => new Part("N", len, len);
/** @param {number} max one to so many digits */
export const nTo = (max) => new Part("N", 1, max);
/** @param {number} len exactly so many characters of CSET 82 */
export const x = (len) => new Part("X", len, len);
/** @param {number} max one to so many characters of CSET 82 */
export const xTo = (max) => new Part("X", 1, max);
/** @param {number} max one to so many characters of CSET 39 */
export const yTo = (max) => new Part("Y", 1, max);
/** @param {number} max one to so many characters of base64url */
export const zTo = (max) => new Part("Z", 1, max);

/**
 * The length of the longest value of a format.
 * @param {readonly Part[]} parts
 */
export const longest = (parts) => parts.reduce((sum, part) => sum + part.max, 0);

/**
 * Refuses a value that does not have the given format.
 * @param {readonly Part[]} parts
 * @param {import("./value.js").Value} value
 */
export function check(parts, value) {
  const { bytes } = value;
  if (bytes === "") value.refuse("missing-value");
  let start = 0;
  for (const part of parts) {
    const rest = bytes.slice(start);
    if (rest === "" && part.mayBeAbsent) break;
    const taken = rest.slice(0, part.max);
    const holds = CHARSETS[part.charset];
    for (let at = 0; at < taken.length; at += 1) {
      if (!holds(taken.charCodeAt(at))) {
        value.refuseAt(start + at, part.charset === "N" ? "bad-digit" : "bad-character");
      }
    }
    if (taken.length < part.min) value.refuse("bad-length");
    const broken = part.needs && breaks(part.needs, taken);
    if (broken) value.refuseAt(start + broken[0], broken[1]);
    start += taken.length;
  }
  if (start < bytes.length) value.refuse("bad-length");
  // Any normaliser of addresses would swallow such a value, so no form may carry it.
  if (bytes === "." || bytes === "..") value.refuse("dot-segment");
}

/**
 * Which character of a component breaks its rule and how; null when none does.
 * @param {Rule} rule
 * @param {string} bytes
 * @returns {[number, Fault] | null}
 */
function breaks(rule, bytes) {
  /** @type {(holds: boolean, fault: Fault) => [number, Fault] | null} */
  const unless = (holds, fault) => (holds ? null : [0, fault]);
  const number = Number(bytes);
  switch (rule) {
    case "CheckDigit": {
      const last = bytes.length - 1;
      const due = checkDigit(bytes.slice(0, last));
      return due === Number(bytes.charAt(last)) ? null : [Math.max(0, last), "bad-check-digit"];
    }
    case "CompanyPrefix":
      return companyPrefix(bytes);
    case "CheckPair": {
      const at = Math.max(0, bytes.length - 2);
      const wrong = companyPrefix(bytes);
      if (wrong) return wrong;
      return checkPair(bytes.slice(0, at)) === bytes.slice(at) ? null : [at, "bad-check-character"];
    }
    case "DateOrMonth":
      return unless(isDate(bytes, true), "bad-date");
    case "Date":
      return unless(isDate(bytes, false), "bad-date");
    case "LongDate":
      return unless(isLongDate(bytes), "bad-date");
    case "HourMinute":
      return unless(Number(bytes.slice(0, 2)) < 24 && Number(bytes.slice(2)) < 60, "bad-date");
    case "Hour":
      return unless(number < 24, "bad-date");
    case "Sixty":
      return unless(number < 60, "bad-date");
    case "Zero":
      return unless(number === 0, "bad-value");
    case "NonZero":
      return unless(number !== 0, "bad-value");
    case "NoLeadingZero":
      return unless(bytes.length < 2 || bytes.charAt(0) !== "0", "bad-value");
    case "PieceOfTotal": {
      const [piece, total] = [Number(bytes.slice(0, 2)), Number(bytes.slice(2))];
      return unless(piece > 0 && piece <= total, "bad-value");
    }
    case "ImporterIndex":
      return unless(
        every(bytes, (byte) => isAlphanumeric(byte) || byte === 0x2d || byte === 0x5f),
        "bad-character",
      );
    case "YesNo":
      return unless(bytes === "0" || bytes === "1", "bad-value");
    case "Hyphen":
      return unless(bytes === "-", "bad-character");
  }
}

/**
 * @param {string} bytes
 * @returns {[number, Fault] | null}
 */
function companyPrefix(bytes) {
  for (let at = 0; at < 4; at += 1) {
    if (at >= bytes.length) return [0, "bad-length"];
    if (!isDigit(bytes.charCodeAt(at))) return [at, "bad-digit"];
  }
  return null;
}

/**
 * `YYMMDD`. The century is left open: of the years that 00 can stand for only 2000 is near, and it
 * was a leap year.
 * @param {string} bytes
 * @param {boolean} dayMayBeOpen
 */
function isDate(bytes, dayMayBeOpen) {
  if (bytes.length !== 6) return false;
  const day = Number(bytes.slice(4));
  const last = daysIn(Number(bytes.slice(2, 4)), Number(bytes.slice(0, 2)) % 4 === 0);
  return last > 0 && day <= last && (day > 0 || dayMayBeOpen);
}

/** @param {string} bytes `YYYYMMDD` */
function isLongDate(bytes) {
  if (bytes.length !== 8) return false;
  const year = Number(bytes.slice(0, 4));
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const day = Number(bytes.slice(6));
  return day > 0 && day <= daysIn(Number(bytes.slice(4, 6)), leap);
}

/**
 * The days of a month, 0 when there is no such month.
 * @param {number} month
 * @param {boolean} leap
 */
function daysIn(month, leap) {
  if (month === 2) return leap ? 29 : 28;
  return [0, 31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] ?? 0;
}
