// Application identifiers (应用标识符): which one some digits are.
//
// The table itself is data in `ai-table.js`. It must not know the forms in which identifiers are
// written.

import { TABLE } from "./ai-table.js";
import { allDigits } from "./bytes.js";
import { refuse } from "./fault.js";
import { longest } from "./format.js";

/** @typedef {import("./ai-table.js").Ai} Ai */

/** Every identifier that qualifies some primary key. */
export const QUALIFIERS = ["22", "10", "21", "235", "254", "7040", "8011", "8019", "8020"];

/** @type {Map<string, Ai>} every identifier, written out, with its row */
const INDEX = new Map();
for (const row of TABLE) {
  const width = row.first.length;
  for (let number = Number(row.first); number <= Number(row.last); number += 1) {
    INDEX.set(String(number).padStart(width, "0"), row);
  }
}

/**
 * The application identifier of exactly these digits.
 * @param {string} digits
 * @returns {Ai | null}
 */
export const find = (digits) => INDEX.get(digits) ?? null;

/**
 * An identifier that is written out in full, as a path, a query or brackets have it.
 * @param {string} digits
 * @param {number} position
 * @returns {Ai}
 */
export const named = (digits, position) => find(digits) ?? refuse(position, "unknown-key");

/**
 * The digits of the identifier a text begins with. No identifier is the beginning of another.
 * @param {string} bytes
 * @returns {string | null}
 */
export function leading(bytes) {
  for (let length = 2; length <= 4; length += 1) {
    const digits = bytes.slice(0, length);
    if (digits.length === length && INDEX.has(digits)) return digits;
  }
  return null;
}

/**
 * The length a value must have, when it can have only one; else null.
 * @param {Ai} ai
 */
export const predefinedLength = (ai) => (ai.isPredefined ? longest(ai.parts) : null);

/**
 * Whether a name has the look of an identifier: two to four digits.
 * @param {string} name
 */
export const looksLikeAi = (name) => name.length >= 2 && name.length <= 4 && allDigits(name);
