// What an own event says, in a few words for people. Pure.

/**
 * Its id and kind, when it says it was made (in milliseconds; 0 where it does not), and of how many goods it is.
 * @typedef {{ id: string, kind: string, at: number, count: number }} Says
 */

/** @param {string} text @returns {Says} */
export function saysOf(text) {
  try {
    const { event_id: id, kind, at, units = [], children = [], lots = [] } = JSON.parse(text);
    const loose = lots.reduce((/** @type {number} */ sum, /** @type {{ qty: number }} */ lot) => sum + lot.qty, 0);
    const ms = Date.parse(at);
    return { id: String(id), kind: String(kind), at: Number.isFinite(ms) ? ms : 0, count: units.length + children.length + loose };
  } catch {
    return { id: "", kind: "unreadable", at: 0, count: 0 };
  }
}

/**
 * The same of one act, which may be several events.
 * @param {readonly string[]} texts
 * @returns {Says | null}
 */
export function actOf(texts) {
  const [first, ...more] = texts.map(saysOf);
  return first ? { ...first, count: more.reduce((sum, { count }) => sum + count, first.count) } : null;
}
