// GS1 element strings: identifiers and values end to end, as scanners deliver them.
//
// A value of predefined length needs no separator, any other ends at a GS (0x1D) or at the end of
// the text. Knows nothing of symbology identifiers, which are cut off before.

import { find, leading, predefinedLength } from "./ai.js";
import { Elements } from "./elements.js";
import { refuse } from "./fault.js";
import { Value } from "./value.js";

/** The separator: FNC1 as scanners transmit it inside a message. */
export const GS = "\x1d";

/**
 * @param {string} text
 * @param {number} start where it begins in what was given
 * @returns {import("./elements.js").Scanned}
 */
export function parseElementString(text, start) {
  const elements = new Elements();
  // Some scanners transmit the FNC1 that opens the symbol as a separator too.
  let at = text.startsWith(GS) ? 1 : 0;
  if (at === text.length) refuse(start + at, "missing-value");
  while (at < text.length) {
    const digits = leading(text.slice(at, at + 4)) ?? refuse(start + at, "unknown-key");
    const ai = find(digits) ?? refuse(start + at, "unknown-key");
    const position = start + at;
    at += digits.length;
    const separator = text.indexOf(GS, at);
    const end = separator < 0 ? text.length : separator;
    const length = Math.min(predefinedLength(ai) ?? end - at, end - at);
    elements.add(ai, digits, position, Value.verbatim(text.slice(at, at + length), start + at));
    at += length;
    // One separator may follow any value, also one of predefined length, and also the last.
    if (text.charAt(at) === GS) at += 1;
  }
  return elements.finish("element-string", start);
}
