// Prints codes as labels carry them: web address, element string and the bracketed line for people. What is printed
// is read back to the same code. No screen prints labels, so this is no part of the first load.

import { find } from "./ai.js";
import { GS } from "./element-string.js";
import { canonicalPath, elementsOf, percentEncoded } from "./print.js";

/** @typedef {import("./elements.js").TraceCode} TraceCode */

/**
 * The web address under a base such as `https://id.example.cn`.
 * @param {TraceCode} code
 * @param {string} base
 */
export function digitalLink(code, base) {
  let end = base.length;
  while (base.charAt(end - 1) === "/") end -= 1;
  const path =
    code.is === "profiled" ? `/q?code=${code.profile}%3A${percentEncoded(code.value)}` : canonicalPath(code);
  return base.slice(0, end) + path;
}

/**
 * The GS1 element string, without symbology identifier; null for codes without GS1 key.
 * @param {TraceCode} code
 */
export function elementString(code) {
  const elements = elementsOf(code);
  if (!elements) return null;
  let out = "";
  let open = false;
  for (const [ai, value] of elements) {
    out += (open ? GS : "") + ai + value;
    open = !find(ai)?.isPredefined;
  }
  return out;
}

/**
 * The bracketed line for people, `(01)…(10)…`; null for codes without GS1 key.
 * @param {TraceCode} code
 */
export function bracketed(code) {
  const elements = elementsOf(code);
  return elements && elements.map(([ai, value]) => `(${ai})${value.replaceAll("(", "\\(")}`).join("");
}
