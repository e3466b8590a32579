// Reads binary EPCs: hexadecimal digits as RFID readers deliver them, and the path segments
// `/eh{hex}` and `/ex{base64url}`.
//
// Faults point at the character that holds the first bit of the part that is wrong.

import { every, hexValue, isAlphabetic, isDigit, lower } from "./bytes.js";
import { Elements } from "./elements.js";
import {
  CHARACTERS,
  FAMILIES,
  PAIR_AT,
  PARTITION_AT,
  PREFIXES,
  TAG_KINDS,
  bitsOf,
  fills,
  nameIdentity,
} from "./epc-kinds.js";
import { refuse } from "./fault.js";
import { decode } from "./path.js";
import { Value } from "./value.js";

/** Bits of a hexadecimal digit and of a base64url character. */
const HEX = 4;
const BASE64URL = 6;

/** The fewest hexadecimal digits that are taken for a tag of a kind we do not read. */
const SHORTEST_UNKNOWN = 24;

/** @param {string} text @returns {[boolean, string]} whether `0x` stood before, and the digits */
const without0x = (text) =>
  text.startsWith("0x") || text.startsWith("0X") ? [true, text.slice(2)] : [false, text];

/**
 * Whether a bare text is meant as a binary EPC: hexadecimal digits, in groups or not, behind `0x`,
 * or of just the length that the header asks for, or so many beginning with a letter that it can be
 * nothing else.
 * @param {string} text
 */
export function looksBinary(text) {
  const [announced, digits] = without0x(text);
  if (announced) return true;
  if (!every(digits, (byte) => hexValue(byte) >= 0 || byte === 0x20)) return false;
  const count = digits.replaceAll(" ", "").length;
  const [high, low] = [hexValue(digits.charCodeAt(0)), hexValue(digits.charCodeAt(1))];
  const kind = high < 0 || low < 0 ? null : TAG_KINDS.find((known) => known.header === high * 16 + low);
  if (kind) return fills(kind, count, HEX);
  return count >= SHORTEST_UNKNOWN && !isDigit(digits.charCodeAt(0));
}

/**
 * Reads a text that looks binary.
 * @param {string} text
 * @param {number} start where it begins in what was given
 * @returns {import("./elements.js").Scanned}
 */
export function parseEpc(text, start) {
  const [, digits] = without0x(text);
  const from = start + text.length - digits.length;
  const bits = new Bits(HEX, from);
  for (let at = 0; at < digits.length; at += 1) {
    if (digits.charAt(at) !== " ") bits.push(digits.charCodeAt(at), from + at);
  }
  const elements = new Elements();
  read(bits, elements);
  return elements.finish("epc-binary", from);
}

/** @param {string} segment @returns {number} bits of each character, 0 when it is no EPC */
function bitsEach(segment) {
  const mark = lower(segment.slice(0, 2));
  if (mark === "eh") return HEX;
  return mark === "ex" ? BASE64URL : 0;
}

/**
 * Whether a path segment is meant as a binary EPC: `eh` or `ex`, in either case, begins it.
 * @param {string} segment
 */
export const isEpcSegment = (segment) => bitsEach(segment) > 0;

/**
 * Reads such a segment.
 * @param {import("./path.js").Segment} segment
 * @param {Elements} elements
 */
export function readSegment(segment, elements) {
  const decoded = decode(segment.text, segment.position, false);
  const bits = new Bits(bitsEach(segment.text) || HEX, segment.position + 2);
  for (let at = 2; at < decoded.bytes.length; at += 1) bits.push(decoded.bytes.charCodeAt(at), decoded.position(at));
  read(bits, elements);
}

/** The bits of an EPC, held as its characters, so that every bit has its place in the text. */
class Bits {
  /** @param {number} each @param {number} start */
  constructor(each, start) {
    this.characters = new Value(start);
    this.each = each;
  }

  /** @param {number} byte @param {number} position */
  push(byte, position) {
    const value = this.each === HEX ? hexValue(byte) : base64Value(byte);
    if (value < 0) refuse(position, "bad-character");
    this.characters.push(value, position);
  }

