// What comes down: pages of what changed, the snapshot a device begins with, and recall lists. Each is
// applied whole, with the anchor it came with, or not at all. Loaded with the first pull, since nothing
// that a person does waits for it.
//
// A snapshot comes in parts, which are kept as they come, so that it goes on after a break.

import { sha256 } from "../core/chain.js";
import { fateOfFindings } from "../core/outbox.js";
import { openList } from "../core/recall-list.js";
import * as wire from "../core/wire.js";
import { verifyBy } from "./keys.js";
import { followKeys, isSigned } from "./trust.js";

/** @typedef {import("./driver.js").Driver} Driver */
/** @typedef {import("./store.js").Part} Part */
/** @typedef {import("./store.js").ListHeld} ListHeld */
/** @typedef {import("../core/wire/messages.js").Item} Item */

/** The snapshot is still being made. */
const NOT_READY = "snapshot-not-ready";
/** When it is asked for again, in seconds, if the server does not say; and at most. */
const AGAIN_S = 5;
const AGAIN_S_MAX = 60;
/** It is asked for so long at a time, in milliseconds; then with the next pull. */
const MADE_WITHIN_MS = 300_000;

/**
 * What a pull or a snapshot came to.
 * @typedef {"applied" | "more" | "again" | "begin_anew" | "enrol_again" | "not_believed" | "bad_list" | "not_saved"} Came
 *
 * Bytes of a snapshot that are here, and how many it has. @typedef {{ done: number, of: number }} Progress
 */

/**
 * Fetches a page of what changed and applies it.
 * @param {Driver} driver
 * @returns {Promise<Came>}
 */
export async function pull(driver) {
  const { store, link, identity } = driver;
  const { anchor, cursor, receipt } = driver.outbox.disk;
  const held = await store.listHeld();
  /** @type {Item[]} */
  const items = [];
  // What changed at one position may come in parts: they are applied together, with what the last says.
  const next = async (/** @type {string | undefined} */ within) => {
    const outcome = await link.pull(identity, anchor?.text ?? "", cursor, held?.content ?? null, within);
    if (outcome.is === "answer") items.push(...outcome.answer.items.map(({ item }) => item));
    return outcome;
  };
  let outcome = await next(undefined);
  while (outcome.is === "answer" && outcome.answer.within !== undefined) outcome = await next(outcome.answer.within);
  if (outcome.is === "lost") return "again";
  if (outcome.is === "refused") return refusal(outcome);
  const page = outcome.answer;
  const list = await listOf(driver, items, held, page.list);
  if (!list) return "bad_list";
  const { anchor: newest, ...kept } = list;
  // What was receipted before this was asked is in the cards, once there is no more, but for what was left for later.
  const shown = page.more || !receipt ? {} : { shown: receipt.stamp, told_until: page.told_until ?? null };
  const age = page.list_age_s === undefined ? {} : { list_age_s: page.list_age_s };
  const clock = page.list ? { clock: driver.heard(page.list.made_at) } : {};
  const command = checkpoint(driver, items, { cursor: page.cursor, anchor: greater(page.anchor, newest) });
  const pulled = driver.now();
  const written = await driver.checkpoint(command, { items, ...kept, records: { ...shown, ...clock, ...age } });
  if (!written) return "not_saved";
  const hasRules = page.rules === undefined || (await takeRules(driver, page.rules));
  const hasBadges = await takeBadges(driver, page.badges ?? null);
  if (page.more) return "more";
  // Without rules or badges that hold it has not all: whoever needs them is told so.
  await driver.keep({ records: { pulled: hasRules && hasBadges ? pulled : null } });
  return "applied";
}

/**
 * Fetches everything a device is told and puts it in the place of what it holds.
 * @param {Driver} driver
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<Came>}
 */
export async function beginAnew(driver, tell) {
  const { store, link } = driver;
  const { receipt } = driver.outbox.disk;
  const outcome = await manifestOf(driver);
  if (outcome.is === "lost") return "again";
  if (outcome.is === "refused") return refusal(outcome);
  const manifest = outcome.answer;
  const isOurs = manifest.device === driver.identity.device && manifest.epoch === driver.identity.epoch;
  await followKeys(driver, manifest.trust_keys);
  const { trust } = driver.identity;
  if (!isOurs || !(await verifyBy(trust, manifest.key, wire.snapshotText(manifest), manifest.sig))) return "not_believed";
  const of = manifest.chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  let { anchor } = manifest;
  /** @type {Item[]} */
  const items = [];
  for (const named of manifest.chunks) {
    tell({ done, of });
    const kept = await store.part(named.hash);
    const came = kept ? { bytes: kept, anchor } : await link.chunk(driver.identity, driver.outbox.disk.anchor?.text ?? "", named.hash);
    if (!came) return "again";
    const { bytes } = came;
    if (bytes.length !== named.bytes || (await sha256(bytes)) !== named.hash) return "not_believed";
    if (!kept) await driver.keep({ parts: [{ hash: named.hash, bytes }] });
    const read = wire.readFrame(new TextDecoder().decode(bytes), wire.messages.snapshotChunk);
    if (!read.ok) return "not_believed";
    for (const item of read.message.items) items.push(item);
    anchor = greater(anchor, came.anchor);
    done += named.bytes;
  }
  tell({ done, of });
  const list = await listOf(driver, items, await store.listHeld(), undefined);
  if (!list) return "bad_list";
  const { anchor: newest, ...here } = list;
  // It may have been made before the last receipt: up to when it shows what counts tells the pull that goes on from it.
  const shown = receipt ? { shown: receipt.stamp, told_until: 0 } : {};
  const records = { snapshot: manifest.watermark, clock: driver.heard(manifest.made_at), ...shown };
  const command = checkpoint(driver, items, { cursor: manifest.watermark, anchor: greater(anchor, newest), anew: true });
  const written = await driver.checkpoint(command, { anew: true, items, ...here, records });
  return written ? "applied" : "not_saved";
}

