// What the till says of goods, with what the device holds: cards, recall list, own events. Knows no screen.

import { becameOf } from "../../core/here.js";
import { decideTyped, graver } from "../../core/till.js";

/** @typedef {import("../../core/wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("../../core/till.js").Named} Named */

/**
 * With what is known here, or with cards the server told just now. All that it receipted shows in cards, but for what
 * it left for later: what is behind the instant it told (`told_until`) is judged both ways.
 * @param {import("../session.js").Session} session
 * @param {import("../../core/till.js").Goods} goods
 * @param {ReadonlyMap<string, UnitCard | null>} [told]
 * @param {number} [toldUntil]
 */
export async function judged({ store, drivers, driver, here, list, listAgeMax }, goods, told, toldUntil) {
  const cards = new Map(told);
  const cardOf = async (/** @type {string} */ unit) => {
    if (!cards.has(unit)) cards.set(unit, await store.unit(unit));
    return cards.get(unit) ?? null;
  };
  const record = async (/** @type {string} */ name) => /** @type {number | null | undefined} */ (await store.record(name));
  const shown = told ? Number.MAX_SAFE_INTEGER : ((await record("shown")) ?? 0);
  const until = (told ? toldUntil : await record("told_until")) ?? shown;
  const disks = drivers.map(({ outbox }) => outbox.view);
  const till = { now: driver?.now() ?? Date.now() * 1000, list, listAgeMax };
  const by = async (/** @type {number} */ shown) => {
    const known = (/** @type {import("../../core/here.js").Typed} */ typed) => here.known(typed, disks, shown, cardOf);
    const asked = async (/** @type {Named} */ goods, /** @type {import("../../core/here.js").Typed} */ typed) => ({
      goods,
      card: goods.unit === null ? null : await cardOf(goods.unit),
      here: goods.unit === null ? null : await becameOf(goods.unit, known(typed)),
    });
    const [said, meant] = [await asked(goods, "said"), await asked(goods.meant ?? goods, "meant")];
    const own = decideTyped(said, meant, till);
    if (said.card?.level === "item") return own;
    // Not here, if the line was cut before all was.
    const inside = await import("./inside.js").catch(() => null);
    return inside?.holding(own, [said, meant], { asked, till, cards, store, known }) ?? own;
  };
  return until < shown ? graver(await by(shown), await by(until)) : by(shown);
}
