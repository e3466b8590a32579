// The goods of a task: what was read, what was expected, and what follows from the two. Values only;
// every change gives a new list.

/** @typedef {import("../event.js").Override} Override */
/** @typedef {import("../event.js").Input} Input */

/**
 * Goods that were read: a unit, or a quantity of a lot (`unit` is null); `warns`: why somebody was warned.
 * @typedef {{ unit: string | null, code: string, input: Input, at: number, gtin: string | null, lot: string | null,
 *   qty: number, surplus: boolean, override: Override | null, warns?: readonly string[] }} Line
 *
 * What should come: units, each maybe in a container, and quantities of lots.
 * @typedef {{ units: readonly { unit: string, inside?: string | null }[],
 *   lots: readonly { gtin: string, lot: string | null, qty: number }[] }} Expected
 *
 * A change that can be undone: the line and the quantity it had before, 0 when it was new.
 * @typedef {{ index: number, was: number }} Change
 *
 * @typedef {{ lines: readonly Line[], changes: readonly Change[] }} Goods
 */

/** @type {Goods} */
export const NONE = { lines: [], changes: [] };

/**
 * The unit's line, or the lot's; -1 when there is none.
 * @param {Goods} goods
 * @param {Pick<Line, "unit" | "gtin" | "lot">} line
 */
export const find = ({ lines }, { unit, gtin, lot }) =>
  lines.findIndex((own) =>
    unit === null ? own.unit === null && own.gtin === gtin && own.lot === lot && !own.override : own.unit === unit,
  );

/** @param {Goods} goods @param {Line} line @returns {Goods} */
export const added = ({ lines, changes }, line) => ({
  lines: [...lines, line],
  changes: [...changes, { index: lines.length, was: 0 }],
});

/** The line with another quantity, and a warning. @param {Goods} goods @param {number} index @param {number} qty @param {Line["warns"]} [warns] @returns {Goods} */
export function withQuantity({ lines, changes }, index, qty, warns) {
  const line = lines[index];
  if (!line) return { lines, changes };
  return {
    lines: lines.map((own, at) => (at === index ? { ...line, qty, ...(warns && { warns }) } : own)),
    changes: [...changes, { index, was: line.qty }],
  };
}

/** The last change undone. @param {Goods} goods @returns {{ goods: Goods, undone: Line | null }} */
export function undone({ lines, changes }) {
  const last = changes[changes.length - 1];
  const line = last && lines[last.index];
  if (!last || !line) return { goods: { lines, changes }, undone: null };
  const rest = changes.slice(0, -1);
  // A new line is the last one: everything behind it was undone before.
  const kept =
    last.was === 0
      ? lines.slice(0, -1)
      : lines.map((own, at) => (at === last.index ? { ...line, qty: last.was } : own));
  return { goods: { lines: kept, changes: rest }, undone: line };
}

/**
 * The units that are ticked off: those read, and those inside a container that was read.
 * @param {Goods} goods
 * @param {Expected} expected
 * @returns {Set<string>}
 */
export function ticked({ lines }, expected) {
  const read = new Set(lines.flatMap((line) => line.unit ?? []));
  const inside = new Map(expected.units.map(({ unit, inside: parent }) => [unit, parent ?? null]));
  const isRead = (/** @type {string} */ unit) => {
    let current = /** @type {string | null} */ (unit);
    // Containers nest three deep; a circle in wrong data ends the search.
    for (let depth = 0; current !== null && depth < 8; depth += 1) {
      if (read.has(current)) return true;
      current = inside.get(current) ?? null;
    }
    return false;
  };
  return new Set(expected.units.flatMap(({ unit }) => (isRead(unit) ? [unit] : [])));
}

/**
 * Was this expected, by itself, as the container of something that was, or as a lot?
 * @param {Expected} expected
 * @param {Pick<Line, "unit" | "gtin" | "lot">} line
 */
export function isExpected(expected, { unit, gtin, lot }) {
  if (unit === null) return expected.lots.some((own) => own.gtin === gtin && own.lot === lot);
  return expected.units.some((own) => own.unit === unit || own.inside === unit);
}

/**
 * What is still missing, and what came that nobody expected.
 * @param {Goods} goods
 * @param {Expected | null} expected
 */
export function compared(goods, expected) {
  if (!expected) return { missing: [], missingLots: [], surplus: [], surplusLots: [] };
  const here = ticked(goods, expected);
  const quantity = (/** @type {{ gtin: string | null, lot: string | null }} */ { gtin, lot }) =>
    goods.lines.reduce((sum, line) => (line.unit === null && line.gtin === gtin && line.lot === lot ? sum + line.qty : sum), 0);
  const lots = expected.lots.map((lot) => ({ gtin: lot.gtin, lot: lot.lot, qty: quantity(lot) - lot.qty }));
  const others = goods.lines.filter((line) => line.unit === null && !isExpected(expected, line));
  return {
    missing: expected.units.flatMap(({ unit }) => (here.has(unit) ? [] : [unit])),
    missingLots: lots.flatMap(({ gtin, lot, qty }) => (qty < 0 ? [{ gtin, lot, qty: -qty }] : [])),
    surplus: goods.lines.flatMap((line) => (line.unit !== null && !isExpected(expected, line) ? [line.unit] : [])),
    surplusLots: [
      ...lots.filter(({ qty }) => qty > 0),
      ...others.map(({ gtin, lot, qty }) => ({ gtin: gtin ?? "", lot, qty })),
    ],
  };
}