/**
 * The manifest. That of a large place takes longer to make than an answer may take: it is asked for again
 * until it is there.
 * @param {Driver} driver
 */
async function manifestOf(driver) {
  const { link, world } = driver;
  const from = world.now();
  for (;;) {
    const outcome = await link.snapshot(driver.identity, driver.outbox.disk.anchor?.text ?? "");
    const isMade = outcome.is !== "refused" || outcome.code !== NOT_READY;
    if (isMade || driver.isStopped || world.now() - from > MADE_WITHIN_MS) return outcome;
    const wait = Math.min(outcome.retryAfter ?? AGAIN_S, AGAIN_S_MAX) * 1000;
    await new Promise((/** @type {(due: unknown) => void} */ due) => world.after(wait, () => due(null)));
  }
}

/** The rules of a version that is not held; those held stay where they cannot be had, which is told. @param {Driver} driver @param {string} version */
async function takeRules(driver, version) {
  const { store, link, identity, outbox } = driver;
  const held = /** @type {import("../core/required/rules.js").Told | null | undefined} */ (await store.record("rules"));
  if (held?.version === version) return true;
  const outcome = await link.rules(identity, outbox.disk.anchor?.text ?? "");
  if (outcome.is !== "answer") return false;
  const { rules, anchor } = outcome.answer;
  return keepWith(driver, anchor, { records: { rules: { version: outcome.answer.version, rules } } });
}

/**
 * The badges of this place, where those held are of another version; none where the place has none.
 * Those held stay where others cannot be had, which is told.
 * @param {Driver} driver
 * @param {string | null} version null: there are none
 */
async function takeBadges(driver, version) {
  const { store, link, identity, outbox } = driver;
  const held = /** @type {import("../core/badges.js").Kept | null | undefined} */ (await store.record("badges"));
  if (version === (held?.version ?? null)) return true;
  if (version === null) return driver.keep({ records: { badges: null } }).then(() => true);
  const outcome = await link.badges(identity, outbox.disk.anchor?.text ?? "");
  if (outcome.is !== "answer") return false;
  const told = outcome.answer;
  return keepWith(driver, told.anchor, { records: { badges: told.version === undefined ? null : { version: told.version, badges: told.badges } } });
}

/**
 * What came, in one transaction with its anchor (I12).
 * @param {Driver} driver
 * @param {string} anchor
 * @param {Parameters<Driver["checkpoint"]>[1]} [extra]
 */
export const keepWith = (driver, anchor, extra = {}) => driver.checkpoint({ do: "checkpoint", cursor: 0, anchor, wall: driver.wall(), fates: [] }, extra);

/** The greater of two anchors. @param {string} one @param {string} other */
const greater = (one, other) => (other > one ? other : one);

/** @param {{ status: number, code: string | null }} refused @returns {Came} */
function refusal({ status, code }) {
  if (status === 410) return "begin_anew";
  return status === 403 || code === "device-not-known" ? "enrol_again" : "again";
}

/**
 * @param {Driver} driver
 * @param {readonly Item[]} items
 * @param {{ cursor: number, anchor: string, anew?: boolean }} at
 * @returns {import("../core/outbox/types.js").Command}
 */
function checkpoint(driver, items, at) {
  const fates = items.flatMap((item) => {
    if (item.type !== "verdict" || item.device !== driver.identity.device) return [];
    const fate = fateOfFindings(item.findings);
    return [/** @type {[number, number, import("../core/outbox/fate.js").Fate]} */ ([item.epoch, item.seq, fate])];
  });
  return { do: "checkpoint", ...at, wall: driver.wall(), fates };
}

/**
 * The recall list of a page: chunks that are not here yet, and what is held from now on. Null when it
 * is not signed, or not whole. And the greatest anchor of the chunks, or "".
 * @param {Driver} driver
 * @param {readonly Item[]} items
 * @param {ListHeld | null} held
 * @param {import("../core/wire/messages.js").ListCurrent | undefined} current
 * @returns {Promise<{ chunks: Part[], current?: ListHeld, anchor: string } | null>}
 */
async function listOf(driver, items, held, current) {
  /** @type {Part[]} */
  const fetched = [];
  let anchor = "";
  let now = held;
  for (const item of items) {
    if (item.type !== "recall_list") continue;
    if (!(await isSigned(driver, item.key, await wire.recallListText(item), item.sig))) return null;
    const chunks = [];
    for (const { hash } of item.chunks) {
      const here = await driver.store.chunk(hash);
      const came = here ? { bytes: here, anchor } : await driver.link.chunk(driver.identity, driver.outbox.disk.anchor?.text ?? "", hash);
      if (!came) return null;
      const { bytes } = came;
      if (!here) fetched.push({ hash, bytes });
      anchor = greater(anchor, came.anchor);
      chunks.push(bytes);
    }
    if (item.chunks.length > 0 && !(await openList(item, chunks)).ok) return null;
    now = { content: await wire.listContent(item), version: item.version, made_at: item.made_at };
  }
  if (current) {
    if (!(await isSigned(driver, current.key, wire.listCurrentText(current), current.sig))) return null;
    // Of another content: the next page brings it.
    if (now?.content === current.content && current.version >= now.version) {
      now = { content: now.content, version: current.version, made_at: current.made_at };
    }
  }
  return { chunks: fetched, anchor, ...(now ? { current: now } : {}) };
}
