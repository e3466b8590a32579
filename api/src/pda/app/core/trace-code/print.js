// Prints codes: the canonical path, which is read back to the same code, and the key of a unit.

import { bytesOf, isAlphanumeric } from "./bytes.js";

/** @typedef {import("./elements.js").TraceCode} TraceCode */
/** @typedef {[ai: string, value: string]} Element */

/**
 * The key and its qualifiers, in the order of a path; null for codes without GS1 key.
 * @param {TraceCode} code
 * @returns {Element[] | null}
 */
export function elementsOf(code) {
  switch (code.is) {
    case "gtin": {
      /** @type {[string, string | null][]} */
      const all = [
        ["01", code.gtin],
        ["235", code.upui],
        ["22", code.variant],
        ["10", code.lot],
        ["21", code.serial],
      ];
      return all.flatMap(([ai, value]) => (value === null ? [] : [/** @type {Element} */ ([ai, value])]));
    }
    case "sscc":
      return [["00", code.sscc]];
    case "other":
      return [[code.ai, code.value], ...code.qualifiers.map(({ ai, value }) => /** @type {Element} */ ([ai, value]))];
    case "own":
    case "profiled":
      return null;
  }
}

/**
 * The characters of a path, everything but unreserved ones encoded byte by byte.
 * @param {string} text
 */
export function percentEncoded(text) {
  let out = "";
  for (const byte of bytesOf(text)) {
    const number = byte.charCodeAt(0);
    out +=
      isAlphanumeric(number) || "-._~".includes(byte) ? byte : `%${number.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/**
 * The canonical path: `/01/{gtin}[/22/…][/10/…][/21/…]`, `/00/{sscc}`, `/c/{enterprise}.{internal}`.
 * A code of a profile has no path of its own; it prints as `{profile}:{code}`.
 * @param {TraceCode} code
 */
export function canonicalPath(code) {
  if (code.is === "own") return `/c/${code.enterprise}.${code.internal}`;
  if (code.is === "profiled") return `${code.profile}:${code.value}`;
  return (elementsOf(code) ?? []).map(([ai, value]) => `/${ai}/${percentEncoded(value)}`).join("");
}

/**
 * The key of the single unit a code names: primary key and serial of its canonical form. Null for a
 * code that names a product or a batch only. Lot and dates are claims and no part of it.
 * @param {TraceCode} code
 * @returns {string | null}
 */
export function unitKey(code) {
  switch (code.is) {
    case "gtin":
      if (code.serial !== null) return `/01/${code.gtin}/21/${percentEncoded(code.serial)}`;
      return code.upui === null ? null : `/01/${code.gtin}/235/${percentEncoded(code.upui)}`;
    case "sscc":
    case "own":
    case "profiled":
      return canonicalPath(code);
    case "other":
      return null;
  }
}
