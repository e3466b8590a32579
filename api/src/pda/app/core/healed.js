// What was found of an event and explained away by no other event, but by what the server noted: a recall that was
// closed, a decision, what came on record. Pure; it knows no words.

/** @typedef {{ code: string, by: string }} Healed code of what was found, kind of the entry */

/** @typedef {{ code: string, closed: boolean, closed_entry?: { kind: string } | undefined }} Found */

/** @param {Found[]} findings @returns {Healed[]} */
export function healedBy(findings) {
  return findings.flatMap(({ code, closed, closed_entry: entry }) => (closed && entry ? [{ code, by: entry.kind }] : []));
}
