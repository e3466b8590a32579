// One value being read: its bytes after decoding, and where in the text each of them stood, so that
// a fault names the byte a person can find although a percent sign or a space lies before it.

import { refuse } from "./fault.js";

/** The longest value any application identifier may have. */
export const MAX_VALUE = 90;

/** A decoded value of at most `MAX_VALUE` bytes that begins at byte `start` of the text. */
export class Value {
  /** @param {number} start */
  constructor(start) {
    this.start = start;
    this.bytes = "";
    /** @type {number[]} */
    this.at = [];
  }

  /**
   * A value that stands in the text as it is.
   * @param {string} bytes
   * @param {number} start
   */
  static verbatim(bytes, start) {
    const value = new Value(start);
    for (let at = 0; at < bytes.length; at += 1) value.push(bytes.charCodeAt(at), start + at);
    return value;
  }

  /**
   * Appends a decoded byte that stands at `position` of the text.
   * @param {number} byte
   * @param {number} position
   */
  push(byte, position) {
    if (this.bytes.length >= MAX_VALUE) this.refuse("bad-length");
    this.bytes += String.fromCharCode(byte);
    this.at.push(Math.max(0, position - this.start));
  }

  /**
   * Writes zeros before a value shorter than `width`: a GTIN-8, -12 or -13 as a GTIN-14.
   * @param {number} width
   */
  padLeft(width) {
    const missing = width - this.bytes.length;
    if (missing <= 0) return;
    this.bytes = "0".repeat(missing) + this.bytes;
    this.at = [.../** @type {number[]} */ (Array(missing).fill(0)), ...this.at];
  }

  /**
   * The bytes from one index to another, with their places.
   * @param {number} from
   * @param {number} to
   */
  part(from, to) {
    // Where nothing follows: the place just behind the last byte.
    const start =
      from < this.bytes.length ? this.position(from) : this.position(Math.max(0, this.bytes.length - 1)) + 1;
    const part = new Value(start);
    for (let at = from; at < Math.min(to, this.bytes.length); at += 1) {
      part.push(this.bytes.charCodeAt(at), this.position(at));
    }
    return part;
  }

  /**
   * Where in the text the decoded byte `index` stands.
   * @param {number} index
   */
  position(index) {
    return this.start + (this.at[index] ?? 0);
  }

  /**
   * A fault of the value as a whole.
   * @param {import("./fault.js").Fault} fault
   * @returns {never}
   */
  refuse(fault) {
    return refuse(this.start, fault);
  }

  /**
   * A fault of the decoded byte `index`.
   * @param {number} index
   * @param {import("./fault.js").Fault} fault
   * @returns {never}
   */
  refuseAt(index, fault) {
    return refuse(this.position(index), fault);
  }
}
