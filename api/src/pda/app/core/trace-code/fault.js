// Why a text is not a code: the name of the fault, and the byte of the text it stands at.
//
// The names are agreed and never change; what a person is told about each is a matter of screens.

/** Every fault there is. */
export const FAULTS = /** @type {const} */ ([
  "empty",
  "too-long",
  "not-a-code",
  "no-key",
  "unknown-key",
  "extra-segment",
  "missing-value",
  "missing-qualifier",
  "qualifier-order",
  "not-a-qualifier",
  "duplicate-key",
  "conflicting-keys",
  "attribute-in-path",
  "not-an-attribute",
  "bad-length",
  "bad-digit",
  "bad-character",
  "dot-segment",
  "bad-check-digit",
  "bad-check-character",
  "bad-date",
  "bad-value",
  "bad-percent-encoding",
  "unknown-epc",
  "bad-partition",
  "bad-padding",
  "mixed-scheme",
]);

/** @typedef {typeof FAULTS[number]} Fault */

/** A refusal. Readers throw it; the doors in `trace-code.js` catch it and nothing else. */
export class CodeError extends Error {
  /**
   * @param {number} position
   * @param {Fault} fault
   */
  constructor(position, fault) {
    super(fault);
    this.position = position;
    this.fault = fault;
  }
}

/**
 * @param {number} position
 * @param {Fault} fault
 * @returns {never}
 */
export function refuse(position, fault) {
  throw new CodeError(position, fault);
}
