// What comes from the server: it is fetched, one fetch at a time, and what every scan needs of it is at hand. Also
// that this device has to be enrolled again.

import { Badges } from "../../core/badges.js";
import { UnitList, openList } from "../../core/recall-list.js";
import { rulesOf } from "../../core/required/rules.js";
import { HeldList } from "../../core/till.js";

/** @typedef {import("../session.js").Session} Session */
/** @typedef {import("../../device/down.js").Came} Came */

/** How old a recall list may be at the till, in seconds, until a pull says what the policy is. */
export const LIST_AGE_S = 24 * 3600;

export class Pulls {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Promise<Came> | null} */
    this.pulling = null;
    /** Something changed since the fetch under way began. */
    this.isPullWanted = false;
  }

  /** Page by page. */
  pull() {
    if (this.pulling) {
      this.isPullWanted = true;
      return this.pulling;
    }
    const pulling = this.#pull().finally(() => {
      if (this.pulling !== pulling) return;
      this.pulling = null;
      if (this.isPullWanted) void this.pull();
    });
    this.pulling = pulling;
    this.isPullWanted = false;
    return pulling;
  }

  /** Nobody waits for what is under way. */
  forget() {
    this.pulling = null;
  }

  async #pull() {
    const { session } = this;
    const tell = (/** @type {import("../../device/down.js").Progress} */ progress) => {
      session.progress = progress;
      session.out.changed();
    };
    const { driver } = session;
    // A storage that fails fails the next scan aloud.
    const next = () => driver?.pull(tell).catch(() => /** @type {const} */ ("not_saved"));
    const all = async () => {
      let came = await next();
      while (came === "more") came = await next();
      return came;
    };
    let pulled = await all();
    // A snapshot tells cards: the pull behind it tells the rest.
    if (session.progress && pulled === "applied") pulled = await all();
    if (driver) await knowOver(session, driver, pulled ?? "again").catch(() => {});
    session.progress = null;
    await session.taken();
    session.out.changed();
    return pulled ?? "again";
  }
}

/**
 * A device that has to be enrolled again says so until it is, with a network or without.
 * @param {Session} session
 * @param {import("../../device/driver.js").Driver} driver
 * @param {Came} came
 */
async function knowOver(session, driver, came) {
  if (!["applied", "more", "enrol_again"].includes(came)) return;
  const why = came === "enrol_again" ? await (await import("../../device/over.js")).overBy(driver) : null;
  if (why === undefined || why === session.why || driver !== session.driver) return;
  session.why = why;
  if (why) session.out.told({ sound: "warn", words: ["enrol_again"] });
  await driver.keep({ records: { over: why } });
}

/** Takes up what every scan needs at hand: products, partners, list, rules and badges. @param {Session} session */
export async function readCards(session) {
  session.products.clear();
  for (const { gtin, name, profile = null } of await session.store.products()) session.products.set(gtin, { name, profile });
  const held = await session.store.recallList();
  const chunks = (held?.chunks ?? []).flatMap((chunk) => chunk ?? []);
  const { manifest } = held ?? {};
  const opened = manifest && manifest.chunks.length > 0 ? await openList(manifest, chunks) : null;
  const units = opened ? (opened.ok ? opened.list : null) : new UnitList(0);
  if (manifest && units) session.list = new HeldList(manifest.version, manifest.made_at, manifest.batches, units);
  session.listAgeMax = Number((await session.store.record("list_age_s")) ?? LIST_AGE_S) * 1_000_000;
  session.partners = await session.store.partners();
  for (const { event, findings } of await session.store.verdicts()) {
    session.verdicts.set(event, findings.flatMap(({ code, closed }) => (closed ? [] : [code])));
    session.findings.set(event, findings);
  }
  session.rules = rulesOf(await session.store.record("rules"));
  const badges = /** @type {import("../../core/badges.js").Kept | null | undefined} */ (await session.store.record("badges"));
  session.isPulled = ((await session.store.record("pulled")) ?? null) !== null;
  session.badges = new Badges(session.driver?.identity.enterprise ?? "", badges ?? null, session.isPulled);
}

/** Whom goods go to and come from, each of their places by name. @param {import("../session.js").Session["partners"]} partners */
export function placesOf(partners) {
  /** @typedef {{ type: "location" | "enterprise", id: string, name: string }} Place */
  return partners.flatMap(({ enterprise, name, places }) => {
    /** @type {Place[]} */
    const known = places.map((place) => ({ type: "location", id: place.location, name: `${name} · ${place.name}` }));
    return known.length > 0 ? known : [/** @type {Place} */ ({ type: "enterprise", id: enterprise, name })];
  });
}