  /** How many there are. */
  get length() {
    return this.characters.bytes.length * this.each;
  }

  /**
   * `width` bits, at most 53, from the bit `at` on. Those beyond the end are zero.
   * @param {number} at
   * @param {number} width
   */
  number(at, width) {
    let number = 0;
    for (let bit = at; bit < at + width; bit += 1) {
      const character = this.characters.bytes.charCodeAt(Math.floor(bit / this.each)) || 0;
      number = number * 2 + ((character >> (this.each - 1 - (bit % this.each))) & 1);
    }
    return number;
  }

  /** Where the bit `at` stands in the text. @param {number} at */
  position(at) {
    return this.characters.position(Math.floor(at / this.each));
  }

  /**
   * A number of `width` bits as `digits` decimal digits, all standing where it begins.
   * @param {number} at
   * @param {number} width
   * @param {number} digits
   */
  digits(at, width, digits) {
    const number = this.number(at, width);
    if (number >= 10 ** digits) refuse(this.position(at), "bad-value");
    return spread(digits === 0 ? "" : String(number).padStart(digits, "0"), this.position(at));
  }

  /** Refuses a bit other than zero from `at` on. @param {number} at */
  zerosFrom(at) {
    for (let bit = at; bit < this.length; bit += 1) {
      if (this.number(bit, 1) !== 0) refuse(this.position(bit), "bad-padding");
    }
  }
}

/** @param {number} byte */
function base64Value(byte) {
  if (isDigit(byte)) return byte - 0x30 + 52;
  if (isAlphabetic(byte)) return byte <= 0x5a ? byte - 0x41 : byte - 0x61 + 26;
  if (byte === 0x2d) return 62;
  return byte === 0x5f ? 63 : -1;
}

/** A value all of which stands at one place. @param {string} bytes @param {number} place */
function spread(bytes, place) {
  const value = new Value(place);
  for (let at = 0; at < bytes.length; at += 1) value.push(bytes.charCodeAt(at), place);
  return value;
}

/**
 * Gives the elements a binary EPC stands for.
 * @param {Bits} bits
 * @param {Elements} elements
 */
function read(bits, elements) {
  if (bits.length === 0) refuse(bits.position(0), "missing-value");
  const header = bits.number(0, 8);
  const kind = TAG_KINDS.find((known) => known.header === header) ?? refuse(bits.position(0), "unknown-epc");
  if (!fills(kind, bits.characters.bytes.length, bits.each)) refuse(bits.position(0), "bad-length");
  const { family } = kind;
  const [prefixBits, prefixDigits] =
    PREFIXES[bits.number(PARTITION_AT, 3)] ?? refuse(bits.position(PARTITION_AT), "bad-partition");
  const referenceAt = PAIR_AT + prefixBits;
  const tailAt = PAIR_AT + family.bits;
  const prefix = bits.digits(PAIR_AT, prefixBits, prefixDigits);
  const reference = bits.digits(referenceAt, tailAt - referenceAt, family.digits - prefixDigits);
  bits.zerosFrom(bitsOf(kind));
  const serial = serialOf(bits, kind, tailAt);
  // The extension 0 of a place says that it has none.
  const none = family === FAMILIES.sscc || (family === FAMILIES.sgln && serial.bytes === "0");
  nameIdentity(family, prefix, reference, none ? null : { serial }, elements);
}

/**
 * @param {Bits} bits
 * @param {import("./epc-kinds.js").TagKind} kind
 * @param {number} at
 */
function serialOf(bits, kind, at) {
  if (kind.tail === "number") return spread(String(bits.number(at, kind.tailBits)), bits.position(at));
  const serial = new Value(bits.position(at));
  if (kind.tail === "zeros") {
    bits.zerosFrom(at);
    return serial;
  }
  // Characters of seven bits up to the first zero, behind which only zeros may follow.
  for (let index = 0; index < CHARACTERS; index += 1) {
    const place = at + 7 * index;
    const character = bits.number(place, 7);
    if (character === 0) {
      bits.zerosFrom(place);
      break;
    }
    serial.push(character, bits.position(place));
  }
  return serial;
}
