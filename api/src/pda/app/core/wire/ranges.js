// Sets of sequence numbers as ranges, on the wire `[[1,5],[8,8]]`: ascending, apart from each other,
// none empty.

import { RANGES_MAX, SEQ_MAX } from "../limits.js";

/** @typedef {[first: number, last: number][]} Ranges */

/**
 * Whether a value is such a set in its one form.
 * @param {unknown} value
 * @returns {value is Ranges}
 */
export function isRanges(value) {
  if (!Array.isArray(value) || value.length > RANGES_MAX) return false;
  let after = 1;
  for (const range of value) {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [first, last] = range;
    if (!Number.isInteger(first) || !Number.isInteger(last)) return false;
    if (first < after || last < first || last > SEQ_MAX) return false;
    after = last + 2;
  }
  return true;
}

/**
 * @param {Ranges} ranges
 * @param {number} seq
 */
export function contains(ranges, seq) {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ranges[middle]?.[1] ?? 0) < seq) from = middle + 1;
    else to = middle;
  }
  return (ranges[from]?.[0] ?? Infinity) <= seq;
}

/** As it is signed: `1-5,8-8`. @param {Ranges} ranges */
export const printed = (ranges) => ranges.map(([first, last]) => `${first}-${last}`).join(",");
