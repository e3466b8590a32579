// Code profiles (编码规则): codes of other national schemes, described as data.
//
// A profile is a row of fields, each a fixed text or a run of characters, read once from the left: a
// run that may end early is followed by a text it cannot swallow, so that reading never goes back.
// It must not know any scheme: those are configuration.

import { allDigits, byteLength, isAlphanumeric, isDigit, isSpace, textOf } from "./bytes.js";
import { checkDigit, mod11x10 } from "./digits.js";
import { CodeError, refuse } from "./fault.js";
import { MAX_VALUE, Value } from "./value.js";

/** @typedef {"digits" | "alphanumeric" | "visible"} Characters */
/** @typedef {{ text: string } | { characters: Characters, min: number, max: number }} Field */

const MAX_FIELDS = 16;

/** @param {Characters} characters @param {string} c one character, maybe of two halves */
function holds(characters, c) {
  const unit = c.codePointAt(0) ?? 0;
  if (characters === "digits") return isDigit(unit);
  if (characters === "alphanumeric") return isAlphanumeric(unit);
  const isControl = unit < 0x20 || (unit >= 0x7f && unit < 0xa0);
  return !isControl && !isSpace(unit);
}

/** A profile that could be read in two ways, or is none. */
export class ProfileError extends Error {
  /** @param {string} name @param {"name" | "twice" | "field" | "ambiguous" | "issuer" | "check" | "unknown"} why */
  constructor(name, why) {
    super(`code profile ${JSON.stringify(name)}: ${why}`);
    this.why = why;
  }
}

/** One scheme of codes. */
export class CodeProfile {
  /** @param {unknown} given as it is written down; names that are not known are refused */
  constructor(given) {
    const spec = record(given, ["name", "fields", "check", "capitals", "grouping"], "?");
    const name = typeof spec.name === "string" ? spec.name : "";
    const list = Array.isArray(spec.fields) ? spec.fields : [];
    const rows = list.map((row) => record(row, ["text", "characters", "min", "max", "issuer"], name));
    /** @type {Field[]} */
    this.fields = rows.map((row) => fieldOf(row, name));
    const length = this.fields.reduce((sum, field) => sum + longest(field), 0);
    if (list.length < 1 || list.length > MAX_FIELDS || length > MAX_VALUE) throw new ProfileError(name, "field");
    if (!this.fields.every((field, at) => ends(field, this.fields[at + 1]))) throw new ProfileError(name, "ambiguous");
    const issuer = rows.flatMap((row, at) => (row.issuer === true ? [at] : []));
    const [first, last] = [issuer[0] ?? 0, (issuer[issuer.length - 1] ?? -1) + 1];
    if (issuer.length !== last - first) throw new ProfileError(name, "issuer");
    /** Index of the first field of the issuer, and of the one behind the last. */
    this.issuer = /** @type {const} */ ([first, last]);
    const check = spec.check ?? "none";
    if (check !== "none" && check !== "gs1" && check !== "mod-11-10") throw new ProfileError(name, "check");
    const isOfDigits = (/** @type {Field} */ field) =>
      "text" in field ? allDigits(field.text) : field.characters === "digits";
    if (check !== "none" && !this.fields.every(isOfDigits)) throw new ProfileError(name, "check");
    /** @type {"none" | "gs1" | "mod-11-10"} */
    this.check = check;
    this.capitals = spec.capitals === true;
    this.grouping = typeof spec.grouping === "string" ? spec.grouping : "";
    if (!isName(name)) throw new ProfileError(name, "name");
    this.name = name;
  }

  /**
   * Reads a code of this scheme that begins at byte `start` of what was given.
   * @param {string} bytes
   * @param {number} start
   * @returns {import("./elements.js").Scanned}
   */
  read(bytes, start) {
    const value = this.#canonical(bytes, start);
    const code = this.#fit(value);
    const last = value.bytes.length - 1;
    const data = value.bytes.slice(0, last);
    const due = this.check === "gs1" ? checkDigit(data) : mod11x10(data);
    if (this.check !== "none" && due !== value.bytes.charCodeAt(last) - 0x30) value.refuseAt(last, "bad-check-digit");
    return { code, claims: {}, form: "profile" };
  }

  /** Whether its fields fit a text. @param {string} bytes */
  fits(bytes) {
    try {
      this.#fit(this.#canonical(bytes, 0));
      return true;
    } catch (error) {
      if (error instanceof CodeError) return false;
      throw error;
    }
  }

