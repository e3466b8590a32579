// What a till decides of goods in front of it, offline: from what the code says of itself, the unit's
// card, the recall list, and what happened here.
//
// The same decisions as `sync::till`. Each source is asked for what it can know, and the stricter
// word wins; every reason is told, the gravest gives the advice. What a person typed may mean a unit of ours
// (`foldTyped`), and only issue keys tell: so goods are judged as their code says and as it may be meant, and
// the graver counts. It must not know the server, a clock, or how lists are fetched.

import { MARKS, unitHash } from "./recall-list.js";
import { foldTyped, unitKey } from "./trace-code.js";

/** @typedef {import("./recall-list.js").UnitList} UnitList */
/** @typedef {import("./trace-code.js").Scanned} Scanned */
/** @typedef {import("./wire/messages.js").UnitCard} UnitCard */
/** @typedef {import("./wire/messages.js").RecalledBatch} RecalledBatch */

/** Why not simply "ok", gravest first. Names are stable: they stand in `override.code` of a sale. */
export const REASONS = /** @type {const} */ ([
  "recalled",
  "expired",
  "void",
  "destroyed",
  "collected",
  "code_contradicts_record",
  "sold",
  "uninspected",
  "held",
  "struck",
  "names_no_unit",
  "expiry_unknown",
  "no_list",
  "stale_list",
]);

/** @typedef {typeof REASONS[number]} Reason */
/** @typedef {"ok" | "ask" | "stop"} Advice */

/** What only asks to look twice; everything else stops. @type {readonly Reason[]} */
const ASKING = ["struck", "names_no_unit", "expiry_unknown", "no_list", "stale_list"];

/** What a reason alone advises. @param {Reason} reason @returns {Advice} */
export const adviceOf = (reason) => (ASKING.includes(reason) ? "ask" : "stop");

/**
 * Goods as they were read: code and claims, the unit they name, and its name in lists.
 * @typedef {{ scanned: Scanned, unit: string | null, hash: string | null }} Named
 *
 * With what may be meant by a code that was typed, where that is something else.
 * @typedef {Named & { meant: Named | null }} Goods
 */

/**
 * @param {Scanned} scanned
 * @param {import("./event.js").Input} input
 * @returns {Promise<Goods>}
 */
export async function goodsOf(scanned, input) {
  const code = input === "typed" ? foldTyped(scanned.code) : null;
  return { ...(await named(scanned)), meant: code && (await named({ ...scanned, code })) };
}

/** @param {Scanned} scanned @returns {Promise<Named>} */
async function named(scanned) {
  const unit = unitKey(scanned.code);
  return { scanned, unit, hash: unit === null ? null : await unitHash(unit) };
}

/** The recall list a till holds, ready to be asked. */
export class HeldList {
  /**
   * @param {number} version the log position it was made at
   * @param {number} madeAt when, in microseconds
   * @param {Iterable<RecalledBatch>} batches each once for every GTIN its codes carry
   * @param {UnitList} units
   */
  constructor(version, madeAt, batches, units) {
    this.version = version;
    this.madeAt = madeAt;
    this.units = units;
    /** @type {Map<string, Set<string>>} recalls by GTIN and lot */
    this.byLot = new Map();
    /** @type {Map<string, Set<string>>} recalls by batch */
    this.byBatch = new Map();
    for (const { recall, batch, gtin, lot } of batches) {
      add(this.byBatch, batch, recall);
      add(this.byLot, lotKey(gtin, lot), recall);
    }
  }
}

/** @param {string} gtin @param {string} lot */
const lotKey = (gtin, lot) => JSON.stringify([gtin, lot]);

/** @param {Map<string, Set<string>>} map @param {string} key @param {string} recall */
function add(map, key, recall) {
  const recalls = map.get(key) ?? new Set();
  map.set(key, recalls.add(recall));
}

/**
 * What a till holds besides what it is asked about: now as well as it knows, its list, and how old
 * that may be; in microseconds.
 * @typedef {{ now: number, list: HeldList | null, listAgeMax: number }} Till
 *
 * Goods in front of it, the unit's card, and what became of it by this device's own events that the
 * card does not show yet.
 * @typedef {{ goods: Named, card: UnitCard | null, here: import("./here.js").Became | null }} Asked
 *
 * What it says: why, gravest first; the recalls known by name; the earliest instant at which any
 * source says it is expired; and the unit this is said of, where that is not what the code says: what may be meant by
 * it, or what is in it.
 * @typedef {{ advice: Advice, reasons: Reason[], recalls: string[], expires_at: number | null, taken_for: string | null }} Decision
 */

/**
 * Decides on goods, as their code says and as it may be meant: the graver counts, and of equally grave ones
 * what is said. Where nothing else may be meant, `meant` is of the same code; what happened here may differ.
 * @param {Asked} said
 * @param {Asked} meant
 * @param {Till} till
 * @returns {Decision}
 */
export function decideTyped(said, meant, till) {
  const taken_for = meant.goods.unit === said.goods.unit ? null : meant.goods.unit;
  return graver(decide(said, till), { ...decide(meant, till), taken_for });
}

