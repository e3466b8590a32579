// Reads EPC URNs: pure identities, tags, the class of a product and of a lot.
//
// `urn:epc:id:sgtin:0614141.812345.6789`, `urn:epc:tag:sgtin-96:3.0614141.812345.6789`,
// `urn:epc:idpat:sgtin:0614141.812345.*`, `urn:epc:class:lgtin:0614141.812345.L7`. The names are
// read in either case, serials as they stand.

import { allDigits, cut, lower } from "./bytes.js";
import { Elements } from "./elements.js";
import { FAMILIES, PREFIXES, TAG_KINDS, nameIdentity } from "./epc-kinds.js";
import { refuse } from "./fault.js";
import { decode } from "./path.js";
import { Value } from "./value.js";

/** @typedef {import("./path.js").Segment} Segment */
/** @typedef {import("./epc-kinds.js").TagKind} TagKind */

const SCHEME = "urn:epc:";

/**
 * What a URN is about, by what stands before its last colon.
 * @typedef {{ name: string, family: import("./epc-kinds.js").Family, tag?: TagKind, is: "thing" | "class" | "lot" }} Subject
 */

/** @type {readonly Subject[]} */
const SUBJECTS = [
  ...Object.values(FAMILIES).map((family) => ({ name: `id:${family.name}:`, family, is: /** @type {const} */ ("thing") })),
  ...TAG_KINDS.map((tag) => ({
    name: `tag:${tag.name}:`,
    family: tag.family,
    tag,
    is: /** @type {const} */ ("thing"),
  })),
  { name: "idpat:sgtin:", family: FAMILIES.sgtin, is: "class" },
  { name: "class:lgtin:", family: FAMILIES.sgtin, is: "lot" },
];

/** The characters that a URN must escape. */
const ESCAPED = '"%&/<>?';

/** @param {string} text */
export const looksUrn = (text) => lower(text.slice(0, SCHEME.length)) === SCHEME;

/**
 * Reads a text that looks like a URN.
 * @param {string} text
 * @param {number} start where it begins in what was given
 * @returns {import("./elements.js").Scanned}
 */
export function parseUrn(text, start) {
  const inside = text.slice(SCHEME.length);
  const subject =
    SUBJECTS.find(({ name }) => lower(inside.slice(0, name.length)) === name) ??
    refuse(start + SCHEME.length, "unknown-epc");
  const rest = inside.slice(subject.name.length);
  const elements = new Elements();
  read(subject, new Parts(rest, start + text.length - rest.length), elements);
  return elements.finish("epc-urn", start);
}

/** The components of a URN, taken from the left. */
class Parts {
  /** @param {string} rest @param {number} position */
  constructor(rest, position) {
    /** @type {string | null} */
    this.rest = rest;
    this.position = position;
  }

  /** What stands before the next point. @returns {Segment} */
  next() {
    const [text, rest] = cut(this.rest ?? refuse(this.position, "missing-value"), ".");
    const { position } = this;
    this.position += text.length + (rest === null ? 0 : 1);
    this.rest = rest;
    return { text, position };
  }

  /** All that is left, points included: a serial may hold some. @returns {Segment} */
  last() {
    const text = this.rest ?? refuse(this.position, "missing-value");
    this.rest = null;
    return { text, position: this.position };
  }
}

/**
 * @param {Subject} subject
 * @param {Parts} parts
 * @param {Elements} elements
 */
function read(subject, parts, elements) {
  const { family, tag } = subject;
  if (tag) {
    const filter = parts.next();
    if (!["0", "1", "2", "3", "4", "5", "6", "7"].includes(filter.text)) refuse(filter.position, "bad-value");
  }
  const prefix = digits(parts.next());
  if (!PREFIXES.some(([, length]) => length === prefix.bytes.length)) prefix.refuse("bad-length");
  const reference = digits(family === FAMILIES.sscc ? parts.last() : parts.next());
  if (prefix.bytes.length + reference.bytes.length !== family.digits) reference.refuse("bad-length");
  const name = (/** @type {{ lot: Value } | { serial: Value } | null} */ narrowed) =>
    nameIdentity(family, prefix, reference, narrowed, elements);
  if (family === FAMILIES.sscc) return name(null);
  const last = parts.last();
  if (subject.is === "class") return last.text === "*" ? name(null) : refuse(last.position, "bad-value");
  if (subject.is === "lot") return name({ lot: unescaped(last) });
  if (tag) fits(tag, last);
  // The extension 0 of a place says that it has none.
  if (family === FAMILIES.sgln && last.text === "0") return name(null);
  return name({ serial: unescaped(last) });
}

/** @param {Segment} part @returns {Value} */
function digits(part) {
  for (let at = 0; at < part.text.length; at += 1) {
    if (!allDigits(part.text.charAt(at))) refuse(part.position + at, "bad-digit");
  }
  return Value.verbatim(part.text, part.position);
}

/** The characters of a serial or lot, escapes undone. @param {Segment} part */
function unescaped(part) {
  for (let at = 0; at < part.text.length; at += 1) {
    const character = part.text.charAt(at);
    if (character !== "%" && ESCAPED.includes(character)) refuse(part.position + at, "bad-character");
  }
  if (part.text === "") refuse(part.position, "missing-value");
  return decode(part.text, part.position, false);
}

/**
 * Refuses a serial that the tag has no room for.
 * @param {TagKind} kind
 * @param {Segment} serial
 */
function fits(kind, serial) {
  if (kind.tail !== "number") return;
  digits(serial);
  const { text } = serial;
  if (text === "") refuse(serial.position, "missing-value");
  const plain = text.length === 1 || !text.startsWith("0");
  // Of more than 15 digits the number need not be exact: it is far beyond any room.
  if (!plain || Number(text) >= 2 ** kind.tailBits) refuse(serial.position, "bad-value");
}
