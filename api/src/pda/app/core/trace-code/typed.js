// What a person may have meant who typed a serial of ours, as `sync::trace_code::fold_typed`. The serials minted
// here are 14 symbols of our own scheme, so small letters are taken for capitals, O for 0, I and L for 1. The
// serials of others are case-sensitive, and some look like ours: so this says only what may be meant. What was
// scanned must never pass through here.

import { symbolOf } from "./own-scheme.js";

/** The characters of a serial that is minted as letters and digits. */
const MINTED_SERIAL_LEN = 14;

/**
 * The code with the serial of ours that may be meant by it; null where a serial is not of that form, or is what
 * it says already.
 * @param {import("./elements.js").TraceCode} code
 * @returns {import("./elements.js").TraceCode | null}
 */
export function foldTyped(code) {
  if (code.is !== "gtin" || code.serial?.length !== MINTED_SERIAL_LEN) return null;
  const serial = [...code.serial].map((byte) => symbolOf(byte) ?? "").join("");
  return serial.length === MINTED_SERIAL_LEN && serial !== code.serial ? { ...code, serial } : null;
}
