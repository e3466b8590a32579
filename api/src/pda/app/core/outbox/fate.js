// What a receipted event is to the person at the device: done, waiting, or in need of attention.

/** @typedef {"settled" | "waiting" | "attention"} Fate */

/**
 * By the answer to its push. A duplicate is told what was told before: what waited then may wait no
 * longer, which the next pull tells.
 * @param {import("../wire/messages.js").EventResult} result
 * @returns {Fate}
 */
export function fateOfResult(result) {
  if (result.status === "parked") return "waiting";
  if (result.status === "quarantined") return "attention";
  const fate = fateOfFindings(result.findings);
  const waited = result.status === "duplicate" && result.code !== undefined;
  return fate === "settled" && waited ? "waiting" : fate;
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
