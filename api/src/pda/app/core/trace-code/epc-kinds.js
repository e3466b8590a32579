// The EPCs that are read: their layouts, and from the parts of an EPC to the elements of a code.
//
// A tag holds company prefix and reference as two numbers, whose widths a *partition* tells, and
// knows no check digit. Layouts are those of the EPC Tag Data Standard.

import { find } from "./ai.js";
import { checkDigit } from "./digits.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/**
 * Digits and bits of company prefix and reference together, without check digit.
 * @typedef {{ name: string, digits: number, bits: number, ai: string, serialAi: string }} Family
 */

/** @type {Readonly<Record<"sgtin" | "sscc" | "sgln", Family>>} */
export const FAMILIES = {
  sgtin: { name: "sgtin", digits: 13, bits: 44, ai: "01", serialAi: "21" },
  sscc: { name: "sscc", digits: 17, bits: 58, ai: "00", serialAi: "21" },
  sgln: { name: "sgln", digits: 12, bits: 41, ai: "414", serialAi: "254" },
};

/** Where the partition stands: behind header and filter. */
export const PARTITION_AT = 11;
/** Where company prefix and reference begin. */
export const PAIR_AT = 14;
/** The most characters a serial has. */
export const CHARACTERS = 20;

/**
 * How an EPC is written to a tag. Behind the reference stand a number, twenty characters of seven
 * bits, or zeros.
 * @typedef {{ name: string, header: number, family: Family, tail: "number" | "characters" | "zeros", tailBits: number }} TagKind
 */

/** @type {readonly TagKind[]} */
export const TAG_KINDS = [
  { name: "sgtin-96", header: 0x30, family: FAMILIES.sgtin, tail: "number", tailBits: 38 },
  { name: "sgtin-198", header: 0x36, family: FAMILIES.sgtin, tail: "characters", tailBits: 7 * CHARACTERS },
  { name: "sscc-96", header: 0x31, family: FAMILIES.sscc, tail: "zeros", tailBits: 24 },
  { name: "sgln-96", header: 0x32, family: FAMILIES.sgln, tail: "number", tailBits: 41 },
];

/**
 * The bits that carry something.
 * @param {TagKind} kind
 */
export const bitsOf = (kind) => PAIR_AT + kind.family.bits + kind.tailBits;

/**
 * Whether this many characters of so many bits each write the EPC: just its bits, or filled up to
 * whole bytes, or to the words of 16 bits that a tag's memory has.
 * @param {TagKind} kind
 * @param {number} characters
 * @param {number} bitsEach
 */
export function fills(kind, characters, bitsEach) {
  const bits = bitsOf(kind);
  return [1, 8, 16].some((word) => Math.ceil((Math.ceil(bits / word) * word) / bitsEach) === characters);
}

/** Bits and digits of the company prefix, by partition. */
export const PREFIXES = /** @type {const} */ ([
  [40, 12],
  [37, 11],
  [34, 10],
  [30, 9],
  [27, 8],
  [24, 7],
  [20, 6],
]);

/**
 * Gives the elements that company prefix and reference of right length, both all digits, stand for.
 * @param {Family} family
 * @param {Value} prefix
 * @param {Value} reference
 * @param {{ lot: Value } | { serial: Value } | null} narrowed
 * @param {import("./elements.js").Elements} elements
 */
export function nameIdentity(family, prefix, reference, narrowed, elements) {
  const add = (/** @type {string} */ digits, /** @type {number} */ position, /** @type {Value} */ value) => {
    const ai = find(digits) ?? refuse(position, "unknown-key");
    elements.add(ai, digits, position, value);
  };
  add(family.ai, prefix.position(0), keyOf(family, prefix, reference));
  if (narrowed === null) return;
  if ("lot" in narrowed) add("10", narrowed.lot.position(0), narrowed.lot);
  else add(family.serialAi, narrowed.serial.position(0), narrowed.serial);
}

/**
 * The digits of the key. Indicator and extension digit come first in a key, and in an EPC at the
 * beginning of the reference.
 * @param {Family} family
 * @param {Value} prefix
 * @param {Value} reference
 */
function keyOf(family, prefix, reference) {
  const key = new Value(prefix.position(0));
  const leads = family === FAMILIES.sgln ? 0 : 1;
  const copy = (/** @type {Value} */ of, /** @type {number} */ from, /** @type {number} */ to) => {
    for (let at = from; at < Math.min(to, of.bytes.length); at += 1) {
      key.push(of.bytes.charCodeAt(at), of.position(at));
    }
  };
  copy(reference, 0, leads);
  copy(prefix, 0, prefix.bytes.length);
  copy(reference, leads, reference.bytes.length);
  const check = checkDigit(key.bytes) ?? key.refuse("bad-digit");
  key.push(0x30 + check, reference.position(Math.max(0, reference.bytes.length - 1)));
  return key;
}
