// Collects what was read, whatever form it was read in, and decides what it names.
//
// Every reader feeds application identifiers and values into one `Elements`. It checks each value,
// refuses repetitions and contradictions, and picks the key. It must not know how the elements were
// written.

import { QUALIFIERS } from "./ai.js";
import { GTIN_LENGTHS, numberFault } from "./digits.js";
import { refuse } from "./fault.js";
import { check } from "./format.js";

/** @typedef {import("./ai-table.js").Ai} Ai */
/** @typedef {import("./value.js").Value} Value */

/** The most application identifiers one code may carry. */
export const MAX_ELEMENTS = 32;

/**
 * A trade item: product, batch or single unit, by how much of it is given.
 * @typedef {{ is: "gtin", gtin: string, variant: string | null, lot: string | null, serial: string | null, upui: string | null }} GtinCode
 *
 * A logistic unit.
 * @typedef {{ is: "sscc", sscc: string }} SsccCode
 *
 * A code of our own scheme, `ENTERPRISE.INTERNAL`.
 * @typedef {{ is: "own", enterprise: string, internal: string }} OwnCode
 *
 * Another GS1 key: recognised and validated, nothing more.
 * @typedef {{ is: "other", ai: string, value: string, qualifiers: { ai: string, value: string }[] }} OtherKey
 *
 * A code of a profile: recognised and validated, nothing more.
 * @typedef {{ is: "profiled", profile: string, value: string, issuer: string }} ProfiledCode
 *
 * @typedef {GtinCode | SsccCode | OwnCode | OtherKey | ProfiledCode} TraceCode
 *
 * What a code says besides naming a thing. Dates are `YYMMDD`; day 00 is the last of its month.
 * @typedef {{ expiry?: string, best_before?: string, produced?: string, lot?: string }} Claims
 *
 * @typedef {"digital-link" | "element-string" | "bracketed" | "plain-number" | "own-scheme" | "epc-binary" | "epc-urn" | "profile"} Form
 *
 * @typedef {{ code: TraceCode, claims: Claims, form: Form }} Scanned
 */

/**
 * How strongly a key names the thing scanned: goods before assets and documents, those before
 * places, which usually only say where the goods were.
 * @param {string} ai
 */
function rankOf(ai) {
  if (ai === "00" || ai === "01" || ai === "8006") return 0;
  return ai === "414" || ai === "415" || ai === "417" ? 2 : 1;
}

/** @type {Readonly<Record<string, readonly string[]>>} identifiers that contradict a key */
const CONTRADICTIONS = { "01": ["02", "03", "255", "37"], 8006: ["02", "255", "37", "8026"] };

/** @type {Readonly<Record<string, keyof Claims>>} */
const CLAIMS = { 10: "lot", 11: "produced", 15: "best_before", 17: "expiry" };

/** The elements of one code, as far as they have been read. */
export class Elements {
  constructor() {
    /** @type {Map<string, number>} identifiers met, and where */
    this.seen = new Map();
    /** @type {{ ai: Ai, value: string, position: number, rank: number } | null} */
    this.key = null;
    /** @type {number | null} where a second key of the same rank stands */
    this.rival = null;
    /** @type {Map<string, string>} */
    this.qualifiers = new Map();
    /** @type {Claims} */
    this.claims = {};
  }

  /**
   * Takes an element that may name the thing, qualify it, or say something about it.
   * @param {Ai} ai
   * @param {string} digits the identifier as written
   * @param {number} position where that stands
   * @param {Value} value
   */
  add(ai, digits, position, value) {
    this.addAttribute(ai, digits, position, value);
    if (ai.qualifiers) {
      const rank = rankOf(ai.first);
      if (this.key === null || rank < this.key.rank) {
        this.key = { ai, value: value.bytes, position, rank };
        this.rival = null;
      } else if (rank === this.key.rank) {
        this.rival ??= position;
      }
    }
    if (QUALIFIERS.includes(ai.first)) this.qualifiers.set(ai.first, value.bytes);
  }

  /**
   * Takes an element that only says something about the thing.
   * @param {Ai} ai
   * @param {string} digits
   * @param {number} position
   * @param {Value} value
   */
  addAttribute(ai, digits, position, value) {
    if (this.seen.has(digits)) refuse(position, "duplicate-key");
    if (this.seen.size >= MAX_ELEMENTS) refuse(position, "too-long");
    this.seen.set(digits, position);
    check(ai.parts, value);
    const claim = CLAIMS[ai.first];
    if (claim) this.claims[claim] = value.bytes;
  }

  /**
   * What the elements name together.
   * @param {Form} form
   * @param {number} start where the text begins
   * @returns {Scanned}
   */
  finish(form, start) {
    const { key } = this;
    if (key === null) return refuse(start, "no-key");
    if (this.rival !== null) refuse(this.rival, "conflicting-keys");
    for (const other of CONTRADICTIONS[key.ai.first] ?? []) {
      const position = this.seen.get(other);
      if (position !== undefined) refuse(position, "conflicting-keys");
    }
    return { code: this.#code(key), claims: this.claims, form };
  }

  /**
   * @param {{ ai: Ai, value: string, position: number }} key
   * @returns {TraceCode}
   */
  #code(key) {
    switch (key.ai.first) {
      case "01":
        return this.#gtin(key.value, key.position);
      case "00":
        judged(key, [18]);
        return { is: "sscc", sscc: key.value };
      default:
        return this.#other(key);
    }
  }

  /**
   * @param {string} value
   * @param {number} position
   * @returns {GtinCode}
   */
  #gtin(value, position) {
    judged({ value, position }, GTIN_LENGTHS);
    const said = (/** @type {string} */ ai) => this.qualifiers.get(ai) ?? null;
    const upui = said("235");
    if (upui === null) {
      return { is: "gtin", gtin: value, variant: said("22"), lot: said("10"), serial: said("21"), upui };
    }
    const serial = this.seen.get("21");
    if (serial !== undefined) refuse(serial, "conflicting-keys");
    return { ...product(value), upui };
  }

  /**
   * @param {{ ai: Ai, value: string, position: number }} key
   * @returns {OtherKey}
   */
  #other(key) {
    const rules = key.ai.qualifiers;
    const given = rules?.alternatives.find((list) => list.some((ai) => this.qualifiers.has(ai)));
    if (!given && rules?.required) refuse(key.position, "missing-qualifier");
    const qualifiers = (given ?? []).flatMap((ai) => {
      const value = this.qualifiers.get(ai);
      return value === undefined ? [] : [{ ai, value }];
    });
    return { is: "other", ai: key.ai.first, value: key.value, qualifiers };
  }
}

/**
 * @param {{ value: string, position: number }} key
 * @param {number[]} lengths
 */
function judged(key, lengths) {
  const wrong = numberFault(key.value, lengths);
  if (wrong) refuse(key.position + wrong[0], wrong[1]);
}

/**
 * The code that names a product and nothing narrower.
 * @param {string} gtin 14 digits
 * @returns {GtinCode}
 */
export const product = (gtin) => ({ is: "gtin", gtin, variant: null, lot: null, serial: null, upui: null });

/**
 * Writes the zeros a short GTIN lacks. Only forms meant for people and addresses may hold one; an
 * element string has 14 digits by definition.
 * @param {Ai} ai
 * @param {Value} value
 */
export function completeGtin(ai, value) {
  if (ai.first === "01" && [8, 12, 13].includes(value.bytes.length)) value.padLeft(14);
}
