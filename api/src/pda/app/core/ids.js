// Names of things: UUIDs as they stand on the wire, and new ones for events (version 7) and groups.
// Randomness and time are given.

const NIL = "00000000-0000-0000-0000-000000000000";

/**
 * Whether a text is a UUID with hyphens, and not the nil one: under that the server speaks.
 * @param {unknown} text
 * @returns {text is string}
 */
export function isUuid(text) {
  if (typeof text !== "string" || text.length !== 36 || text === NIL) return false;
  for (let at = 0; at < 36; at += 1) {
    const c = text.charAt(at);
    const isHyphen = at === 8 || at === 13 || at === 18 || at === 23;
    if (isHyphen ? c !== "-" : !"0123456789abcdefABCDEF".includes(c)) return false;
  }
  return true;
}

/**
 * The 16 bytes of a UUID.
 * @param {string} uuid
 */
export function uuidBytes(uuid) {
  const digits = uuid.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/**
 * A UUID of version 7: milliseconds since 1970, then random bits.
 * @param {number} ms by the device's clock, however wrong
 * @param {Uint8Array} random ten bytes
 */
export function uuid7(ms, random) {
  const bytes = new Uint8Array(16);
  // 48 bits hold what any clock of a browser says after 1970.
  let rest = Math.min(Math.max(0, Math.trunc(ms) || 0), 2 ** 48 - 1);
  for (let at = 5; at >= 0; at -= 1) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const digits = hex(bytes);
  return [0, 8, 12, 16, 20].map((from, at) => digits.slice(from, [8, 12, 16, 20, 32][at])).join("-");
}

/**
 * Small hexadecimal digits.
 * @param {Uint8Array} bytes
 */
export function hex(bytes) {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}
