// What is in a container, as far as this device knows: by the cards it holds, and by its own packs and unpacks
// that these do not show yet. Whoever sells the container sells all of that. Fetched with the tools, or by the first
// scan of what is not known to be an item.

import { lifeOf } from "../../core/here.js";
import { decide, goodsOf, graver } from "../../core/till.js";
import { parse } from "../../core/trace-code.js";

/** @typedef {import("../../core/wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("../../core/here.js").Known} Known */
/** @typedef {import("../../core/here.js").Typed} Typed */
/** @typedef {import("../../core/till.js").Named} Named */
/** @typedef {import("../../core/till.js").Asked} Asked */

/** A pallet holds cases that hold items. */
const LEVELS = 2;

/**
 * `cards` are those at hand, and get those of what is in a container.
 * @typedef {{ cards: Map<string, UnitCard | null>, store: Pick<import("../../device/store.js").Store, "inside"> }} Cards
 *
 * @typedef {Cards & { asked: (goods: Named, typed: Typed) => Promise<Asked>, known: (typed: Typed) => Known, till: import("../../core/till.js").Till }} At
 */

/**
 * A decision on what is in a container as well: the graver counts, and of equally grave ones what was said before.
 * @param {import("../../core/till.js").Decision} own
 * @param {readonly [Asked, Asked]} ways codes that were typed as they are said, and as they may be meant
 * @param {At} at
 */
export async function holding(own, ways, at) {
  let decision = own;
  for (const [way, typed] of /** @type {const} */ (["said", "meant"]).entries()) {
    const { unit } = /** @type {Asked} */ (ways[way]).goods;
    for (const goods of await inside(unit, at, at.known(typed))) {
      decision = graver(decision, { ...decide(await at.asked(goods, typed), at.till), taken_for: goods.unit });
    }
  }
  return decision;
}

/**
 * Goods in it, by their keys; those of a case on a pallet behind the case. What was packed here is as it was read.
 * @param {string | null} container
 * @param {Cards} at
 * @param {Known} known
 * @param {number} [levels]
 * @returns {Promise<Named[]>}
 */
export async function inside(container, at, known, levels = LEVELS) {
  if (container === null || levels === 0) return [];
  /** @type {Map<string, import("../../core/here.js").OwnRead>} */
  const reads = new Map();
  for (const card of await at.store.inside(container)) {
    const { unit } = card;
    if (!at.cards.has(unit)) at.cards.set(unit, card);
    reads.set(unit, { code: unit, input: "wedge" });
  }
  for (const { did } of known.doneTo(container)) if (did.is === "got") reads.set(did.unit, did.read);
  /** @type {Named[]} */
  const all = [];
  for (const [unit, { code, input }] of [...reads].sort(([one], [other]) => (one < other ? -1 : 1))) {
    if ((await lifeOf(unit, known))[1] !== container) continue;
    const read = parse(code);
    if (!read.ok) continue;
    const goods = await goodsOf(read.scanned, /** @type {import("../../core/event.js").Input} */ (input));
    all.push(goods.unit === unit ? goods : (goods.meant ?? goods), ...(await inside(unit, at, known, levels - 1)));
  }
  return all;
}
