// What the till says of goods in front of a device, with what that holds: cards, recall list and own events.
// Knows no task, and no screen.

import { decideTyped } from "../../core/till.js";

/** @typedef {import("../../core/wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("../../core/till.js").Named} Named */

/**
 * With what is known here, or with cards the server told just now, in which all is that it receipted.
 * @param {import("../session.js").Session} session
 * @param {import("../../core/till.js").Goods} goods
 * @param {ReadonlyMap<string, UnitCard | null>} [told]
 */
export async function judged({ store, drivers, driver, here, list, listAgeMax }, goods, told) {
  const cardOf = async (/** @type {string} */ unit) => told?.get(unit) ?? (told?.has(unit) ? null : await store.unit(unit));
  const shown = told ? Number.MAX_SAFE_INTEGER : Number((await store.record("shown")) ?? 0);
  const disks = drivers.map(({ outbox }) => outbox.view);
  const asked = async (/** @type {Named} */ goods, /** @type {import("../../core/here.js").Typed} */ typed) => ({
    goods,
    card: goods.unit === null ? null : await cardOf(goods.unit),
    here: goods.unit === null ? null : await here.phase(goods.unit, typed, disks, shown, cardOf),
  });
  const till = { now: driver?.now() ?? Date.now() * 1000, list, listAgeMax };
  return decideTyped(await asked(goods, "said"), await asked(goods.meant ?? goods, "meant"), till);
}
