// Goods are looked up: what this device knows of them at once, and what the server knows when it answers.
// Loaded with the tools, or by the first look-up.

import { goodsOf } from "../core/till.js";
import { parse } from "../core/trace-code.js";
import { keepWith } from "../device/down.js";
import { judged } from "./session/judge.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./types.js").Looked} Looked */

/** @param {Session} session @param {string} text as it was read @param {import("../core/event.js").Input} input */
export async function lookUp(session, text, input) {
  const { store, driver, out } = session;
  const read = parse(text);
  const goods = read.ok ? await goodsOf(read.scanned, input) : null;
  if (!read.ok) return out.told({ sound: "warn", words: [read.fault], of: text });
  if (!goods || goods.unit === null) return out.told({ sound: "warn", words: ["names_no_goods"], of: text });
  const decision = await judged(session, goods);
  const card = await store.unit(decision.taken_for ?? goods.unit);
  const own = { goods, unit: goods.unit, card, decision };
  const at = /** @type {number | undefined} */ (await store.record("pulled")) ?? null;
  const looked = /** @type {Looked} */ ({ ...own, from: "here", at, asked: driver && navigator.onLine ? "asking" : "offline" });
  session.looked = looked;
  // Nobody waits for the server: what is known here stands until it answers.
  if (looked.asked === "asking") void askServer(session, looked).catch(() => {});
  return out.told({ sound: "tick", words: ["look-up"], of: goods.unit });
}

/** What the server knows of what is looked at, if that is still on the screen when it answers. @param {Session} session @param {Looked} looked */
async function askServer(session, looked) {
  const { driver } = session;
  if (!driver) return;
  const { goods, unit } = looked;
  const units = [unit, ...(goods.meant?.unit ? [goods.meant.unit] : [])];
  const outcome = await driver.link.lookUp(driver.identity, driver.outbox.disk.anchor?.text ?? "", units);
  const answer = outcome.is === "answer" ? outcome.answer : null;
  const cards = answer?.cards ?? [];
  // What is told here counts as known only behind its anchor (I12).
  if (answer) await keepWith(driver, answer.anchor);
  const isAnswer = cards.length === units.length && units.every((unit, at) => !cards[at] || cards[at].unit === unit);
  const told = new Map(units.map((unit, at) => [unit, cards[at] ?? null]));
  const decision = isAnswer ? await judged(session, goods, told, answer?.told_until) : looked.decision;
  if (session.looked !== looked) return;
  const of = decision.taken_for ?? unit;
  const card = told.has(of) ? (told.get(of) ?? null) : await session.store.unit(of);
  session.looked = isAnswer ? { goods, unit, card, decision, from: "server", at: driver.now(), asked: "answered" } : { ...looked, asked: "lost" };
  if (isAnswer && decision.advice !== looked.decision.advice) session.out.told({ sound: decision.advice === "ok" ? "ok" : "warn", words: ["look-up"], of: unit });
  else session.out.changed();
}
