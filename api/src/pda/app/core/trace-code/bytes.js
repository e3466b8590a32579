// Texts as strings of bytes: every character of such a string is one byte of the text's UTF-8.
//
// Positions of faults are agreed to be bytes of UTF-8, while a browser counts in halves of UTF-16.
// Working on byte strings makes both the same, and slices cheap. Knows nothing of codes.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of a text. Half a character, which UTF-8 cannot hold, becomes U+FFFD.
 * @param {string} text at most a few thousand characters
 * @returns {string}
 */
export function bytesOf(text) {
  let bytes = "";
  for (const byte of encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/**
 * The text some bytes stand for; null when they are no UTF-8.
 * @param {string} bytes
 * @returns {string | null}
 */
export function textOf(bytes) {
  const array = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) array[at] = bytes.charCodeAt(at);
  try {
    return decoder.decode(array);
  } catch {
    return null;
  }
}

/**
 * How many bytes a text has, without making them.
 * @param {string} text
 * @returns {number}
 */
export function byteLength(text) {
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      length += 1;
    } else if (unit < 0x800) {
      length += 2;
    } else if (unit >= 0xd800 && unit < 0xdc00 && isSecondHalf(text.charCodeAt(at + 1))) {
      // Two halves make one character of four bytes.
      length += 4;
      at += 1;
    } else {
      length += 3;
    }
  }
  return length;
}

/** @param {number} unit */
const isSecondHalf = (unit) => unit >= 0xdc00 && unit < 0xe000;

/**
 * White space of Unicode. (`String.prototype.trim` leaves U+0085 and takes U+FEFF.)
 * @param {number} unit
 * @returns {boolean}
 */
export function isSpace(unit) {
  return (
    (unit >= 0x09 && unit <= 0x0d) ||
    unit === 0x20 ||
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/**
 * A text without the white space around it, as bytes, and the byte it begins at.
 * @param {string} text
 * @returns {{ start: number, body: string }}
 */
export function trimmed(text) {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return { start: byteLength(text.slice(0, from)), body: bytesOf(text.slice(from, to)) };
}

/** @param {string} bytes @returns {boolean} whether all are decimal digits; of none too */
export function allDigits(bytes) {
  for (let at = 0; at < bytes.length; at += 1) if (!isDigit(bytes.charCodeAt(at))) return false;
  return true;
}

/** @param {number} byte */
export const isDigit = (byte) => byte >= 0x30 && byte <= 0x39;

/** @param {number} byte */
export const isAlphabetic = (byte) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** @param {number} byte */
export const isAlphanumeric = (byte) => isDigit(byte) || isAlphabetic(byte);

/**
 * The value of a hexadecimal digit, -1 for anything else.
 * @param {number} byte
 * @returns {number}
 */
export function hexValue(byte) {
  if (isDigit(byte)) return byte - 0x30;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x41 + 10;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x61 + 10;
  return -1;
}

/**
 * Whether every byte is as asked; true of none.
 * @param {string} bytes
 * @param {(byte: number) => boolean} asked
 */
export function every(bytes, asked) {
  for (let at = 0; at < bytes.length; at += 1) if (!asked(bytes.charCodeAt(at))) return false;
  return true;
}

/**
 * Cuts at the first mark; the second part is null when there is none.
 * @param {string} bytes
 * @param {string} mark
 * @returns {[string, string | null]}
 */
export function cut(bytes, mark) {
  const at = bytes.indexOf(mark);
  return at < 0 ? [bytes, null] : [bytes.slice(0, at), bytes.slice(at + mark.length)];
}

/**
 * Small letters for capitals, of ASCII only.
 * @param {string} bytes
 */
export function lower(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes.charCodeAt(at);
    out += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte);
  }
  return out;
}
