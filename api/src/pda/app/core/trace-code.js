// The trace code (追溯码): every text a scanner may deliver or a person may type becomes one
// canonical value, or a refusal that names the byte it stumbled on.
//
// The browser's own reader, held to `sync::trace_code` by `sync/tests/golden/trace_codes.json`. The
// forms are told apart by how a text begins, never by trying one reader after the other. It is total
// and bounded: no regular expression, nothing longer than `MAX_TEXT` is looked at. It must not know
// whether a code was ever issued.

import { parseBracketed } from "./trace-code/bracketed.js";
import { byteLength, bytesOf, cut, every, isAlphabetic, isAlphanumeric, isDigit, lower, trimmed } from "./trace-code/bytes.js";
import { parseTarget } from "./trace-code/digital-link.js";
import { GS, parseElementString } from "./trace-code/element-string.js";
import { looksBinary, parseEpc } from "./trace-code/epc.js";
import { looksUrn, parseUrn } from "./trace-code/epc-urn.js";
import { CodeError, refuse } from "./trace-code/fault.js";
import { looksOwn, parseOwn } from "./trace-code/own-scheme.js";
import { isNumber, parsePlain } from "./trace-code/plain.js";
import { Value } from "./trace-code/value.js";

export { FAULTS } from "./trace-code/fault.js";
export { checkCharacter } from "./trace-code/own-scheme.js";
export { canonicalPath, unitKey } from "./trace-code/print.js";
export { foldTyped } from "./trace-code/typed.js";

/** @typedef {import("./trace-code/elements.js").Scanned} Scanned */
/** @typedef {import("./trace-code/elements.js").TraceCode} TraceCode */
/** @typedef {import("./trace-code/elements.js").Claims} Claims */
/** @typedef {import("./trace-code/fault.js").Fault} Fault */

/**
 * What became of a text. `position` counts bytes of its UTF-8.
 * @typedef {{ ok: true, scanned: Scanned } | { ok: false, fault: Fault, position: number }} Read
 */

/** The longest text, path or query that is looked at, in bytes. */
export const MAX_TEXT = 2048;

/** Symbology identifiers (AIM) that announce an element string. */
const ANNOUNCE_ELEMENTS = ["]C1", "]d2", "]Q3", "]e0", "]J1"];

/**
 * Reads any text a scanner may deliver or a person may type.
 * @param {string} text
 * @returns {Read}
 */
export function parse(text) {
  return answered(() => parseText(text));
}

/**
 * Reads the target of a request: raw path and raw query, both still percent-encoded.
 * @param {string} rawPath
 * @param {string} rawQuery
 * @returns {Read}
 */
export function parsePath(rawPath, rawQuery) {
  return answered(() => {
    withinLimit(rawPath, 0);
    const path = bytesOf(rawPath);
    withinLimit(rawQuery, path.length + 1);
    return parseTarget(path, 0, bytesOf(rawQuery), path.length + 1);
  });
}

/** What a reader gives, or its refusal. @param {() => Scanned} read @returns {Read} */
export function answered(read) {
  try {
    return { ok: true, scanned: read() };
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    return { ok: false, fault: error.fault, position: error.position };
  }
}

/** Refuses a text that is too long. @param {string} text @param {number} start */
export function withinLimit(text, start) {
  // A text has at least as many bytes as halves of characters.
  if (text.length > MAX_TEXT || byteLength(text) > MAX_TEXT) refuse(start + MAX_TEXT, "too-long");
}

/** @param {string} text @returns {Scanned} */
function parseText(text) {
  withinLimit(text, 0);
  const { start: before, body: whole } = trimmed(text);
  if (whole === "") return refuse(0, "empty");
  const [announced, body] = withoutSymbologyIdentifier(whole);
  const start = before + whole.length - body.length;
  if (body === "") return refuse(start, "empty");
  if (announced || body.startsWith(GS)) return parseElementString(body, start);
  const [scheme, rest] = cut(body, "://");
  if (rest !== null && every(scheme, isAlphabetic)) return webAddress(scheme, rest, start);
  if (body.startsWith("/")) return target(body, start);
  if (body.startsWith("(")) return parseBracketed(body, start);
  if (looksOwn(body)) {
    return { code: parseOwn(Value.verbatim(body, start)), claims: {}, form: "own-scheme" };
  }
  if (looksUrn(body)) return parseUrn(body, start);
  if (looksBinary(body)) return parseEpc(body, start);
  if (isNumber(body)) return parsePlain(body, start);
  if (body.length >= 2 && every(body.slice(0, 2), isDigit)) return parseElementString(body, start);
  const slash = hostLength(body);
  return slash < 0 ? refuse(start, "not-a-code") : target(body.slice(slash), start + slash);
}

/**
 * Cuts off a symbology identifier, and tells whether it announces an element string.
 * @param {string} text
 * @returns {[boolean, string]}
 */
function withoutSymbologyIdentifier(text) {
  const isIdentifier = text.startsWith("]") && text.length >= 3 && every(text.slice(1, 3), isAlphanumeric);
  return isIdentifier ? [ANNOUNCE_ELEMENTS.includes(text.slice(0, 3)), text.slice(3)] : [false, text];
}

/**
 * Reads what follows a scheme: `host/path?query#fragment`.
 * @param {string} scheme
 * @param {string} rest
 * @param {number} schemeStart
 */
function webAddress(scheme, rest, schemeStart) {
  if (!["http", "https", "HTTP", "HTTPS"].includes(scheme)) {
    const mixed = ["http", "https"].includes(lower(scheme));
    return refuse(schemeStart, mixed ? "mixed-scheme" : "not-a-code");
  }
  const start = schemeStart + scheme.length + "://".length;
  let host = 0;
  while (host < rest.length && !"/?#".includes(rest.charAt(host))) host += 1;
  return host === 0 ? refuse(start, "not-a-code") : target(rest.slice(host), start + host);
}

/** Reads `path?query#fragment`. @param {string} text @param {number} start */
function target(text, start) {
  const [inside] = cut(text, "#");
  const [path, query] = cut(inside, "?");
  return parseTarget(path, start, query ?? "", start + path.length + 1);
}

/**
 * The length of the host of an address typed without its scheme; -1 when there is none.
 * @param {string} text
 */
function hostLength(text) {
  const slash = text.indexOf("/");
  const host = text.slice(0, Math.max(0, slash));
  const isHost = host.includes(".") && every(host, (byte) => isAlphanumeric(byte) || ".-:".includes(String.fromCharCode(byte)));
  return isHost ? slash : -1;
}