  /** @param {string} bytes @param {number} start */
  #canonical(bytes, start) {
    const value = new Value(start);
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes.charCodeAt(at);
      if (byte < 0x80 && this.grouping.includes(bytes.charAt(at))) continue;
      value.push(this.capitals && byte >= 0x61 && byte <= 0x7a ? byte - 32 : byte, start + at);
    }
    return value;
  }

  /** @param {Value} value @returns {import("./elements.js").ProfiledCode} */
  #fit(value) {
    const text = textOf(value.bytes) ?? value.refuse("bad-character");
    if (text === "") value.refuse("missing-value");
    const characters = Array.from(text);
    const placeOf = (/** @type {number} */ index) => byteLength(characters.slice(0, index).join(""));
    const marks = [0, 0];
    let at = 0;
    this.fields.forEach((field, index) => {
      if (index === this.issuer[0]) marks[0] = at;
      at = taken(field, characters, at, (where, fault) => refuseAt(value, placeOf(where), fault));
      if (index + 1 === this.issuer[1]) marks[1] = at;
    });
    const next = characters[at];
    if (next !== undefined) {
      // More of what the last field may hold, or something it may not.
      const last = this.fields[this.fields.length - 1];
      const alien = last && "characters" in last && !holds(last.characters, next);
      refuseAt(value, placeOf(at), alien ? "bad-character" : "bad-length");
    }
    const issuer = this.issuer[1] === 0 ? "" : characters.slice(marks[0], marks[1]).join("");
    return { is: "profiled", profile: this.name, value: text, issuer };
  }
}

/**
 * Where a field ends that begins at this character.
 * @param {Field} field
 * @param {string[]} characters
 * @param {number} at
 * @param {(at: number, fault: import("./fault.js").Fault) => never} wrong
 * @returns {number}
 */
function taken(field, characters, at, wrong) {
  if ("text" in field) {
    const own = Array.from(field.text);
    if (own.every((c, index) => characters[at + index] === c)) return at + own.length;
    return wrong(at, at === characters.length ? "missing-value" : "bad-character");
  }
  let end = at;
  while (end < characters.length && end - at < field.max && holds(field.characters, characters[end] ?? "")) end += 1;
  if (end - at >= field.min) return end;
  if (end === characters.length) return wrong(end, "missing-value");
  return wrong(end, field.characters === "digits" ? "bad-digit" : "bad-character");
}

/**
 * A fault of the byte `at` of a value, which may be the place just behind its end.
 * @param {Value} value
 * @param {number} at
 * @param {import("./fault.js").Fault} fault
 * @returns {never}
 */
function refuseAt(value, at, fault) {
  if (at >= 1 && at >= value.bytes.length) return refuse(value.position(at - 1) + 1, fault);
  return value.refuseAt(at, fault);
}

/**
 * @param {unknown} given
 * @param {string[]} known
 * @param {string} name
 * @returns {Record<string, unknown>}
 */
function record(given, known, name) {
  if (typeof given !== "object" || given === null) throw new ProfileError(name, "field");
  if (Object.keys(given).some((key) => !known.includes(key))) throw new ProfileError(name, "unknown");
  return /** @type {Record<string, unknown>} */ (given);
}

/** @param {string} name */
function isName(name) {
  const isSmall = (/** @type {string} */ c) => c >= "a" && c <= "z";
  return (
    name.length >= 2 &&
    name.length <= 24 &&
    isSmall(name.charAt(0)) &&
    Array.from(name).every((c) => isSmall(c) || isDigit(c.charCodeAt(0)) || c === "-") &&
    !["http", "https", "urn"].includes(name)
  );
}

/** @param {Record<string, unknown>} row @param {string} name @returns {Field} */
function fieldOf(row, name) {
  const { text, characters, min, max } = row;
  const isRun = typeof min === "number" && typeof max === "number" && max >= 1 && min >= 0 && min <= max;
  if (typeof text === "string" && characters === undefined && min === undefined && max === undefined) {
    if (text !== "" && Array.from(text).every((c) => holds("visible", c))) return { text };
  } else if (text === undefined && isRun) {
    if (characters === "digits" || characters === "alphanumeric" || characters === "visible") {
      return { characters, min, max };
    }
  }
  throw new ProfileError(name, "field");
}

/** @param {Field} field */
const longest = (field) => ("text" in field ? Array.from(field.text).length : field.max);

/** Whether it is certain where a field ends. @param {Field} field @param {Field | undefined} next */
function ends(field, next) {
  if ("text" in field || field.min === field.max || next === undefined) return true;
  return "text" in next && !holds(field.characters, Array.from(next.text)[0] ?? "");
}

/** The schemes an installation knows besides GS1 and its own. */
export class CodeProfiles {
  /** @param {readonly unknown[]} specs in the order in which they are asked */
  constructor(specs) {
    this.list = specs.map((spec) => new CodeProfile(spec));
    const names = new Set(this.list.map((profile) => profile.name));
    if (names.size !== specs.length || specs.length > MAX_FIELDS) throw new ProfileError("", "twice");
  }

  /** @param {string} name @returns {CodeProfile | null} */
  named(name) {
    return this.list.find((profile) => profile.name === name) ?? null;
  }
}
