// What a receipted event is to the person at the device: done, waiting, or in need of attention.

/** @typedef {"settled" | "waiting" | "attention"} Fate */

/**
 * By the answer to its push. A duplicate is told what was told first: what is kept apart has findings, what
 * waits a code alone, and may wait no longer, which the next pull tells.
 * @param {import("../wire/messages.js").EventResult} result
 * @returns {Fate}
 */
export function fateOfResult({ status, code, findings }) {
  const fate = status === "quarantined" ? "attention" : fateOfFindings(findings);
  const waits = status === "parked" || (status === "duplicate" && code !== undefined);
  return fate === "settled" && waits ? "waiting" : fate;
}

/**
 * By its findings, as a pull tells them: those open that are more than information.
 * @param {readonly import("../wire/messages.js").FindingNote[]} findings
 * @returns {Fate}
 */
export function fateOfFindings(findings) {
  return findings.some((note) => !note.closed && note.severity !== "information") ? "attention" : "settled";
}

/**
 * The state of an event with this fate, receipted at `stamp`.
 * @param {Fate} fate
 * @param {number} stamp
 * @returns {import("./types.js").RowState}
 */
export function stateOf(fate, stamp) {
  if (fate === "settled") return { is: "settled", stamp };
  return { is: fate === "waiting" ? "receipted" : "needs_attention", stamp };
}