/**
 * The graver of two decisions, and of equally grave ones the first, with the recalls of both. Where a card may show an
 * own event or may not yet, both are made: with it among what happened here, and without.
 * @param {Decision} one
 * @param {Decision} other
 * @returns {Decision}
 */
export function graver(one, other) {
  const recalls = [...new Set([...one.recalls, ...other.recalls])].sort();
  return { ...(gravity(other) < gravity(one) ? other : one), recalls };
}

/** The place of the gravest reason; behind all others where there is none. @param {Decision} decision */
const gravity = ({ reasons: [first] }) => (first === undefined ? REASONS.length : REASONS.indexOf(first));

/**
 * By what the code says.
 * @param {Asked} asked
 * @param {Till} till
 * @returns {Decision}
 */
export function decide({ goods, card: given, here }, { now, list, listAgeMax }) {
  /** @type {Set<Reason>} */
  const reasons = new Set();
  /** @type {Set<string>} */
  const recalls = new Set();
  const { claims } = goods.scanned;
  if (goods.unit === null) reasons.add("names_no_unit");
  // A card of something else says nothing.
  const card = given && goods.unit === given.unit ? given : null;
  const batches = card ? [card, ...(card.holds ?? [])] : [];

  if (list) {
    const marks = goods.hash === null ? 0 : list.units.marks(goods.hash);
    for (const [reason, mark] of Object.entries(MARKS)) if (marks & mark) reasons.add(/** @type {Reason} */ (reason));
    for (const recall of recallsOfCode(goods.scanned, list)) recalls.add(recall);
    for (const { batch } of batches) for (const recall of (batch && list.byBatch.get(batch)) || []) recalls.add(recall);
    if (now - list.madeAt > listAgeMax) reasons.add("stale_list");
  } else {
    reasons.add("no_list");
  }
  if (card) {
    for (const recall of card.recalls) recalls.add(recall);
    if (card.void) reasons.add("void");
    if (card.phase === "collected" || card.phase === "destroyed") reasons.add(card.phase);
    if (card.disposition === "hold" || card.disposition === "destroy") reasons.add("held");
    if (contradicts(claims, card)) reasons.add("code_contradicts_record");
  }
  if (recalls.size > 0) reasons.add("recalled");
  // What speaks against nothing is no reason.
  const became = here ?? card?.phase;
  reasons.add(became === "returned" ? "uninspected" : /** @type {Reason} */ (became));

  const own = claimedDays(claims);
  const days = [...own, ...batches.flatMap(({ expires_at }) => expires_at ?? [])];
  const expiresAt = days.length > 0 ? Math.min(...days) : null;
  // A batch on record without an expiry does not expire.
  if ((own.length === 0 && (card?.expires_at ?? card?.batch) === undefined) || card?.holds_more) reasons.add("expiry_unknown");
  if (expiresAt !== null && now >= expiresAt) reasons.add("expired");

  const told = REASONS.filter((reason) => reasons.has(reason));
  const advice = told.some((reason) => adviceOf(reason) === "stop") ? "stop" : told.length > 0 ? "ask" : "ok";
  return { advice, reasons: told, recalls: [...recalls].sort(), expires_at: expiresAt, taken_for: null };
}

/** Recalls of the batch that the code itself names. @param {Scanned} scanned @param {HeldList} list */
function recallsOfCode({ code, claims }, list) {
  if (code.is !== "gtin" || claims.lot === undefined) return [];
  return list.byLot.get(lotKey(code.gtin, claims.lot)) ?? [];
}

/** Lot or a day in the code unlike the card of a known batch. @param {Scanned["claims"]} claims @param {UnitCard} card */
function contradicts(claims, { batch, lot, expires_at }) {
  const otherLot = claims.lot !== undefined && lot !== undefined && claims.lot !== lot;
  return batch !== undefined && (otherLot || claimedDays(claims).some((claimed) => claimed !== expires_at));
}

/** The first instants at which goods are expired by the days in their code (AI 17 and 15). @param {Scanned["claims"]} claims */
const claimedDays = (claims) =>
  [claims.expiry, claims.best_before].flatMap((digits) => (digits === undefined ? [] : (expiredFrom(digits) ?? [])));

/**
 * The first instant, in microseconds, at which goods with this day are expired: 00:00 in Shanghai
 * after the printed day. Years are those of this century.
 * @param {string} digits `YYMMDD`; day 00 is the last of its month
 * @returns {number | null}
 */
export function expiredFrom(digits) {
  const [year, month, day] = [0, 2, 4].map((at) => Number(digits.slice(at, at + 2)));
  if (digits.length !== 6 || year === undefined || month === undefined || day === undefined) return null;
  if (!Number.isInteger(year + month + day) || month < 1 || month > 12 || day < 0 || day > 31) return null;
  const after = day === 0 ? Date.UTC(2000 + year, month, 1) : Date.UTC(2000 + year, month - 1, day + 1);
  return (after - 8 * 3_600_000) * 1000;
}
