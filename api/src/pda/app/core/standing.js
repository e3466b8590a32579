// How a device stands, in numbers: what the strip on every screen and the hand-over say. Pure.

/** @typedef {import("./outbox/machine.js").Outbox} Outbox */

/** A list that is so many times as old as it may be should be trusted by nobody. */
const LIST_WORSE = 3;
/** A wall clock that is further off than this is told. */
export const OFFSET_MS = 60_000;
/** Free space below this part of it is told. */
export const FREE_LEAST = 0.1;

/**
 * `oldestMs`: age of the oldest unsent event by the device's own clock; `receiptMs`, `listMs`: ages by
 * the server's time; null where there is none.
 * @typedef {{ unsent: number, oldestMs: number | null, attention: number, receiptMs: number | null, listMs: number | null }} Standing
 */

/**
 * @param {readonly Outbox[]} outboxes that of this device, behind those of devices it was before
 * @param {{ wall: number, server: number, listMadeAt: number | null }} now wall in milliseconds, server and list in microseconds
 * @returns {Standing}
 */
export function standing(outboxes, { wall, server, listMadeAt }) {
  const oldest = outboxes.flatMap(({ open, view }) => {
    const [first] = open.list;
    return first ? (madeAt(view.row(first)?.text) ?? []) : [];
  });
  const at = oldest.length > 0 ? Math.min(...oldest) : null;
  const age = (/** @type {number | null | undefined} */ us) => (us === null || us === undefined ? null : Math.max(0, (server - us) / 1000));
  let attention = 0;
  for (const { view, damaged } of outboxes) {
    attention += damaged.size;
    for (const { state } of view.rows.values()) if (state.is === "needs_attention") attention += 1;
  }
  return {
    unsent: outboxes.reduce((sum, { unreceipted }) => sum + unreceipted, 0),
    oldestMs: at === null ? null : Math.max(0, wall - at),
    attention,
    receiptMs: age(outboxes[outboxes.length - 1]?.view.receipt?.stamp),
    listMs: age(listMadeAt),
  };
}

/**
 * How a recall list stands by its age, as the till judges it: `bad` is older than it may be.
 * @param {number | null} listMs
 * @param {number} listAgeMax microseconds
 * @returns {"" | "bad" | "worse"}
 */
export function listLook(listMs, listAgeMax) {
  if (listMs === null || listMs * 1000 > LIST_WORSE * listAgeMax) return "worse";
  return listMs * 1000 > listAgeMax ? "bad" : "";
}

/** When an own event says it was made, in milliseconds. @param {string | undefined} text */
export function madeAt(text) {
  try {
    const ms = Date.parse(JSON.parse(text ?? "").at);
    return Number.isFinite(ms) ? ms : null;
  } catch {
    return null;
  }
}

/**
 * An age as a number and the name of its unit.
 * @param {number} ms
 * @returns {{ count: number, unit: "minutes" | "hours" | "days" }}
 */
export function ageOf(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 120) return { count: minutes, unit: "minutes" };
  if (minutes < 48 * 60) return { count: Math.floor(minutes / 60), unit: "hours" };
  return { count: Math.floor(minutes / 1440), unit: "days" };
}
