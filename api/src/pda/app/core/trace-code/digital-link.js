// GS1 Digital Link URIs, binary EPCs as addresses, and addresses of our own scheme: path and query
// of a web address.
//
// The path is split at its slashes *before* anything is decoded, since `%2F` is a legal character
// of a lot. The rightmost primary key names the thing; what stands before it is the stem of whoever
// runs the resolver. Host and scheme have been cut off and do not matter.

import { QUALIFIERS, find, looksLikeAi, named } from "./ai.js";
import { cut, lower } from "./bytes.js";
import { Elements, completeGtin } from "./elements.js";
import { isEpcSegment, readSegment } from "./epc.js";
import { CodeError, refuse } from "./fault.js";
import { parseOwn } from "./own-scheme.js";
import { decode, split } from "./path.js";

/** @typedef {import("./path.js").Segment} Segment */
/** @typedef {import("./ai-table.js").Ai} Ai */

/**
 * Reads a raw path that begins at byte `start` of the text, and a raw query at `queryStart`.
 * @param {string} path
 * @param {number} start
 * @param {string} query
 * @param {number} queryStart
 * @returns {import("./elements.js").Scanned}
 */
export function parseTarget(path, start, query, queryStart) {
  const segments = split(path, start);
  const elements = new Elements();
  const found = findKey(segments, start + path.length);
  if ("own" in found) {
    const code = parseOwn(decode(found.own.text, found.own.position, false));
    readQuery(query, queryStart, elements, null);
    return { code, claims: elements.claims, form: "own-scheme" };
  }
  if ("epc" in found) {
    readSegment(found.epc, elements);
    readQuery(query, queryStart, elements, null);
    return elements.finish("epc-binary", start);
  }
  const branch = readPath(segments.slice(found.index), found.key, elements);
  readQuery(query, queryStart, elements, branch);
  return elements.finish("digital-link", start);
}

/**
 * Looks for the key from the right end of the path, pair by pair.
 * @param {Segment[]} segments
 * @param {number} end where the path ends
 * @returns {{ own: Segment } | { epc: Segment } | { index: number, key: Ai }}
 */
function findKey(segments, end) {
  const isOwn = (/** @type {number} */ index) => lower(segments[index]?.text ?? "") === "c";
  const keyAt = (/** @type {number} */ index) => {
    const ai = find(segments[index]?.text ?? "");
    return ai?.qualifiers ? ai : null;
  };
  const last = segments[segments.length - 1];
  if (last && segments.length >= 2 && isOwn(segments.length - 2)) return { own: last };
  for (let index = segments.length - 2; index >= 0; index -= 2) {
    const key = keyAt(index);
    if (key) return { index, key };
  }
  // A key with an odd number of segments behind it has one too many, or lacks a value.
  let odd = -1;
  for (let index = segments.length - 1; index >= 0 && odd < 0; index -= 2) {
    if (keyAt(index) || isOwn(index)) odd = index;
  }
  if (last && odd < 0 && isEpcSegment(last.text)) return { epc: last };
  throw noKey(segments, end, odd, isOwn);
}

/**
 * Why no pair of segments begins with a key. `odd` is a key that begins none, or -1.
 * @param {Segment[]} segments
 * @param {number} end
 * @param {number} odd
 * @param {(index: number) => boolean} isOwn
 */
function noKey(segments, end, odd, isOwn) {
  const [first, second] = segments;
  const last = segments[segments.length - 1];
  if (!first || !last) return new CodeError(end, "not-a-code");
  if (odd >= 0) {
    const isName = find(last.text) !== null || isOwn(segments.length - 1);
    return odd + 1 === segments.length || isName
      ? new CodeError(end, "missing-value")
      : new CodeError(last.position, "extra-segment");
  }
  if (isEpcSegment(first.text) && second) return new CodeError(second.position, "extra-segment");
  if (find(first.text)) return new CodeError(first.position, "no-key");
  return new CodeError(first.position, looksLikeAi(first.text) ? "unknown-key" : "not-a-code");
}

/**
 * Reads the key and the qualifiers behind it. Returns the qualifiers that may not appear in the
 * query because this path could have held them.
 * @param {Segment[]} segments from the key on
 * @param {Ai} key
 * @param {Elements} elements
 * @returns {readonly string[]}
 */
function readPath(segments, key, elements) {
  const alternatives = key.qualifiers?.alternatives ?? [];
  /** @type {readonly string[] | null} */
  let branch = null;
  let next = 0;
  for (let at = 0; ; at += 2) {
    const [name, value] = [segments[at], segments[at + 1]];
    if (!name || !value) break;
    const ai = named(name.text, name.position);
    if (at > 0) {
      const list = alternatives.find((qualifiers) => qualifiers.includes(ai.first));
      if (!list) {
        return refuse(name.position, QUALIFIERS.includes(ai.first) ? "not-a-qualifier" : "attribute-in-path");
      }
      branch ??= list;
      if (branch !== list) refuse(name.position, "conflicting-keys");
      if (elements.seen.has(ai.first)) refuse(name.position, "duplicate-key");
      const order = list.indexOf(ai.first);
      if (order < next) refuse(name.position, "qualifier-order");
      next = order + 1;
    }
    const decoded = decode(value.text, value.position, false);
    completeGtin(ai, decoded);
    elements.add(ai, name.text, name.position, decoded);
  }
  return branch ?? alternatives[0] ?? [];
}

/**
 * Reads the data attributes. Anything that is not an application identifier belongs to others:
 * `linkType`, `context`, and whatever trackers append.
 * @param {string} query
 * @param {number} start
 * @param {Elements} elements
 * @param {readonly string[] | null} inPath
 */
function readQuery(query, start, elements, inPath) {
  let position = start;
  for (const parameter of query.replaceAll(";", "&").split("&")) {
    const [name, value] = cut(parameter, "=");
    if (value !== null && looksLikeAi(name)) {
      const ai = named(name, position);
      if (inPath?.includes(ai.first) || !ai.isAttribute) refuse(position, "not-an-attribute");
      const decoded = decode(value, position + name.length + 1, true);
      completeGtin(ai, decoded);
      elements.addAttribute(ai, name, position, decoded);
    }
    position += parameter.length + 1;
  }
}
