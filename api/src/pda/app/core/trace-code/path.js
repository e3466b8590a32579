// Raw paths: their segments, and the characters a segment stands for. Nothing here knows what a
// segment means.

import { hexValue } from "./bytes.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/** The most segments a path may have, stem included. */
export const MAX_SEGMENTS = 32;

/**
 * One segment, still percent-encoded, and where it begins in the text.
 * @typedef {{ text: string, position: number }} Segment
 */

/**
 * The segments of a path that begins with a slash, without the empty one a trailing slash makes.
 * @param {string} path
 * @param {number} start
 * @returns {Segment[]}
 */
export function split(path, start) {
  if (!path.startsWith("/")) refuse(start, "not-a-code");
  let inside = path.slice(1);
  if (inside.endsWith("/")) inside = inside.slice(0, -1);
  if (inside === "") return [];
  /** @type {Segment[]} */
  const segments = [];
  let position = start + 1;
  for (const text of inside.split("/", MAX_SEGMENTS + 1)) {
    if (isDotSegment(text)) refuse(position, "dot-segment");
    if (segments.length === MAX_SEGMENTS) refuse(position, "too-long");
    segments.push({ text, position });
    position += text.length + 1;
  }
  return segments;
}

/**
 * Whether a segment is `.` or `..`, however its dots are written.
 * @param {string} text
 */
function isDotSegment(text) {
  return [".", ".."].includes(text.replaceAll("%2e", ".").replaceAll("%2E", "."));
}

/**
 * The characters a segment or query value stands for. In a query a plus sign is a space.
 * @param {string} text
 * @param {number} start
 * @param {boolean} inQuery
 * @returns {Value}
 */
export function decode(text, start, inQuery) {
  const value = new Value(start);
  let at = 0;
  while (at < text.length) {
    const position = start + at;
    const byte = text.charCodeAt(at);
    if (byte === 0x25) {
      const high = at + 2 < text.length ? hexValue(text.charCodeAt(at + 1)) : -1;
      const low = at + 2 < text.length ? hexValue(text.charCodeAt(at + 2)) : -1;
      if (high < 0 || low < 0) refuse(position, "bad-percent-encoding");
      value.push(high * 16 + low, position);
      at += 3;
    } else {
      value.push(inQuery && byte === 0x2b ? 0x20 : byte, position);
      at += 1;
    }
  }
  return value;
}
